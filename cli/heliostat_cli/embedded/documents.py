"""JSON documents that may be changed."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from heliostat_core.worlds import JsonObject, JsonValue

DocumentValue: TypeAlias = (
    "dict[str, DocumentValue] | list[DocumentValue] | str | int | float | bool | None"
)
Document: TypeAlias = dict[str, "DocumentValue"]


def copy_value(value: JsonValue) -> DocumentValue:
    """A deep copy that may be changed."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {key: copy_value(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [copy_value(each) for each in value]
    return value


def copy_document(obj: JsonObject) -> Document:
    """A deep copy that may be changed."""
    return {key: copy_value(value) for key, value in obj.items()}


def child(document: Document, key: str) -> Document:
    """The object under `key`, made when it is not there."""
    found = document.get(key)
    if not isinstance(found, dict):
        found = {}
        document[key] = found
    return found
