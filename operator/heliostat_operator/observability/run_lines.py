"""The life of a run in the log: a line for each thing that it reached."""

import logging

from heliostat_core.executions import Execution
from heliostat_core.money import format_micros
from heliostat_operator.observability.run_events import (
    Admitted,
    AttemptEnded,
    Finished,
    RunEvent,
    Settled,
    Started,
    run_events,
)

logger = logging.getLogger(__name__)


def tell_in_lines(before: Execution, after: Execution) -> None:
    """The status of a run was written; the lines' subject is the run."""
    for each in run_events(before, after):
        logger.info("%s", describe(each))


def describe(reached: RunEvent) -> str:
    """In words, without anything that an agent or a model said."""
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
