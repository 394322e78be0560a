"""JSON objects, and fields read from them with a fallback instead of an error.

The readers of model APIs look into few fields and pass all on: what they do not know stays as it
came.
"""

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import JsonValue

JsonObject: TypeAlias = dict[str, JsonValue]


def object_at(value: Mapping[str, JsonValue], name: str) -> JsonObject:
    """The object in field `name`; empty when it is missing or something else."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def list_at(value: Mapping[str, JsonValue], name: str) -> list[JsonValue]:
    """The list in field `name`; empty when it is missing or something else."""
    found = value.get(name)
    return found if isinstance(found, list) else []


def text_at(value: Mapping[str, JsonValue], name: str) -> str:
    """The text in field `name`; empty when it is missing or something else."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def count_at(value: Mapping[str, JsonValue], name: str) -> int:
    """The count in field `name`; zero when it is missing, null, negative or no integer."""
    found = value.get(name)
    return found if type(found) is int and found > 0 else 0
