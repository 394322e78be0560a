"""What `heliostat run` asks for: an Execution built from a file, an input and parameters."""

import secrets
import string
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from heliostat_cli.embedded.documents import Document, child, copy_document
from heliostat_cli.embedded.schemas import resource_schemas
from heliostat_cli.embedded.validation import check_valid
from heliostat_cli.errors import UsageError
from heliostat_core.names import child_name
from heliostat_core.reading import parts, text
from heliostat_core.worlds import EXECUTION, InvalidError, JsonObject

_SUFFIX = string.ascii_lowercase + string.digits
_MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")


def is_file_target(target: str) -> bool:
    """Whether FILE|AGENT names a file: no Agent's name has a slash or such an ending."""
    return target.endswith(_MANIFEST_SUFFIXES) or "/" in target or Path(target).is_file()


def read_input(given: str | None) -> str | None:
    """The text itself, or that of `@file`; `@-` is stdin."""
    if given is None or not given.startswith("@"):
        return given
    if given == "@-":
        return sys.stdin.read()
    path = Path(given[1:])
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--input: {path} can't be read: {error}",
            "Give a text, @FILE with a text file, or @- for stdin.",
        ) from error


def parse_parameters(given: Sequence[str]) -> Mapping[str, str]:
    """`NAME=VALUE`, the later one wins."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--parameter {each!r} is no NAME=VALUE", "Write for example region=EU."
            )
        found[name] = value
    return found


def new_suffix() -> str:
    """Five letters and digits, as Kubernetes puts behind generated names."""
    return "".join(secrets.choice(_SUFFIX) for _ in range(5))


def build_execution(
    agent: str,
    namespace: str,
    suffix: str,
    *,
    template: JsonObject | None = None,
    input_text: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> JsonObject:
    """A new Execution of `agent`: the template's spec, then what the command line says.

    Raises UsageError that names the field when the result is not valid.
    """
    spec = child(copy_document(template or {}), "spec")
    spec["agentRef"] = {"name": agent}
    spec["trigger"] = {"kind": "Command"}
    if input_text is not None:
        spec["input"] = input_text
    if parameters:
        before = {text(each, "name"): text(each, "value") for each in parts(spec, "parameters")}
        spec["parameters"] = [
            {"name": name, "value": value} for name, value in {**before, **parameters}.items()
        ]
    execution: Document = {
        "apiVersion": EXECUTION.api_version,
        "kind": EXECUTION.name,
        "metadata": {"name": child_name(agent, suffix), "namespace": namespace},
        "spec": spec,
    }
    schema = resource_schemas()[EXECUTION.name]
    try:
        check_valid(EXECUTION, schema, schema.complete(copy_document(execution)), None)
    except InvalidError as error:
        raise UsageError(str(error), "Fix --input or --parameter.") from error
    return execution
