"""Agents as manifests: what is applied, what is exported, what is imported. Pure."""

from collections.abc import Mapping

import yaml
from pydantic import ValidationError

from heliostat_api.records.contents import Content, Spec, taken_apart, whole_spec
from heliostat_api.records.loading import ImportRefusedError, load_objects
from heliostat_core.agents import AgentSpec
from heliostat_core.worlds import AGENT, JsonObject

_ORDER = {field.alias: place for place, field in enumerate(AgentSpec.model_fields.values())}


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
    agents = [each for each in load_objects(text) if each.get("kind") == AGENT.name]
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
