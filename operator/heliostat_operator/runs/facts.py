"""What is known of an attempt's Job and pod, and what can be said of it."""

from dataclasses import dataclass
from datetime import datetime

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import CauseClass
from heliostat_operator.runs.pods import EventObject, Job, Pod, Terminated
from heliostat_operator.runs.results import ResultDocument


@dataclass(frozen=True)
class Waits:
    """The container does not run yet."""

    reason: str
    message: str


STARTS = Waits(BlockedReason.STARTING, "The pod is starting.")
"""Nothing is wrong; said alike from the Job's creation on, so that status is written once."""


@dataclass(frozen=True)
class Runs:
    """The container runs."""

    started: datetime


@dataclass(frozen=True)
class Ended:
    """The attempt is over. `cause` is None for a success."""

    reason: str
    message: str
    cause: CauseClass | None
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    result: ResultDocument | None = None


Diagnosis = Waits | Runs | Ended
_SILENT_SECONDS = 60
# Between the count of a pod and the condition that says why, a Job controller takes milliseconds.
_COUNTED_SECONDS = 10


@dataclass(frozen=True)
class Facts:
    """What is known of an attempt's Job, and since when the pod should be gone.

    `pod` is None when there is none (any more); `overdue_seconds` is 0 until its deletion's grace
    has passed. `counted_seconds` is how long ago the Job's status was written.
    """

    job: Job | None
    pod: Pod | None
    events: tuple[EventObject, ...] = ()
    overdue_seconds: float = 0
    counted_seconds: float = 0
    secret_is_missing: bool = False
    """The attempt's own Secret, which the pod waits for."""

    @property
    def terminated(self) -> Terminated | None:
        return self.pod.container.terminated if self.pod else None


@dataclass(frozen=True)
class Leftover:
    """What is still there of the last attempt of a run that asks: it is to leave nothing behind."""

    job_uid: str | None = None
    pod: Pod | None = None
    has_secret: bool = False

    @property
    def is_gone(self) -> bool:
        return self.job_uid is None and self.pod is None and not self.has_secret

    @property
    def may_act(self) -> bool:
        """Whether a process of it may still run, for all that is known."""
        if self.pod is None:
            return self.job_uid is not None  # it may make a pod, or the pod is not seen yet
        return may_act(self.pod)


NOTHING_LEFT = Leftover()


def may_act(pod: Pod | None) -> bool:
    """Whether a process in the pod may still run: on a silent node nobody can tell."""
    return pod is not None and not (pod.is_over or pod.container.terminated)


def is_over(facts: Facts) -> bool:
    """Whether the attempt can make no further step."""
    if facts.job is None:
        return facts.pod is None or facts.pod.is_over
    if facts.pod is None:
        said = facts.job.failure is not None or facts.job.is_complete
        return said or _was_only_counted(facts.job, facts)
    return facts.pod.is_over or facts.terminated is not None or node_is_silent(facts)


def node_is_silent(facts: Facts) -> bool:
    """A kubelet that lives removes a deleted pod when its grace is over."""
    return facts.overdue_seconds > _SILENT_SECONDS


def _was_only_counted(job: Job, facts: Facts) -> bool:
    """An API server that died between two writes of the Job controller may leave a Job whose pod
    is counted and gone, without the condition that ends it: nobody looks at it again."""
    return job.has_counted and facts.counted_seconds > _COUNTED_SECONDS


def overdue_seconds(pod: Pod | None, now: datetime) -> float:
    """Tells how long ago a deleted pod should have gone: Kubernetes writes the end of its grace."""
    ends = pod.metadata.deletion_timestamp if pod else None
    return max(0.0, (now - ends).total_seconds()) if ends else 0.0


def counted_seconds(job: Job | None, now: datetime) -> float:
    """Tells how long ago the Job was written: by its controller, while the attempt goes on."""
    times = [each.time for each in job.metadata.managed_fields if each.time] if job else []
    return max(0.0, (now - max(times)).total_seconds()) if times else 0.0
