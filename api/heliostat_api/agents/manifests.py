"""Agents as manifests: what is applied, what is exported, what is imported. Pure."""

import json
from collections.abc import Iterable, Mapping

import yaml
from pydantic import JsonValue, TypeAdapter, ValidationError

from heliostat_api.agents.contents import Content, Spec, taken_apart, whole_spec
from heliostat_core.agents import AgentSpec
from heliostat_core.worlds import AGENT, JsonObject

SPEC = TypeAdapter(dict[str, JsonValue])
_ORDER = {field.alias: place for place, field in enumerate(AgentSpec.model_fields.values())}


class ImportRefusedError(ValueError):
    """What was given is not one Agent; the text says what must be."""


class _Loader(yaml.SafeLoader):
    """Dates stay texts, as the API has them; aliases could make much of little."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ImportRefusedError("it has an alias (*name): write it out")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stay legible."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def build_manifest(
    content: Content, name: str, namespace: str, annotations: Mapping[str, str]
) -> JsonObject:
    """What is applied: active, and saying so, for a field that we set is one that we may unset."""
    return {
        "apiVersion": AGENT.api_version,
        "kind": AGENT.name,
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(annotations)},
        "spec": {**whole_spec(content), "suspend": False},
    }


def without_schedule(content: Content) -> Content:
    """The same, started by hand only."""
    spec = {key: value for key, value in content.spec.items() if key != "schedule"}
    return content.model_copy(update={"spec": spec})


def export_yaml(name: str, spec: Spec) -> str:
    """What `kubectl apply -f` takes, in any cluster and namespace."""
    ordered = dict(sorted(spec.items(), key=lambda each: _ORDER.get(each[0], len(_ORDER))))
    manifest = {
        "apiVersion": AGENT.api_version,
        "kind": AGENT.name,
        "metadata": {"name": name},
        "spec": ordered,
    }
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def import_yaml(text: str, name: str | None = None) -> Content:
    """The one Agent of a text, under its own name or another. Raises ImportRefusedError."""
    agents = [each for each in _load(text) if each.get("kind") == AGENT.name]
    if len(agents) != 1:
        raise ImportRefusedError(f"it declares {len(agents)} Agents: must be one")
    agent = agents[0]
    if agent.get("apiVersion") != AGENT.api_version:
        raise ImportRefusedError(f"apiVersion must be {AGENT.api_version}")
    metadata, spec = agent.get("metadata"), agent.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        raise ImportRefusedError("it must have metadata and spec")
    own = metadata.get("name")
    try:
        return taken_apart(name or (own if isinstance(own, str) else ""), spec)
    except ValidationError as error:
        faults = [f"{each['loc'][0]}: {each['msg']}" for each in error.errors()]
        raise ImportRefusedError("; ".join(faults)) from error


def _load(text: str) -> Iterable[dict[str, JsonValue]]:
    try:
        documents = list(yaml.load_all(text, _Loader))  # _Loader is a SafeLoader
        # Through JSON: keys become texts, and what JSON can't hold is refused.
        held = [json.loads(json.dumps(each, allow_nan=False)) for each in documents]
        return [SPEC.validate_python(each) for each in held if each is not None]
    except ImportRefusedError:
        raise
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise ImportRefusedError(f"it is not the YAML of a resource: {error}") from error
