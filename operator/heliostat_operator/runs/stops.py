"""Stops a run: cancel, deletion, the one clock and the start deadline, in one order.

The key dies first, so that no model call follows; then the pod goes, directly and with a short
grace. Both are repeated until they are done.
"""

from datetime import datetime

from heliostat_core.agents import AgentSpec
from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import Attempt, BlockedBy, Cancellation, Execution, ExecutionStatus
from heliostat_core.names import FIELD_MANAGER
from heliostat_core.resources import ManagedFields, ObjectMeta
from heliostat_operator.gateway.ledgers import LedgerSum
from heliostat_operator.model.effects import Effect, RevokeKey, StopAttempt, TellAgent
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.diagnosis import diagnose
from heliostat_operator.runs.facts import Ended, Facts, is_over
from heliostat_operator.runs.leftover_jobs import STOP_GRACE_SECONDS
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Pod
from heliostat_operator.runs.status import (
    Stamp,
    closed_attempt,
    compute_finished,
    compute_running,
    compute_settled,
    start_seconds_left,
    stopped_attempt,
    used_seconds,
    with_attempt,
    with_blocks,
    with_facts,
    with_result,
)
from heliostat_operator.settings import OperatorSettings

# The watch tells when the pod has gone; looks in vain at hundreds that go would keep others
# waiting.
_WATCHED_SECONDS = 5.0
# A pod on a dead node never goes; its key is dead, so the run can be called over.
_STUCK_SECONDS = 30
_SOON = 1.0
# The runner enforces the clock itself; the operator steps in when it did not.
_CLOCK_SLACK_SECONDS = 2


def decide_stop(
    execution: Execution,
    status: ExecutionStatus,
    facts: Facts,
    stop: Cancellation,
    stamp: Stamp,
    ledger: LedgerSum | None,
) -> Decision:
    """Revoke, delete, and say so; the run is over once nothing of it runs."""
    first_time = execution.status.cancellation is None
    status = status.model_copy(update={"cancellation": stop})
    attempt = execution.current_attempt
    if attempt is not None and not attempt.is_over:
        attempt = with_facts(attempt, facts)
        status = with_attempt(status, attempt)
    revokes = live_keys(status.attempts, stamp.now)
    told = _told(execution, stop) if first_time else ()
    if attempt is None or attempt.is_over or _nothing_left(facts):
        # With a key that was alive until now a call may have begun since the ledger was asked.
        booked = None if revokes else ledger
        return _stopped(status, attempt, stop, stamp, (*revokes, *told), booked)
    ended = diagnose(facts)
    if isinstance(ended, Ended) and ended.result is not None and ended.cause is None:
        return _finished_first(status, attempt, ended, stamp, (*revokes, *told))
    pod = facts.pod.metadata if facts.pod and not _leaves_soon(facts.pod) else None
    delete = StopAttempt(
        job_name=attempt.job_name,
        job_uid=_job_uid(attempt, facts, first_time=first_time),
        pod_name=pod.name if pod else None,
        pod_uid=pod.uid if pod else None,
        grace_seconds=STOP_GRACE_SECONDS,
    )
    if (stamp.now - stop.time).total_seconds() > _STUCK_SECONDS:
        stuck = stop.model_copy(
            update={"message": f"{stop.message} Its pod is still terminating on a silent node."}
        )
        return _stopped(status, attempt, stuck, stamp, (*revokes, delete, *told))
    block = BlockedBy(reason=BlockedReason.STOPPING, message=stop.message)
    status = with_blocks(status, block)
    is_unconfirmed = bool(revokes) and not first_time
    again_after = _SOON if is_unconfirmed else _WATCHED_SECONDS
    return Decision(status, (*revokes, delete, *told), again_after)


def live_keys(attempts: tuple[Attempt, ...], now: datetime) -> tuple[RevokeKey, ...]:
    """What is still to be revoked: the gateway refuses an expired key by itself, so that nothing
    waits for ever for a gateway that is gone."""
    return tuple(
        RevokeKey(each) for each in attempts if not each.key_revoked and now < each.key_expires_time
    )


def is_stopped(attempt: Attempt, stop: Cancellation | None) -> bool:
    """Whether a stop ended the attempt, and nothing of it was left."""
    return stop is not None and (attempt.reason, attempt.message) == (stop.reason, stop.message)


def _leaves_soon(pod: Pod) -> bool:
    """Whether it was told to leave, with no longer a grace than ours."""
    meta = pod.metadata
    grace = meta.deletion_grace_period_seconds
    return meta.deletion_timestamp is not None and (grace is None or grace <= STOP_GRACE_SECONDS)


def _nothing_left(facts: Facts) -> bool:
    return facts.pod is None and facts.job is None


def _job_uid(attempt: Attempt, facts: Facts, *, first_time: bool) -> str | None:
    """Of the Job that is to be deleted. One that is on record need not be read for that; what was
    told once to go is told again only when it is seen."""
    if facts.job is not None:
        return facts.job.metadata.uid
    return attempt.job_uid if first_time else None


def _told(execution: Execution, stop: Cancellation) -> tuple[Effect, ...]:
    """A deletion takes the record with it: an Event on the Agent remains."""
    if stop.reason != FinishedReason.DELETED or execution.current_attempt is None:
        return ()
    name = execution.metadata.name
    return (
        TellAgent(
            "ExecutionDeleted",
            f"Execution {name!r} was deleted while it ran: its key was revoked, its pod deleted.",
        ),
    )


def _stopped(
    status: ExecutionStatus,
    attempt: Attempt | None,
    stop: Cancellation,
    stamp: Stamp,
    effects: tuple[Effect, ...],
    ledger: LedgerSum | None = None,
) -> Decision:
    if attempt is not None and not attempt.is_over:
        status = with_attempt(status, stopped_attempt(attempt, stop, stamp.now))
    status = compute_finished(status, stamp, False, stop.reason, stop.message)
    if ledger is not None and status.attempts:
        status = compute_settled(status, stamp, ledger)
    return Decision(status, effects, 0)


def _finished_first(
    status: ExecutionStatus,
    attempt: Attempt,
    ended: Ended,
    stamp: Stamp,
    effects: tuple[Effect, ...],
) -> Decision:
    """The run had succeeded before the stop could reach it: its result is not thrown away."""
    attempt = closed_attempt(attempt, ended, stamp.now)
    status = with_result(with_attempt(status, attempt), attempt, ended)
    status = compute_finished(
        compute_running(status, stamp, None), stamp, True, ended.reason, ended.message
    )
    return Decision(status, effects, 0)


# ---- the start deadline ----------------------------------------------------------------------


def compute_late_start(
    execution: Execution, facts: Facts, frozen: AgentSpec | None, now: datetime
) -> Cancellation | None:
    """Why a run ends whose time to start is over; None where it has started."""
    attempt = execution.current_attempt
    if frozen is None or attempt is None or attempt.is_over or _has_started(attempt, facts):
        return None
    blocks = execution.status.blocked_by
    why = blocks[0] if blocks and blocks[0].reason != BlockedReason.STARTING else None
    words = f"{why.reason}: {why.message}" if why else "Nothing says what kept it."
    return Cancellation(
        time=now,
        by=FIELD_MANAGER,
        reason=FinishedReason.START_TIMED_OUT,
        message=f"Its pod did not start within {frozen.start_timeout_seconds} s. {words[:700]} "
        "Mend that, or raise startTimeoutSeconds of the Agent.",
    )


def _has_started(attempt: Attempt, facts: Facts) -> bool:
    if attempt.start_time is not None:
        return True
    if facts.pod is None:
        return facts.job is not None and is_over(facts)
    return is_over(facts) or facts.pod.container.running is not None


# ---- causes -------------------------------------------------------------------------------------


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
