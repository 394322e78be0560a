"""JSON documents that may be changed, and safe ways into them."""

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


def part(obj: JsonObject, *path: str) -> JsonObject:
    """The object at a path; empty when there is none."""
    for key in path:
        found = obj.get(key)
        if not isinstance(found, Mapping):
            return {}
        obj = found
    return obj


def text(obj: JsonObject, *path: str) -> str:
    """The text at a path; empty when there is none."""
    found = part(obj, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def number(obj: JsonObject, *path: str) -> int | None:
    """The whole number at a path."""
    found = part(obj, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def values(obj: JsonObject, *path: str) -> Sequence[JsonValue]:
    """The list at a path; empty when there is none."""
    found = part(obj, *path[:-1]).get(path[-1])
    return found if isinstance(found, Sequence) and not isinstance(found, str) else ()


def parts(obj: JsonObject, *path: str) -> Sequence[JsonObject]:
    """The objects of the list at a path."""
    return [each for each in values(obj, *path) if isinstance(each, Mapping)]


def texts(obj: JsonObject, *path: str) -> Sequence[str]:
    """The texts of the list at a path."""
    return [each for each in values(obj, *path) if isinstance(each, str)]
