"""The result document: the runner's only word to the operator, at most 4096 bytes of valid JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from .guard.reports import Ask, GuardReport, Receipt
from .jsonvalue import JsonObject, dump
from .reasons import ENDINGS, Verdict

VERSION = 1
MAX_BYTES = 4096
_MAX_MESSAGE = 1024
_MAX_MARKER = 256
_SHOWN = 200
"""Characters of a text about an action."""
_NAME = 120
"""Bytes of a name about an action."""
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
    guard: GuardReport | None = None

    @property
    def exit_code(self) -> int:
        return ENDINGS[self.verdict.reason].exit_code


def encode_result(result: Result) -> bytes:
    """At most MAX_BYTES of UTF-8 JSON; the agent's words give way first, cut with a mark.

    Then it is the message, what an action gave and what it is called, and last the action itself:
    without it, it can only be denied.
    """
    for message, words, whole in _BOUNDS:
        verdict = replace(result.verdict, message=_cut(result.verdict.message, message))
        bounded = replace(result, verdict=verdict, text="")
        room = MAX_BYTES - len(_encode(_document(bounded, False, words, whole)))
        if room >= len(MARK.encode()):
            break
    text = _cut(result.text, room)
    cut = text != _clean(result.text)
    return _encode(_document(replace(bounded, text=text), cut, words, whole))


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


_BOUNDS = ((_MAX_MESSAGE, 600, True), (400, 200, True), (200, 60, True), (200, 60, False))
"""Of a message, of each text about an action, in bytes; and whether the action is there whole."""


def _document(result: Result, truncated: bool, words: int, whole: bool) -> JsonObject:
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
        **(_guard(result.guard, words, whole) if result.guard else {}),
    }


def _guard(report: GuardReport, words: int, whole: bool) -> JsonObject:
    """Members are there only where there is something to tell."""
    facts: JsonObject = {}
    if report.ask is not None:
        facts["ask"] = _ask(report.ask, words, whole)
    if report.receipts:
        facts["receipts"] = [_receipt(each, words) for each in report.receipts]
    if report.denied:
        facts["denied"] = report.denied
    if report.would_ask_count:
        facts["wouldAskCount"] = report.would_ask_count
        facts["wouldAsk"] = [
            {
                "tool": _cut(each.tool, _NAME),
                "class": each.action_class,
                "target": _cut(each.target, _NAME),
            }
            for each in report.would_ask
        ]
    return facts


def _ask(ask: Ask, words: int, whole: bool) -> JsonObject:
    inline = whole and ask.fits
    facts: JsonObject = {
        "toolUseId": ask.tool_use_id,
        "tool": _cut(ask.tool, _NAME),
        "digest": ask.digest,
        "complete": inline or ask.is_taken,
        "bytes": len(ask.canonical),
        "preview": _cut(ask.preview[:_SHOWN], words),
    }
    return facts | ({"action": ask.canonical.decode()} if inline else {})


def _receipt(receipt: Receipt, words: int) -> JsonObject:
    return {
        "approval": receipt.approval,
        "digest": receipt.digest,
        "outcome": receipt.outcome.value,
        "text": _cut(receipt.text[:_SHOWN], words),
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
