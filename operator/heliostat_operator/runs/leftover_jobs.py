"""A Job that would go on although its attempt has ended is deleted, and its pod with it.

A sidecar that somebody else put into the pod does not know that the agent is done. The record of
the attempt says that its Job is to go, so that no crash forgets it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import RECORDED_ANNOTATION
from heliostat_operator.model.effects import StopAttempt
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.waits import is_suspended
from heliostat_operator.settings import OperatorSettings

STOP_GRACE_SECONDS = 3
# After the runner has given up, the api reads the transcript from the pod's log.
_LOG_READ = timedelta(seconds=60)


@dataclass(frozen=True)
class LeftoverJob:
    """The effects that delete it, none before it is time; and for how many seconds it stays."""

    effects: tuple[StopAttempt, ...] = ()
    stays_seconds: float = 0


def goes_on(facts: Facts) -> bool:
    """Whether the Job does not end although the agent has: a sidecar runs on, or whoever suspended
    the Job, and had its pod deleted, will let it make another pod."""
    pod = facts.pod
    if pod is None or pod.container.terminated is None:
        return False
    return pod.is_kept_by_sidecar or (facts.job is not None and is_suspended(facts.job))


def leftover_job(execution: Execution, now: datetime, settings: OperatorSettings) -> LeftoverJob:
    """Decides on the Job of a finished run's last attempt. It stays for a while where an api may
    need the pod's log, unless the run is deleted."""
    status, last = execution.status, execution.current_attempt
    if last is None or not last.job_deleted:
        return LeftoverJob()
    until = (status.completion_time or now) + _LOG_READ
    until += timedelta(seconds=settings.delivery_seconds)
    meta = execution.metadata
    is_done = RECORDED_ANNOTATION in meta.annotations or meta.deletion_timestamp is not None
    if settings.api_url and not is_done and now < until:
        return LeftoverJob(stays_seconds=(until - now).total_seconds())
    return LeftoverJob(delete_job(last))


def delete_job(attempt: Attempt) -> tuple[StopAttempt, ...]:
    """Deletes the Job of an attempt, where it would go on; it may be gone already."""
    if not attempt.job_deleted:
        return ()
    return (
        StopAttempt(
            job_name=attempt.job_name,
            job_uid=attempt.job_uid,
            pod_name=attempt.pod_name,
            pod_uid=None,
            grace_seconds=STOP_GRACE_SECONDS,
        ),
    )
