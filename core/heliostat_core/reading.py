"""Safe ways into JSON objects."""

from collections.abc import Mapping, Sequence

from heliostat_core.worlds import JsonObject, JsonValue


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
