"""The result document: the runner's only word to the operator, at most 4096 bytes of valid JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from .jsonvalue import JsonObject, dump
from .reasons import ENDINGS, Verdict

VERSION = 1
MAX_BYTES = 4096
_MAX_MESSAGE = 1024
_MAX_MARKER = 256
MARK = "…"


@dataclass(frozen=True)
class Usage:
    """Tokens. The pod's word: the ledger of the gateway is what counts."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    def plus(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


@dataclass(frozen=True)
class TranscriptRecord:
    path: str
    lines: int = 0
    bytes: int = 0
    marker: str | None = None
    """The line after which stdout stays silent, None while it is complete."""


@dataclass(frozen=True)
class Result:
    verdict: Verdict
    start: datetime
    end: datetime
    text: str = ""
    session_id: str | None = None
    resumed: bool = False
    turns: int = 0
    second_attempts: int = 0
    usage: Usage = field(default_factory=Usage)
    transcript: TranscriptRecord | None = None

    @property
    def exit_code(self) -> int:
        return ENDINGS[self.verdict.reason].exit_code


def encode_result(result: Result) -> bytes:
    """At most MAX_BYTES of UTF-8 JSON; the agent's words give way first, cut with a mark."""
    verdict = replace(result.verdict, message=_cut(result.verdict.message, _MAX_MESSAGE))
    frame = _document(replace(result, verdict=verdict, text=""), truncated=False)
    room = MAX_BYTES - len(_encode(frame))
    text = _cut(result.text, room)
    return _encode(
        _document(replace(result, verdict=verdict, text=text), text != _clean(result.text))
    )


def write_result(path: Path, data: bytes) -> None:
    """One write call of one page into an empty file: a crash leaves nothing or all of it.

    Not by renaming: the termination message of a container is a mounted file.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if os.write(handle, data) != len(data):
            os.ftruncate(handle, 0)  # half a document would be taken for a broken one
    finally:
        os.close(handle)


def _document(result: Result, truncated: bool) -> JsonObject:
    ending = ENDINGS[result.verdict.reason]
    return {
        "version": VERSION,
        "outcome": "Failed" if ending.cause else "Succeeded",
        "reason": result.verdict.reason.value,
        "cause": ending.cause.value if ending.cause else None,
        "message": result.verdict.message,
        "result": result.text,
        "truncated": truncated,
        "sessionId": result.session_id,
        "resumed": result.resumed,
        "turns": result.turns,
        "secondAttempts": result.second_attempts,
        "usage": {
            "inputTokens": result.usage.input,
            "outputTokens": result.usage.output,
            "cacheReadTokens": result.usage.cache_read,
            "cacheWriteTokens": result.usage.cache_write,
        },
        "transcript": _transcript(result.transcript),
        "startTime": _instant(result.start),
        "endTime": _instant(result.end),
    }


def _transcript(record: TranscriptRecord | None) -> JsonObject | None:
    if record is None:
        return None
    marker = None if record.marker is None else _cut(record.marker, _MAX_MARKER)
    return {
        "path": _cut(record.path, _MAX_MARKER),
        "lines": record.lines,
        "bytes": record.bytes,
        "stdoutCut": marker is not None,
        "marker": marker,
    }


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clean(text: str) -> str:
    """Lone surrogates have no UTF-8."""
    return text.encode(errors="replace").decode()


def _encode(document: JsonObject) -> bytes:
    return dump(document).encode()


def _size(text: str) -> int:
    """Bytes in JSON without the quotes: a control character takes six."""
    return len(dump(text).encode()) - 2


def _cut(text: str, room: int) -> str:
    """The longest beginning that takes at most `room` bytes in JSON, the mark included."""
    text = _clean(text[: room + 1])  # a character takes at least one byte
    if _size(text) <= room:
        return text
    low, high = 0, min(len(text), room)
    while low < high:
        middle = (low + high + 1) // 2
        if _size(text[:middle] + MARK) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low] + MARK
