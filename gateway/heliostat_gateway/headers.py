"""HTTP headers: which of them the gateway passes on, and how they are written."""

from collections.abc import Iterable
from typing import Final, TypeAlias

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
    left_out = HOP_BY_HOP
    for name, value in kept:
        if name == "connection":
            left_out = left_out.union(token.strip().lower() for token in value.split(","))
    return [(name, value) for name, value in kept if name not in left_out]
