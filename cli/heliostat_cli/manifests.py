"""Agents and Executions from YAML, checked field by field before any world sees them."""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from heliostat_cli.embedded.documents import Document, copy_document
from heliostat_cli.embedded.schemas import Schema, resource_schemas
from heliostat_cli.embedded.validation import check_valid
from heliostat_cli.errors import UsageError
from heliostat_cli.guesses import closest
from heliostat_core.reading import text
from heliostat_core.worlds import AGENT, EXECUTION, InvalidError, JsonObject, Kind

_OURS = {kind.name: kind for kind in (AGENT, EXECUTION)}


@dataclass(frozen=True)
class Manifest:
    """What a file declares, in its order."""

    path: Path
    objects: tuple[JsonObject, ...]

    def of(self, kind: Kind) -> tuple[JsonObject, ...]:
        return tuple(each for each in self.objects if each.get("kind") == kind.name)


def read_manifest(path: Path) -> Manifest:
    """Raises UsageError that names the file, the field and the remedy."""
    documents = read_documents(path)
    if not documents:
        raise UsageError(f"{path} declares nothing", "Write an Agent: see docs/cli.md.")
    for document in documents:
        _check(path, document)
    return Manifest(path, tuple(documents))


def run_parts(manifest: Manifest) -> tuple[JsonObject, JsonObject | None]:
    """The Agent, and the Execution if one is there, of a file for `heliostat run`."""
    agents, executions = manifest.of(AGENT), manifest.of(EXECUTION)
    if len(agents) != 1 or len(executions) > 1:
        raise UsageError(
            f"{manifest.path} declares {len(agents)} Agents and {len(executions)} Executions",
            "`heliostat run` takes a file with one Agent and at most one Execution; "
            "`heliostat apply -f` takes any number.",
        )
    execution = executions[0] if executions else None
    if execution is not None:
        named = text(execution, "spec", "agentRef", "name")
        if named != text(agents[0], "metadata", "name"):
            raise UsageError(
                f"{manifest.path}: spec.agentRef.name of the Execution is {named!r}, which is not "
                "the Agent of the file",
                f"Set it to {text(agents[0], 'metadata', 'name')!r}.",
            )
    return agents[0], execution


class _Loader(yaml.SafeLoader):
    """Dates stay texts, as the API has them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_documents(path: Path) -> list[Document]:
    """The documents of a YAML file, whatever they are. Raises UsageError."""
    try:
        # _Loader is a SafeLoader
        found = list(yaml.load_all(path.read_text(encoding="utf-8"), _Loader))
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}", "Give the path of a YAML file."
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} is not valid YAML: {error}", "Fix that place.") from error
    documents = [each for each in found if each is not None]
    if not all(isinstance(each, dict) for each in documents):
        raise UsageError(f"{path} contains a document that is not a mapping", "See docs/cli.md.")
    return [json.loads(json.dumps(each)) for each in documents]  # keys become texts


def _check(path: Path, document: JsonObject) -> None:
    kind = _OURS.get(text(document, "kind"))
    if kind is None or document.get("apiVersion") != kind.api_version:
        raise UsageError(
            f"{path}: kind {document.get('kind')!r} of {document.get('apiVersion')!r} is not known",
            f"Set apiVersion: {AGENT.api_version} and kind: {' or '.join(_OURS)}.",
        )
    schema = resource_schemas()[kind.name]
    where = f"{path}: {kind.name} {text(document, 'metadata', 'name') or 'without a name'!r}"
    unknown = schema.unknown_fields(document)
    if unknown:
        raise UsageError(
            f"{where}: unknown field{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}",
            " ".join(suggest(schema, field) for field in unknown),
        )
    try:
        check_valid(kind, schema, schema.complete(copy_document(document)), None)
    except InvalidError as error:
        raise UsageError(f"{path}: {error}", "Fix the named field.") from error


def suggest(schema: Schema, field: str) -> str:
    """What may have been meant by an unknown field."""
    parent, _, name = field.rpartition(".")
    known = schema.known_fields(field)
    near = closest(name, known)
    if near:
        return f"Did you mean {f'{parent}.{near}' if parent else near}?"
    listed = ", ".join(known)
    place = parent or "the object"
    return f"{place} may have: {listed}." if listed else f"Take {field} out."
