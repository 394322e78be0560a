"""JSON objects: read from bytes and written fast, their fields read with a fallback, not an error.

The readers of model APIs look into few fields and pass all on: what they do not know stays as it
came.
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

import orjson
from pydantic import JsonValue

JsonObject: TypeAlias = dict[str, JsonValue]


def parse_object(body: bytes) -> JsonObject | None:
    """The JSON object in `body`, or None when there is none."""
    try:
        value: JsonValue = orjson.loads(body)
    except ValueError:
        value = _parse_strange(body)
    return value if isinstance(value, dict) else None


def _parse_strange(body: bytes) -> JsonValue:
    """What the fast parser refuses and clients may send: huge integers, NaN, half surrogates."""
    try:
        value: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


def dump_object(value: Mapping[str, JsonValue]) -> bytes:
    """Compact JSON, as the real API writes it."""
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits, or half of a surrogate pair
        return _dump_strange(value)


def _dump_strange(value: Mapping[str, JsonValue]) -> bytes:
    """What the fast writer refuses; half a surrogate pair can only be said escaped."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def dump_line(line: dict[str, object]) -> bytes:
    """A line as JSON, without its end; what is no JSON is written as its text."""
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z)
    except TypeError:  # half of a surrogate pair: no UTF-8 says it
        texts = {name: repr(value) for name, value in line.items()}
        return orjson.dumps(texts, option=orjson.OPT_UTC_Z)


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
