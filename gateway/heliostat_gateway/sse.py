"""Server-sent events read on their way: bytes in, whole events out, every byte kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# WHATWG: lines end in CRLF, LF or CR. A CR counts only once the next byte shows it is no CRLF.
_END_OF_LINE = rb"(?:\r\n|\n|\r(?=[^\n]))"
_BLANK_LINE = re.compile(_END_OF_LINE + _END_OF_LINE)
_LINES = re.compile(rb"\r\n|\n|\r")
_LONGEST_END = 4


class EventTooLongError(Exception):
    """An event that is longer than the reader may hold."""


@dataclass(frozen=True)
class Event:
    """One event: the bytes as they came, blank line included, and what they say."""

    raw: bytes
    name: str
    data: bytes


class EventReader:
    """Splits a byte stream into events. Holds at most one unfinished event."""

    def __init__(self, longest: int = 32 * 1024 * 1024) -> None:
        self._held = bytearray()
        self._longest = longest

    @property
    def held(self) -> bytes:
        """Bytes of the event that has not ended yet."""
        return bytes(self._held)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Events that `chunk` completes. Raises EventTooLongError."""
        searched = max(0, len(self._held) - _LONGEST_END)
        self._held += chunk
        start = 0
        while found := _BLANK_LINE.search(self._held, max(start, searched)):
            yield _event(bytes(self._held[start : found.end()]))
            start = found.end()
        del self._held[:start]
        if len(self._held) > self._longest:
            raise EventTooLongError(f"An event of the stream is longer than {self._longest} bytes.")


def _event(raw: bytes) -> Event:
    name = ""
    data: list[bytes] = []
    for line in _LINES.split(raw):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    return Event(raw, name, b"\n".join(data))
