"""What arrives as JSON lines, read without trusting it: a line is always one event."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from heliostat_core.worlds import JsonObject

_HEAD = 1024
_HUGE = re.compile(r"[0-9][eE]\+?[0-9]{3}|[0-9]{300}")
"""What a number that no float can hold looks like; in a text it means nothing."""


@dataclass(frozen=True)
class Line:
    """One event. `text` is JSON without line breaks, as it arrived where that was possible."""

    text: str
    event: JsonObject


def read_lines(body: bytes) -> tuple[Line, ...]:
    """As many as there are line breaks, and one more for an end without."""
    return tuple(_read_line(raw) for raw in _split(body))


def _split(body: bytes) -> Iterator[bytes]:
    lines = body.split(b"\n")
    return iter(lines if lines[-1] else lines[:-1])


def _read_line(raw: bytes) -> Line:
    try:
        return _parse(raw.decode())
    except ValueError:
        return _repaired(raw)


def _parse(text: str) -> Line:
    """Raises ValueError for what is no JSON object, or would be none when it is written again."""
    event = from_json(text, allow_inf_nan=False)
    if not isinstance(event, dict):
        raise ValueError("no object")
    if _HUGE.search(text):
        json.dumps(event, allow_nan=False)  # 1e999 is read as infinite
    return Line(text, event)


def _repaired(raw: bytes) -> Line:
    """Half a surrogate pair, which programs in JavaScript write when they cut a text."""
    try:
        whole = json.dumps(json.loads(raw), ensure_ascii=False)
        return _parse(whole.encode(errors="replace").decode())
    except (ValueError, RecursionError):
        return _unreadable(raw)


def _unreadable(raw: bytes) -> Line:
    """It keeps its place: sequence numbers are places."""
    head = raw[:_HEAD].decode(errors="replace")
    event: JsonObject = {
        "type": "heliostat",
        "subtype": "unreadable",
        "bytes": len(raw),
        "head": head,
    }
    return Line(json.dumps(event, ensure_ascii=False), event)
