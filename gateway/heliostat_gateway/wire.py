"""JSON and header shapes of the Messages API, as far as the gateway looks into them.

The gateway reads few fields and forwards all: whatever it does not know stays as it came.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import orjson
from pydantic import JsonValue

JsonObject: TypeAlias = dict[str, JsonValue]
Headers: TypeAlias = list[tuple[str, str]]

# RFC 9110 section 7.6.1: meant for one connection only, never forwarded.
HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_LONGEST_HEADER: Final = 500

# Ours or the server's own; a cookie would be the gateway's session, not the caller's.
_NOT_RELAYED: Final = frozenset({"content-length", "date", "server", "set-cookie"})


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


def header_text(text: str) -> str:
    """`text` as it may stand in a header: one line of printable ASCII, of a bounded length."""
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST_HEADER:
        return text.strip()
    shown = text.encode("ascii", "replace").decode()[:_LONGEST_HEADER]
    return "".join(char if char.isprintable() else "?" for char in shown).strip()


def relayed(headers: Headers) -> Headers:
    """A provider's headers as they go on to the caller, without those that the gateway sets."""
    return [(name, value) for name, value in headers if name not in _NOT_RELAYED]


def raw_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers for the wire; those of a provider as the bytes that they came as."""
    return [
        (name.encode("ascii", "replace"), value.encode("utf-8", "surrogateescape"))
        for name, value in headers
    ]


def end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """`headers` without those that concern one connection only."""
    kept = [(name.lower(), value) for name, value in headers]
    named = ",".join(value for name, value in kept if name == "connection")
    left_out = HOP_BY_HOP.union(token.strip().lower() for token in named.split(","))
    return [(name, value) for name, value in kept if name not in left_out]
