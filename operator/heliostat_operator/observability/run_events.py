"""Run events tell what a run reached with a write of its status, in metrics, traces and the log."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from heliostat_core.executions import Attempt, Execution, compute_phase
from heliostat_core.money import format_micros
from heliostat_operator.model.indexes import admitted_time

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Admitted:
    """It may start, after so long in the queue."""

    waited_seconds: float


@dataclass(frozen=True)
class Started:
    """Its first container runs, so long after the admission."""

    after_seconds: float


@dataclass(frozen=True)
class AttemptEnded:
    """One attempt is over."""

    attempt: Attempt


@dataclass(frozen=True)
class Finished:
    """It ended for ever. `ran_seconds` of its containers; None: it never had one."""

    phase: str
    reason: str
    ran_seconds: int | None


@dataclass(frozen=True)
class Settled:
    """Its cost is final."""

    cost_micros: int


RunEvent: TypeAlias = Admitted | Started | AttemptEnded | Finished | Settled


def run_events(before: Execution, after: Execution) -> Iterator[RunEvent]:
    """In the order of a run's life. A status that was written twice reaches nothing twice."""
    status = after.status
    if after.is_admitted and not before.is_admitted:
        yield Admitted(_between(after.metadata.creation_timestamp, admitted_time(after)))
    if status.start_time and not before.status.start_time:
        yield Started(_between(admitted_time(after), status.start_time))
    over = {each.number for each in before.status.attempts if each.is_over}
    for attempt in status.attempts:
        if attempt.is_over and attempt.number not in over:
            yield AttemptEnded(attempt)
    if after.is_finished and not before.is_finished:
        ran = (status.duration_seconds or 0) if status.start_time else None
        yield Finished(compute_phase(after).value, after.finished_reason, ran)
    if after.is_settled and not before.is_settled:
        yield Settled(status.cost_micros)


def _between(earlier: datetime | None, later: datetime | None) -> float:
    """Never below 0: the two may be of different clocks."""
    if earlier is None or later is None:
        return 0.0
    return max(0.0, (later - earlier).total_seconds())


def log_run_events(before: Execution, after: Execution) -> None:
    """Logs what a run reached with a write of its status; the lines' subject is the run."""
    for each in run_events(before, after):
        logger.info("%s", describe(each))


def describe(reached: RunEvent) -> str:
    """Says it in words, without anything that an agent or a model said."""
    match reached:
        case Admitted(waited_seconds=seconds):
            return f"admitted after {seconds:.0f} s"
        case Started(after_seconds=seconds):
            return f"its container runs, {seconds:.0f} s after the admission"
        case AttemptEnded(attempt=attempt):
            cause = f", caused by {attempt.cause}" if attempt.cause else ""
            return f"attempt {attempt.number} ended: {attempt.reason}{cause}"
        case Finished(phase=phase, reason=reason, ran_seconds=seconds):
            ran = "it never ran" if seconds is None else f"after {seconds} s of running"
            return f"finished: {phase}, {reason}, {ran}"
        case Settled(cost_micros=cost):
            return f"its cost is final: {format_micros(cost)}"
