"""What a screen hears of events that arrive: reports `execution.output`, bounded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.documents.lines import Line
from heliostat_api.events.log import Report, ReportType
from heliostat_core.keys import ExecutionClaims
from heliostat_core.worlds import JsonObject

EVENT_BYTES = 32 * 1024
"""A longer event is told by its beginning; the transcript has it whole."""
REPORT_BYTES = 64 * 1024
_HEAD = 1024


@dataclass(frozen=True)
class Output:
    """A report and the key by which its repetition is known."""

    report: Report
    key: str


def build_outputs(
    claims: ExecutionClaims, first: int, lines: Sequence[Line], now: datetime
) -> tuple[Output, ...]:
    """Each event in one report, in order. The same lines give the same keys."""
    return tuple(
        _output(claims, at, at + len(events), events, now) for at, events in _portions(first, lines)
    )


def build_gap(claims: ExecutionClaims, first: int, count: int, now: datetime) -> Output:
    """Events that are lost: one event stands for `count` of them."""
    lost: JsonObject = {"type": "heliostat", "subtype": "lost", "first": first, "count": count}
    return _output(claims, first, first + count, (lost,), now)


def build_pieces(claims: ExecutionClaims, events: Sequence[JsonObject], now: datetime) -> Report:
    """An answer while it comes."""
    return Report(
        ReportType.EXECUTION_PIECES,
        now,
        {"attempt": claims.attempt, "events": list(events)},
        claims.correlation_id,
        claims.execution_uid,
    )


def _output(
    claims: ExecutionClaims, first: int, end: int, events: Sequence[JsonObject], now: datetime
) -> Output:
    report = Report(
        ReportType.EXECUTION_OUTPUT,
        now,
        {"attempt": claims.attempt, "first": first, "events": list(events)},
        claims.correlation_id,
        claims.execution_uid,
    )
    return Output(report, f"{claims.execution_uid}/{claims.attempt}/{first}-{end}")


def _portions(first: int, lines: Sequence[Line]) -> Iterator[tuple[int, Sequence[JsonObject]]]:
    events: list[JsonObject] = []
    size = 0
    for number, line in enumerate(lines, first):
        length = len(line.text.encode())
        if events and size + min(length, EVENT_BYTES) > REPORT_BYTES:
            yield number - len(events), events
            events, size = [], 0
        events.append(line.event if length <= EVENT_BYTES else _cut(line, length))
        size += min(length, EVENT_BYTES)
    if events:
        yield first + len(lines) - len(events), events


def _cut(line: Line, length: int) -> JsonObject:
    head = line.text[:_HEAD]
    return {"type": "heliostat", "subtype": "cut", "bytes": length, "head": head}
