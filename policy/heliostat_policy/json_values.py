"""JSON as a type, and its one byte form."""

import json
from collections.abc import Mapping
from typing import Final

import rfc8785

_MOST_INTEGER: Final = 2**53 - 1
_LEAST_EXPONENT: Final = 1e21
"""From here on a float is written with an exponent."""

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]


class NotCanonical(ValueError):
    """Says why a value has no canonical form, or why bytes are none."""


def dump_canonical(value: JsonValue | Mapping[str, JsonValue]) -> bytes:
    """Writes RFC 8785. Raises NotCanonical for NaN, integers beyond 2^53 and half surrogates."""
    try:
        _refuse_unsafe_floats(value)
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise NotCanonical(str(error)) from error
    except (UnicodeEncodeError, RecursionError) as error:
        raise NotCanonical("half of a surrogate pair, or nested too deep") from error


def _refuse_unsafe_floats(value: JsonValue | Mapping[str, JsonValue]) -> None:
    """Raises NotCanonical for a float that would be written as an integer that is refused."""
    if isinstance(value, float):
        if value.is_integer() and _MOST_INTEGER < abs(value) < _LEAST_EXPONENT:
            raise NotCanonical(f"{value} exceeds 2^53 - 1")
    elif isinstance(value, Mapping):
        for each in value.values():
            _refuse_unsafe_floats(each)
    elif isinstance(value, list):
        for each in value:
            _refuse_unsafe_floats(each)


def load_canonical(data: bytes) -> JsonObject:
    """Reads an object. Raises NotCanonical unless the bytes are exactly its canonical form."""
    try:
        value: JsonValue = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("not JSON") from error
    if not isinstance(value, dict):
        raise NotCanonical("not an object")
    if dump_canonical(value) != data:
        raise NotCanonical("not in canonical form")
    return value
