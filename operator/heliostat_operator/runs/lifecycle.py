"""What to do about an Execution: pure, total, with the clock passed in.

`decide` may be asked at any time, any number of times, from any state. It writes its intent into
the status before the effect: an attempt is recorded first and its Job made afterwards under a name
that follows from the record, so that no crash and no second operator starts it twice.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import (
    Attempt,
    BlockedBy,
    Cancellation,
    Execution,
    ExecutionStatus,
    compute_phase,
)
from heliostat_core.names import FIELD_MANAGER
from heliostat_core.resources import ManagedFields, ObjectMeta
from heliostat_operator.model.effects import (
    RevokeKey,
    StartAttempt,
)
from heliostat_operator.runs.admission import (
    NAMESPACE_TERMINATING,
    block_of,
    decide_admission,
    slot_block,
    slot_patience,
)
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.diagnosis import diagnose
from heliostat_operator.runs.facts import Diagnosis, Ended, Facts, Runs, Waits
from heliostat_operator.runs.leftover_jobs import delete_job
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.releases import decide_finished
from heliostat_operator.runs.retries import Finish, TryAgain, next_step
from heliostat_operator.runs.status import (
    Stamp,
    closed_attempt,
    compute_active,
    compute_finished,
    compute_running,
    compute_starting,
    new_attempt,
    start_seconds_left,
    used_seconds,
    with_attempt,
    with_blocks,
    with_facts,
    with_ledger,
    with_result,
    with_start,
)
from heliostat_operator.runs.stops import (
    compute_late_start,
    decide_stop,
    live_keys,
)
from heliostat_operator.runs.waits import is_explained
from heliostat_operator.settings import OperatorSettings

# The runner enforces the clock itself; the operator steps in when it did not.
_CLOCK_SLACK_SECONDS = 2
_SOON = 1.0
_WAITING = 30.0
_TOLD = 120.0


def decide(
    execution: Execution, seen: Observation, now: datetime, settings: OperatorSettings
) -> Decision:
    """The one place where the course of a run is decided."""
    now = now.replace(microsecond=0)
    stamp = Stamp(now, execution.metadata.generation)
    status = execution.status.model_copy(
        update={
            "observed_generation": execution.metadata.generation,
            "correlation_id": execution.correlation_id,
        }
    )
    current = execution.model_copy(update={"status": with_ledger(status, seen.ledger)})
    decision = _decide(current, seen, stamp, settings)
    return replace(decision, status=_with_phase(execution, decision.status))


def _with_phase(execution: Execution, status: ExecutionStatus) -> ExecutionStatus:
    phase = compute_phase(execution.model_copy(update={"status": status}))
    return status.model_copy(update={"phase": phase.value})


def _decide(
    execution: Execution, seen: Observation, stamp: Stamp, settings: OperatorSettings
) -> Decision:
    if execution.is_finished:
        return decide_finished(execution, seen.ledger, stamp, settings)
    status = compute_active(execution.status, stamp)
    stop = compute_stop(execution, seen, stamp.now, settings)
    if stop is not None:
        return decide_stop(execution, status, seen.facts, stop, stamp, seen.ledger)
    if not execution.is_admitted:
        return decide_admission(execution, status, seen, stamp, settings)
    return _decide_attempt(execution, status, seen, stamp, settings)


# ---- stops --------------------------------------------------------------------------------------


def compute_stop(
    execution: Execution, seen: Observation, now: datetime, settings: OperatorSettings
) -> Cancellation | None:
    """Why the run has to stop, or None. What was noticed once stays."""
    status = execution.status
    if status.cancellation is not None:
        return status.cancellation
    meta = execution.metadata
    if meta.deletion_timestamp is not None:
        return Cancellation(
            time=now, reason=FinishedReason.DELETED, message="The Execution was deleted."
        )
    if execution.spec.cancel:
        by = manager_of_cancel(meta)
        words = f"spec.cancel was set by {by!r}." if by else "spec.cancel was set."
        return Cancellation(time=now, by=by, reason=FinishedReason.CANCELLED, message=words)
    attempt = execution.current_attempt
    if attempt and seen.frozen and not start_seconds_left(attempt, seen.facts, seen.frozen, now):
        late = compute_late_start(execution, seen.facts, seen.frozen, now)
        if late is not None:
            return late
    return _clock_ran_out(execution, seen.facts, now, settings)


def manager_of_cancel(meta: ObjectMeta) -> str:
    """The field manager that owns spec.cancel, the latest one if several do."""
    owners = [each for each in meta.managed_fields if _owns_cancel(each)]
    owners.sort(key=lambda each: each.time.timestamp() if each.time else 0.0)
    return owners[-1].manager if owners else ""


def _owns_cancel(entry: ManagedFields) -> bool:
    spec = entry.fields_v1.get("f:spec")
    return isinstance(spec, dict) and "f:cancel" in spec


def _clock_ran_out(
    execution: Execution, facts: Facts, now: datetime, settings: OperatorSettings
) -> Cancellation | None:
    """The runner may wait for the api when its work is done: that must not end it as late."""
    attempt, timeout = execution.current_attempt, execution.status.timeout
    running = facts.pod.container.running if facts.pod else None
    if attempt is None or attempt.is_over or timeout is None or running is None:
        return None
    started = running.started_at or now
    used = used_seconds(execution.status.attempts) + (now - started).total_seconds()
    wait = settings.delivery_seconds if settings.api_url else 0
    if used < timeout.effective_seconds + _CLOCK_SLACK_SECONDS + wait:
        return None
    return Cancellation(
        time=now,
        by=FIELD_MANAGER,
        reason=FinishedReason.TIMED_OUT,
        message=f"The run used its {timeout.effective_seconds} s. Raise limits.timeoutSeconds.",
    )


# ---- attempts -----------------------------------------------------------------------------------


def _decide_attempt(
    execution: Execution,
    status: ExecutionStatus,
    seen: Observation,
    stamp: Stamp,
    settings: OperatorSettings,
) -> Decision:
    attempt = execution.current_attempt
    if attempt is None or seen.frozen is None:
        # Admitted without a record can't come from us; say so instead of guessing.
        lost = Cancellation(
            time=stamp.now,
            by=FIELD_MANAGER,
            reason=FinishedReason.POD_LOST,
            message="The record of this admitted run is not whole. Make a new Execution.",
        )
        return decide_stop(execution, status, seen.facts, lost, stamp, seen.ledger)
    if attempt.is_over:
        return _decide_next(execution, status, attempt, seen, stamp, settings)
    if not _was_started(attempt, seen.facts):
        return _start(status, attempt, seen, stamp)
    attempt = with_facts(attempt, seen.facts)
    return _follow(execution, status, attempt, seen, stamp, settings)


def _was_started(attempt: Attempt, facts: Facts) -> bool:
    """Whether its Job was ever made: names are written late, and a Job may be deleted before."""
    recorded = attempt.job_uid is not None or attempt.pod_name is not None
    return recorded or facts.job is not None or facts.pod is not None


def _start(status: ExecutionStatus, attempt: Attempt, seen: Observation, stamp: Stamp) -> Decision:
    assert seen.frozen is not None
    wait = min(_WAITING, start_seconds_left(attempt, seen.facts, seen.frozen, stamp.now))
    if seen.terminating:
        return Decision(with_blocks(status, NAMESPACE_TERMINATING), again_after=wait)
    if seen.vaulted.problem is not None:
        return Decision(with_blocks(status, block_of(seen.vaulted.problem)), again_after=wait)
    effective = seen.frozen.limits.timeout_seconds
    volume = seen.frozen.workspace.storage.type == "Volume"
    start = StartAttempt(
        attempt=attempt,
        frozen=seen.frozen,
        timeout_seconds=max(1, effective - used_seconds(status.attempts)),
        resume_session=attempt.session_id if volume and attempt.number > 1 else None,
        charge=seen.charge,
        secrets=seen.vaulted.values,
    )
    return Decision(compute_starting(status, stamp), (start,), wait)


def _follow(
    execution: Execution,
    status: ExecutionStatus,
    attempt: Attempt,
    seen: Observation,
    stamp: Stamp,
    settings: OperatorSettings,
) -> Decision:
    """A Job was made: watch its pod until the attempt has ended."""
    diagnosis: Diagnosis = diagnose(seen.facts)
    if isinstance(diagnosis, Waits) and seen.facts.secret_is_missing:
        return _start(with_attempt(status, attempt), attempt, seen, stamp)  # makes what is missing
    if isinstance(diagnosis, Waits):
        status = compute_running(with_attempt(status, attempt), stamp, None)
        block = BlockedBy(reason=diagnosis.reason, message=diagnosis.message[:1024])
        assert seen.frozen is not None
        left = start_seconds_left(attempt, seen.facts, seen.frozen, stamp.now)
        return Decision(with_blocks(status, block), again_after=min(_patience_with(seen), left))
    if isinstance(diagnosis, Runs):
        attempt = attempt.model_copy(update={"start_time": diagnosis.started})
        status = compute_running(with_attempt(status, attempt), stamp, diagnosis.started)
        left = time_left(status, attempt, stamp.now)
        return Decision(status, again_after=max(_SOON, min(left, settings.usage_seconds)))
    return _close(execution, status, attempt, diagnosis, seen, stamp, settings)


def _patience_with(seen: Observation) -> float:
    """The watch tells when a pod that says itself why it waits says something else."""
    pod = seen.facts.pod
    return _TOLD if pod is not None and is_explained(pod) else _WAITING


def time_left(status: ExecutionStatus, attempt: Attempt, now: datetime) -> float:
    """Seconds of the run's one clock that are left while this attempt runs."""
    effective = status.timeout.effective_seconds if status.timeout else 0
    running = (now - attempt.start_time).total_seconds() if attempt.start_time else 0.0
    return effective - used_seconds(status.attempts) - running


def _close(
    execution: Execution,
    status: ExecutionStatus,
    attempt: Attempt,
    ended: Ended,
    seen: Observation,
    stamp: Stamp,
    settings: OperatorSettings,
) -> Decision:
    """The attempt ended: keep its record, then finish or wait for the next one."""
    assert seen.frozen is not None
    attempt = closed_attempt(attempt, ended, stamp.now)
    status = with_result(with_attempt(status, attempt), attempt, ended)
    status = with_start(status, attempt.start_time)  # a short run is over before it is seen to run
    status = _with_used_time(compute_running(status, stamp, None))
    step = _limit_reached(execution, status, seen) or next_step(
        status.attempts, seen.frozen.retry, settings
    )
    if isinstance(step, Finish):
        succeeded = attempt.cause is None
        status = compute_finished(status, stamp, succeeded, step.reason, step.message)
        return Decision(status, (RevokeKey(attempt),), 0)
    return _plan_next(status, attempt, step, stamp)


def _with_used_time(status: ExecutionStatus) -> ExecutionStatus:
    if status.timeout is None:
        return status
    used = status.timeout.model_copy(update={"used_seconds": used_seconds(status.attempts)})
    return status.model_copy(update={"timeout": used})


def _limit_reached(
    execution: Execution, status: ExecutionStatus, seen: Observation
) -> Finish | None:
    """What all attempts share is used up: a further one would end at once."""
    assert seen.frozen is not None
    last = status.attempts[-1]
    if last.cause in (None, "limit"):
        return None
    limits = seen.frozen.limits
    if used_seconds(status.attempts) >= limits.timeout_seconds:
        return Finish(
            FinishedReason.TIMED_OUT,
            f"All attempts together used {limits.timeout_seconds} s. Raise limits.timeoutSeconds.",
        )
    if execution.status.cost_micros >= limits.max_cost_micros:
        return Finish(
            FinishedReason.COST_LIMIT,
            f"All attempts together cost {execution.status.cost_micros} micro-dollars of "
            f"{limits.max_cost_micros}. Raise limits.maxCostMicros.",
        )
    return None


def _plan_next(status: ExecutionStatus, attempt: Attempt, step: TryAgain, stamp: Stamp) -> Decision:
    due = stamp.now + timedelta(seconds=step.after_seconds)
    block = BlockedBy(
        reason=step.held,
        message=f"Attempt {attempt.number} ended as {attempt.reason}: {attempt.message}"[:1024],
        estimated_time=due,
    )
    status = with_blocks(status, block).model_copy(update={"next_attempt_time": due})
    return Decision(status, (RevokeKey(attempt),), 0)


def _decide_next(
    execution: Execution,
    status: ExecutionStatus,
    last: Attempt,
    seen: Observation,
    stamp: Stamp,
    settings: OperatorSettings,
) -> Decision:
    """Decides between two attempts: the old key is dead first, then the wait is over, then there
    is a slot, then the record."""
    if live_keys((last,), stamp.now):
        block = BlockedBy(
            reason=BlockedReason.GATEWAY_UNREACHABLE,
            message="The gateway has not confirmed that the last attempt's key is dead; no further "
            "attempt starts before. Check the gateway.",
        )
        others = [each for each in status.blocked_by if each.reason != block.reason]
        status = with_blocks(status, block, *others)
        return Decision(status, (RevokeKey(last), *delete_job(last)), _SOON)
    due = status.next_attempt_time or stamp.now
    if stamp.now < due:
        waits = [
            each for each in status.blocked_by if each.reason != BlockedReason.GATEWAY_UNREACHABLE
        ]
        status = with_blocks(status, *waits)
        return Decision(status, delete_job(last), (due - stamp.now).total_seconds())
    held = NAMESPACE_TERMINATING if seen.terminating else slot_block(seen.slots, admitted=True)
    if held is not None:
        again = slot_patience(seen.slots.ahead)
        return Decision(with_blocks(status, held), delete_job(last), again)
    assert seen.frozen is not None
    effective = status.timeout.effective_seconds if status.timeout else 1
    attempt = new_attempt(execution, last.number + 1, effective, stamp.now, settings)
    if seen.frozen.workspace.storage.type == "Volume":  # it is kept, and the session in it
        attempt = attempt.model_copy(update={"session_id": last.session_id})
    status = with_attempt(status, attempt).model_copy(update={"next_attempt_time": None})
    return Decision(compute_starting(status, stamp), delete_job(last), 0)
