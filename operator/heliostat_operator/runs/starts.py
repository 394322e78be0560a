"""The start deadline: how long the pod of an attempt may take until its container runs.

It is apart from the clock of the run, which counts running time alone.
"""

from datetime import datetime, timedelta

from heliostat_core.agents import AgentSpec
from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import Attempt, Cancellation, Execution
from heliostat_core.names import FIELD_MANAGER
from heliostat_operator.runs.facts import Facts, is_over
from heliostat_operator.runs.waits import is_suspended


def compute_late_start(
    execution: Execution, facts: Facts, frozen: AgentSpec | None, now: datetime
) -> Cancellation | None:
    """Why a run ends whose pod did not start in time; None while it may."""
    attempt = execution.current_attempt
    if frozen is None or attempt is None or attempt.is_over or _has_started(attempt, facts):
        return None
    if start_seconds_left(attempt, facts, frozen, now) > 0:
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


def start_seconds_left(attempt: Attempt, facts: Facts, frozen: AgentSpec, now: datetime) -> float:
    """Seconds until the deadline; the clock begins anew with a Job that was suspended."""
    job = facts.job
    if job is not None and is_suspended(job):
        return float(frozen.start_timeout_seconds)
    times = (attempt.created_time, job.status.start_time if job else None)
    begun = max(each for each in times if each)
    ends = begun + timedelta(seconds=frozen.start_timeout_seconds)
    return max(0.0, (ends - now).total_seconds())


def _has_started(attempt: Attempt, facts: Facts) -> bool:
    if attempt.start_time is not None:
        return True
    if facts.pod is None:
        return facts.job is not None and is_over(facts)
    return is_over(facts) or facts.pod.container.running is not None
