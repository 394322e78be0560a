"""Lets a run go that has ended: before anybody forgets it, its keys are dead, its money settled."""

from datetime import datetime

from heliostat_core.conditions import ExecutionCondition, is_true
from heliostat_core.executions import Attempt, Execution, ExecutionStatus
from heliostat_core.names import FINISHED_LABEL, RUN_FINALIZER
from heliostat_operator.gateway.ledgers import LedgerSum
from heliostat_operator.model.effects import ReleaseExecution
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.leftover_jobs import leftover_job
from heliostat_operator.runs.status import Stamp, compute_settled
from heliostat_operator.runs.stops import is_stopped, live_keys
from heliostat_operator.settings import OperatorSettings

_SOON = 1.0
_LONGEST = 30.0


def decide_finished(
    execution: Execution, ledger: LedgerSum | None, stamp: Stamp, settings: OperatorSettings
) -> Decision:
    """Wants dead keys and settled money, then lets go. Nothing else of the status changes."""
    status = execution.status
    is_deleted = execution.metadata.deletion_timestamp is not None
    if not execution.is_settled and not is_deleted:  # it goes with its finalizer, unread
        status = compute_settled(status, stamp, ledger)
    job = leftover_job(execution, stamp.now, settings)
    open_keys = live_keys(status.attempts, stamp.now)
    if open_keys:
        return Decision(status, (*open_keys, *job.effects), _patience(status, stamp.now))
    # What is marked is listed by no operator that starts later: its money would never settle. So
    # Settled is written first, and the mark follows in a step of its own.
    if not execution.is_settled and not is_deleted:
        is_settled = is_true(status.conditions, ExecutionCondition.SETTLED)
        again = 0 if is_settled else _patience(status, stamp.now)
        return Decision(status, job.effects, again)
    if job.stays_seconds:
        return Decision(status, again_after=job.stays_seconds)
    held = RUN_FINALIZER in execution.metadata.finalizers
    marked = execution.metadata.labels.get(FINISHED_LABEL) == "true"
    if not held and marked:
        return Decision(status)
    return Decision(status, (*job.effects, ReleaseExecution(_to_mark(execution))))


def _to_mark(execution: Execution) -> tuple[Attempt, ...]:
    """Finds whose Jobs and pods stay, to be marked. Those of a run that is deleted go with it, and
    those of an attempt that was stopped are gone."""
    status = execution.status
    if execution.metadata.deletion_timestamp is not None:
        return ()
    return tuple(each for each in status.attempts if not is_stopped(each, status.cancellation))


def _patience(status: ExecutionStatus, now: datetime) -> float:
    """Often at first, then less: a gateway that is away for an hour is not asked in vain by all."""
    ended = status.completion_time or now
    return min(max(_SOON, (now - ended).total_seconds() / 4), _LONGEST)
