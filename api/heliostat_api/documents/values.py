"""Values of fields: what both stores accept, and how a value is written as JSON.

An instant is `{"$time": "2026-11-05T09:00:00.000000+00:00"}`; a map that looks like one of our
marks is wrapped as `{"$map": {...}}`. Fields that somebody else may have written are read by the
functions `..._in`: what is missing or odd becomes a default.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from heliostat_api.documents.port import Fields, StoreError, Value

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

TIME: Final = "$time"
LIST: Final = "$list"
MAP: Final = "$map"
_MARKS: Final = {TIME, LIST, MAP}
_DEEPEST: Final = 20
_MOST_NAME_BYTES: Final = 1500
_RESERVED = re.compile(r"__.*__", re.DOTALL)
_INTEGERS = range(-(2**63), 2**63)


class FieldError(StoreError):
    """A value that can't be stored; the text names the field and what it must be."""

    def __init__(self, field: str, must: str) -> None:
        super().__init__(f"field {field!r} {must}")
        self.field = field


def normalised(fields: Fields) -> dict[str, Value]:
    """The same with plain dicts and lists and instants in UTC. Raises FieldError."""
    return _normalised_map(fields, "", 0)


def is_mark(value: Mapping[str, Value]) -> bool:
    """Whether a map would be taken for one of our marks."""
    return len(value) == 1 and next(iter(value)) in _MARKS


def to_json(value: Value) -> str:
    """Minified. Takes normalised values."""
    return json.dumps(_encoded(value), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Value:
    """What `to_json` was given. Raises ValueError."""
    loaded: Json = json.loads(text)
    return _decoded(loaded)


def fields_from_json(text: str) -> dict[str, Value]:
    """A whole document. Raises ValueError."""
    loaded: dict[str, Json] = json.loads(text)
    return {name: _decoded(value) for name, value in loaded.items()}


def fields_to_json(fields: Mapping[str, Value]) -> str:
    """A whole document; its names are never taken for marks."""
    encoded = {name: _encoded(value) for name, value in fields.items()}
    return json.dumps(encoded, ensure_ascii=False, separators=(",", ":"))


def text_in(fields: Fields, name: str) -> str:
    """Text as it is, anything else as JSON, nothing as an empty text."""
    value = fields.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value)


def count_in(fields: Fields, *names: str) -> int:
    """The first of these fields that is a number; 0 without one."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return int(value)
    return 0


def instant_in(fields: Fields, name: str) -> datetime | None:
    """An instant, also one that is written as text (RFC 3339)."""
    value = fields.get(name)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def map_in(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return value if isinstance(value, Mapping) else {}


def maps_in(fields: Fields, name: str) -> tuple[Fields, ...]:
    """The maps of a list."""
    value = fields.get(name)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(each for each in value if isinstance(each, Mapping))


def _normalised(value: Value, field: str, depth: int) -> Value:
    if depth > _DEEPEST:
        raise FieldError(field, f"is nested deeper than {_DEEPEST} levels: store it as JSON text")
    if isinstance(value, str):
        return _text(value, field)
    if isinstance(value, Mapping):
        return _normalised_map(value, field, depth)
    if isinstance(value, Sequence):
        return [_normalised(each, field, depth + 1) for each in value]
    return _scalar(value, field)


def _normalised_map(value: Mapping[str, Value], field: str, depth: int) -> dict[str, Value]:
    return {
        _name(name, field): _normalised(each, f"{field}.{name}" if field else name, depth + 1)
        for name, each in value.items()
    }


def _scalar(value: float | datetime | None, field: str) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return _instant(value, field)
    if isinstance(value, int):
        if value not in _INTEGERS:
            raise FieldError(field, "must be an integer of 64 bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FieldError(field, "must be a finite number")
        return value
    raise FieldError(field, f"is a {type(value).__name__}, which no store can hold")


def _instant(value: datetime, field: str) -> datetime:
    if value.tzinfo is None:
        raise FieldError(field, "must be an instant with a time zone")
    try:
        return datetime.fromtimestamp(0, UTC) + (value - datetime.fromtimestamp(0, UTC))
    except OverflowError as error:
        raise FieldError(field, "must be an instant of the years 1 to 9999 in UTC") from error


def _text(value: str, field: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FieldError(field, "must be text that UTF-8 can hold") from error
    return str(value)


def _name(name: str, field: str) -> str:
    within = f"{field}.{name}" if field else name
    size = len(_text(name, within).encode())
    if not 0 < size <= _MOST_NAME_BYTES or _RESERVED.fullmatch(name):
        raise FieldError(
            within, f"must have a name of 1 to {_MOST_NAME_BYTES} bytes, not of the form '__name__'"
        )
    return str(name)


def _encoded(value: Value) -> Json:
    if isinstance(value, datetime):
        return {TIME: value.isoformat(timespec="microseconds")}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        encoded: dict[str, Json] = {name: _encoded(each) for name, each in value.items()}
        return {MAP: encoded} if is_mark(value) else encoded
    return [_encoded(each) for each in value]


def _decoded(value: Json) -> Value:
    if isinstance(value, list):
        return [_decoded(each) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$time": str(instant)} if len(value) == 1:
            return datetime.fromisoformat(instant)
        case {"$map": dict(wrapped)} if len(value) == 1:
            return {name: _decoded(each) for name, each in wrapped.items()}
    return {name: _decoded(each) for name, each in value.items()}
