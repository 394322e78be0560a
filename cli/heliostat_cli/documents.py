"""Objects as documents: JSON, YAML, names."""

import json
from collections.abc import Sequence
from enum import StrEnum

import yaml

from heliostat_cli.embedded.documents import Document, child, copy_document
from heliostat_cli.kinds import object_name
from heliostat_core.crds import Resource
from heliostat_core.reading import text
from heliostat_core.worlds import JsonObject


class Output(StrEnum):
    """What `-o` takes."""

    JSON = "json"
    YAML = "yaml"
    WIDE = "wide"
    NAME = "name"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, lists without anchors."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def shown(obj: JsonObject) -> Document:
    """As kubectl shows an object: without the list of field managers."""
    document = copy_document(obj)
    child(document, "metadata").pop("managedFields", None)
    return document


def as_list(objects: Sequence[JsonObject]) -> Document:
    """Several objects as one document, in kubectl's own shape."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "metadata": {"resourceVersion": ""},
        "items": [shown(each) for each in objects],
    }


def render_document(document: Document, output: Output) -> str:
    if output is Output.JSON:
        return json.dumps(document, indent=4, ensure_ascii=False)
    return yaml.dump(document, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=100)


def render_names(resource: Resource, objects: Sequence[JsonObject]) -> str:
    return "\n".join(object_name(resource, text(each, "metadata", "name")) for each in objects)
