"""JSON from bytes and to bytes: the fast parser and writer, and the standard ones for the rest."""

import json
from collections.abc import Mapping

import orjson
from pydantic import JsonValue

from heliostat_json.objects import JsonObject


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
