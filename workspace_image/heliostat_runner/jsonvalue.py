"""JSON as a type, and looking into it without trusting its shape."""

from __future__ import annotations

import json

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]


def load(text: str | bytes) -> JsonValue:
    """Raises ValueError for what is not JSON."""
    try:
        value: JsonValue = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return value


def dump(value: JsonValue) -> str:
    """Compact, one line, real characters instead of escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def look(value: JsonValue, *path: str) -> JsonValue:
    """The value at the path of member names, None when there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_at(value: JsonValue, *path: str) -> str:
    found = look(value, *path)
    return found if isinstance(found, str) else ""


def count_at(value: JsonValue, *path: str) -> int:
    """A whole number of at least 0, else 0."""
    found = look(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0


def objects_at(value: JsonValue, *path: str) -> list[JsonObject]:
    found = look(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
