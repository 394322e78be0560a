"""Steps from one status to the next: each takes a frozen status and returns a new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from heliostat_core.agents import AgentSpec
from heliostat_core.conditions import (
    ConditionStatus,
    ExecutionCondition,
    FinishedReason,
    RunningReason,
    SettledReason,
    set_condition,
)
from heliostat_core.executions import (
    Attempt,
    BlockedBy,
    Cancellation,
    Execution,
    ExecutionStatus,
    ModelUsed,
    Result,
    TranscriptRef,
)
from heliostat_core.money import micros_from_nanos
from heliostat_core.names import attempt_name
from heliostat_operator.gateway.ledgers import LedgerSum
from heliostat_operator.runs.facts import STARTS, Ended, Facts
from heliostat_operator.runs.leftover_jobs import goes_on
from heliostat_operator.runs.results import Transcript
from heliostat_operator.runs.waits import is_suspended
from heliostat_operator.settings import OperatorSettings

_NAMES_WAIT = timedelta(seconds=10)


@dataclass(frozen=True)
class Stamp:
    """When a condition is observed, and for which generation."""

    now: datetime
    generation: int


def with_condition(
    status: ExecutionStatus,
    stamp: Stamp,
    type_: ExecutionCondition,
    value: ConditionStatus,
    reason: str,
    message: str = "",
) -> ExecutionStatus:
    conditions = set_condition(
        status.conditions,
        type_,
        value,
        reason,
        message,
        generation=stamp.generation,
        now=stamp.now,
    )
    return status.model_copy(update={"conditions": conditions})


def with_attempt(status: ExecutionStatus, attempt: Attempt) -> ExecutionStatus:
    """The record of this attempt put in its place, or at the end."""
    others = [each for each in status.attempts if each.number != attempt.number]
    ordered = sorted([*others, attempt], key=lambda each: each.number)
    return status.model_copy(update={"attempts": tuple(ordered)})


def with_blocks(status: ExecutionStatus, *blocks: BlockedBy) -> ExecutionStatus:
    return status.model_copy(update={"blocked_by": blocks})


def compute_running(
    status: ExecutionStatus, stamp: Stamp, started: datetime | None
) -> ExecutionStatus:
    """`Running`: True since a container runs; the first start is the run's start."""
    if started is None:
        return with_condition(
            status, stamp, ExecutionCondition.RUNNING, "False", RunningReason.NOT_RUNNING
        )
    status = with_condition(
        status, stamp, ExecutionCondition.RUNNING, "True", RunningReason.CONTAINER_RUNNING
    )
    return with_start(status, started).model_copy(update={"blocked_by": ()})


def with_start(status: ExecutionStatus, started: datetime | None) -> ExecutionStatus:
    """The first start of a container is the run's start."""
    if started is None or status.start_time is not None:
        return status
    return status.model_copy(update={"start_time": started})


def compute_active(status: ExecutionStatus, stamp: Stamp) -> ExecutionStatus:
    """`Succeeded` is Unknown while a run is active."""
    return with_condition(
        status, stamp, ExecutionCondition.SUCCEEDED, "Unknown", FinishedReason.ACTIVE
    )


def compute_finished(
    status: ExecutionStatus, stamp: Stamp, succeeded: bool, reason: str, message: str
) -> ExecutionStatus:
    """The end of a run: `Succeeded` is True or False for ever, nothing blocks any more."""
    status = compute_running(status, stamp, None)
    status = with_condition(
        status,
        stamp,
        ExecutionCondition.SUCCEEDED,
        "True" if succeeded else "False",
        reason,
        message,
    )
    status = (
        compute_settled(status, stamp, None)
        if status.attempts
        else with_condition(
            status,
            stamp,
            ExecutionCondition.SETTLED,
            "True",
            SettledReason.SETTLED,
            "Nothing ran, nothing was spent.",
        )
    )
    return status.model_copy(
        update={
            "blocked_by": (),
            "next_attempt_time": None,
            "completion_time": stamp.now,
            "duration_seconds": used_seconds(status.attempts),
        }
    )


def compute_settled(
    status: ExecutionStatus, stamp: Stamp, ledger: LedgerSum | None
) -> ExecutionStatus:
    """`Settled`: True once the ledger has no open row of the run."""
    if ledger is None:
        return with_condition(
            status,
            stamp,
            ExecutionCondition.SETTLED,
            "False",
            SettledReason.GATEWAY_UNREACHABLE,
            "The gateway's ledger has not been asked yet.",
        )
    if not ledger.settled:
        return with_condition(
            status,
            stamp,
            ExecutionCondition.SETTLED,
            "False",
            SettledReason.OPEN_CALLS,
            "Model calls of this run are not booked yet; costMicros may rise.",
        )
    words = "Part of it is estimated: a stream ended before its usage." if ledger.estimated else ""
    return with_condition(
        status, stamp, ExecutionCondition.SETTLED, "True", SettledReason.SETTLED, words
    )


def with_ledger(status: ExecutionStatus, ledger: LedgerSum | None) -> ExecutionStatus:
    """Cost, usage and provider as the ledger has them; never the pod's word."""
    if ledger is None or not ledger.requests:
        return status
    costs = {each.attempt: micros_from_nanos(each.cost_nanos) for each in ledger.attempts}
    attempts = tuple(
        each.model_copy(update={"cost_micros": costs.get(each.number, each.cost_micros)})
        for each in status.attempts
    )
    name = ledger.model or (status.model.name if status.model else "")
    return status.model_copy(
        update={
            "attempts": attempts,
            "cost_micros": micros_from_nanos(ledger.cost_nanos),
            "usage": ledger.usage.model_copy(update={"requests": ledger.requests}),
            "model": ModelUsed(name=name, provider=ledger.provider or ""),
        }
    )


def with_facts(attempt: Attempt, facts: Facts) -> Attempt:
    """The record with what is known of its Job and pod by now."""
    changes: dict[str, str | bool | datetime | None] = {}
    if facts.job is not None:
        changes["job_uid"] = facts.job.metadata.uid
    if facts.pod is not None:
        running = facts.pod.container.running
        changes["pod_name"] = facts.pod.metadata.name
        changes["node_name"] = facts.pod.spec.node_name or None
        changes["start_time"] = running.started_at if running else attempt.start_time
        if goes_on(facts):
            changes["job_deleted"] = True
    return attempt.model_copy(update=changes)


def names_due(before: ExecutionStatus, after: ExecutionStatus) -> datetime | None:
    """Until when this change may wait for the next one, or None when it may not.

    The names of a young attempt's Job, pod and node are no news: they follow from what is recorded
    and can be read. Written with the pod's start, they cost no write of their own.
    """
    if not before.attempts or not after.attempts or after.attempts[-1].job_uid is None:
        return None
    known, attempt = before.attempts[-1], after.attempts[-1]
    names = {name: getattr(known, name) for name in ("job_uid", "pod_name", "node_name")}
    unnamed = attempt.model_copy(update=names)
    if after.model_copy(update={"attempts": (*after.attempts[:-1], unnamed)}) != before:
        return None
    return attempt.created_time + _NAMES_WAIT


def closed_attempt(attempt: Attempt, ended: Ended, now: datetime) -> Attempt:
    """The record of an attempt that ended, with everything that outlives its pod."""
    result = ended.result
    return attempt.model_copy(
        update={
            "start_time": ended.started or attempt.start_time,
            "end_time": ended.ended or now,
            "exit_code": ended.exit_code,
            "reason": ended.reason,
            "message": ended.message[:1024],
            "cause": ended.cause,
            "session_id": (result.session_id if result else None) or attempt.session_id,
            "resumed": result.resumed if result else attempt.resumed,
            "second_attempts": result.second_attempts if result else 0,
        }
    )


def with_result(status: ExecutionStatus, attempt: Attempt, ended: Ended) -> ExecutionStatus:
    """What the agent said, and where the events are."""
    document = ended.result
    if document is None:
        return status
    transcript = document.transcript or Transcript()
    return status.model_copy(
        update={
            "result": Result(text=document.result[:4096], truncated=document.truncated),
            "transcript_ref": TranscriptRef(
                pod_name=attempt.pod_name or "",
                path=transcript.path[:256],
                marker=(transcript.marker or "")[:256],
                lines=transcript.lines,
                cut=transcript.stdout_cut,
            ),
        }
    )


def stopped_attempt(attempt: Attempt, stop: Cancellation, now: datetime) -> Attempt:
    """The record of an attempt that we ended."""
    limit = stop.reason in (FinishedReason.TIMED_OUT, FinishedReason.START_TIMED_OUT)
    return attempt.model_copy(
        update={
            "end_time": now,
            "reason": stop.reason,
            "message": stop.message,
            "cause": "limit" if limit else None,
        }
    )


def used_seconds(attempts: tuple[Attempt, ...]) -> int:
    """Running time of containers over all attempts that ended."""
    spans = [
        (each.end_time - each.start_time).total_seconds()
        for each in attempts
        if each.start_time and each.end_time
    ]
    return int(sum(max(0.0, span) for span in spans))


def start_seconds_left(attempt: Attempt, facts: Facts, frozen: AgentSpec, now: datetime) -> float:
    """Seconds until the deadline; the clock begins anew with a Job that was suspended."""
    job = facts.job
    if job is not None and is_suspended(job):
        return float(frozen.start_timeout_seconds)
    times = (attempt.created_time, job.status.start_time if job else None)
    begun = max(each for each in times if each)
    ends = begun + timedelta(seconds=frozen.start_timeout_seconds)
    return max(0.0, (ends - now).total_seconds())


def compute_starting(status: ExecutionStatus, stamp: Stamp) -> ExecutionStatus:
    """Said with the record of an attempt, so that the start itself has nothing to write."""
    waits = BlockedBy(reason=STARTS.reason, message=STARTS.message)
    return with_blocks(compute_running(status, stamp, None), waits)


def new_attempt(
    execution: Execution,
    number: int,
    timeout_seconds: int,
    now: datetime,
    settings: OperatorSettings,
) -> Attempt:
    """The record of an attempt that is about to start."""
    return Attempt(
        number=number,
        job_name=attempt_name(execution.metadata.name, number),
        created_time=now,
        session_id=session_id(execution, number),
        key_expires_time=now + timedelta(seconds=timeout_seconds + settings.key_slack_seconds),
    )


def session_id(execution: Execution, number: int) -> str:
    """Claude Code's session of an attempt, known before it starts, whatever becomes of its pod."""
    return str(uuid5(UUID(execution.metadata.uid), f"session/{number}"))
