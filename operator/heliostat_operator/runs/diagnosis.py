"""Why a pod waits, runs or ended: pod status and events in, frozen diagnosis out, no I/O.

Checks are ordered; the first that knows an answer gives it. A valid result document beats the
container's own reason; a Job's failure condition outlives its pod.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import CauseClass
from heliostat_operator.runs.pods import EventObject, Job, Pod, StatusCondition, Terminated
from heliostat_operator.runs.results import EXIT_REASONS, ResultDocument, parse_result


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
Found = TypeVar("Found")
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

    @property
    def terminated(self) -> Terminated | None:
        return self.pod.container.terminated if self.pod else None


def diagnose(facts: Facts) -> Diagnosis:
    """What an attempt is doing, and what a person can do about it."""
    if is_over(facts):
        return _first(END_CHECKS, facts) or _lost(facts)
    running = facts.pod.container.running if facts.pod else None
    if running and running.started_at:
        return Runs(running.started_at)
    return _first(WAIT_CHECKS, facts) or STARTS


def is_over(facts: Facts) -> bool:
    """Whether the attempt can make no further step."""
    if facts.job is None:
        return facts.pod is None or facts.pod.is_over
    if facts.pod is None:
        said = facts.job.failure is not None or facts.job.is_complete
        return said or _was_only_counted(facts.job, facts)
    return facts.pod.is_over or facts.terminated is not None or _node_is_silent(facts)


def _node_is_silent(facts: Facts) -> bool:
    """A kubelet that lives removes a deleted pod when its grace is over."""
    return facts.overdue_seconds > _SILENT_SECONDS


def _was_only_counted(job: Job, facts: Facts) -> bool:
    """An API server that died between two writes of the Job controller may leave a Job whose pod
    is counted and gone, without the condition that ends it: nobody looks at it again."""
    return job.has_counted and facts.counted_seconds > _COUNTED_SECONDS


def _first(checks: tuple[Callable[[Facts], Found | None], ...], facts: Facts) -> Found | None:
    return next((found for check in checks if (found := check(facts)) is not None), None)


# ---- ends ---------------------------------------------------------------------------------------


def _end(
    facts: Facts, reason: str, message: str, cause: CauseClass | None, exit_code: int | None = None
) -> Ended:
    ended = facts.terminated
    return Ended(
        reason=reason,
        message=message,
        cause=cause,
        exit_code=ended.exit_code if ended else exit_code,
        started=ended.started_at if ended else None,
        ended=ended.finished_at if ended else _job_ended(facts),
    )


def _job_ended(facts: Facts) -> datetime | None:
    """When the Job noticed: the time until somebody looks is no running time of the agent."""
    failure = facts.job.failure if facts.job else None
    return failure.last_transition_time if failure else None


def _result_document(facts: Facts) -> Ended | None:
    ended = facts.terminated
    result = parse_result(ended.message) if ended else None
    if ended is None or result is None:
        return None
    return Ended(
        reason=result.reason,
        message=result.message,
        cause=result.cause,
        exit_code=ended.exit_code,
        started=ended.started_at,
        ended=ended.finished_at,
        result=result,
    )


_DISRUPTIONS = {
    "EvictionByEvictionAPI": FinishedReason.EVICTED,
    "TerminationByKubelet": FinishedReason.EVICTED,
    "PreemptionByScheduler": FinishedReason.PREEMPTED,
    "DeletionByTaintManager": FinishedReason.NODE_LOST,
    "DeletionByPodGC": FinishedReason.NODE_LOST,
}


def _disrupted(facts: Facts) -> Ended | None:
    """The cluster took the pod: its own condition says how."""
    target = facts.pod.condition("DisruptionTarget") if facts.pod else None
    if target is None or target.status != "True":
        return None
    reason = _DISRUPTIONS.get(target.reason, FinishedReason.EVICTED)
    return _end(facts, reason, f"{target.message or target.reason}. {_AGAIN}", "infrastructure")


_AGAIN = "Nothing to do: the run goes on in a further attempt."


def _pod_reason(facts: Facts) -> Ended | None:
    """Reasons that the kubelet or the node controller writes on the pod itself."""
    if facts.pod is None:
        return None
    status = facts.pod.status
    if status.reason == "Evicted":
        return _end(facts, FinishedReason.EVICTED, f"{status.message} {_AGAIN}", "infrastructure")
    if status.reason in ("NodeLost", "NodeShutdown", "Terminated", "Shutdown"):
        return _end(facts, FinishedReason.NODE_LOST, f"{status.message} {_AGAIN}", "infrastructure")
    if status.reason == "DeadlineExceeded":
        return _end(
            facts,
            FinishedReason.TIMED_OUT,
            "The pod's own deadline passed. Raise limits.timeoutSeconds.",
            "limit",
        )
    if status.reason and facts.terminated is None:
        return _end(
            facts,
            FinishedReason.NODE_LOST,
            f"The node refused the pod: {status.message or status.reason} {_AGAIN}",
            "infrastructure",
        )
    return None


def _out_of_memory(facts: Facts) -> Ended | None:
    ended = facts.terminated
    if ended is None or ended.reason != "OOMKilled":
        return None
    return _end(
        facts,
        FinishedReason.OUT_OF_MEMORY,
        "The run needed more memory than its limit. Raise workspace.resources.memory.",
        "agent",
    )


_START_FAILURES = ("StartError", "ContainerCannotRun", "CreateContainerError", "RunContainerError")


def _start_failed(facts: Facts) -> Ended | None:
    ended = facts.terminated
    if ended is None or ended.reason not in _START_FAILURES:
        return None
    if "heliostat-runner" in ended.message:
        return _end(
            facts,
            FinishedReason.RUNTIME_MISSING,
            "The image has no heliostat-runner. Build it from Heliostat's workspace image, or "
            "remove workspace.image.",
            "configuration",
        )
    return _end(
        facts,
        FinishedReason.START_FAILED,
        f"The container could not be started: {ended.message[:500]}",
        "configuration",
    )


def _silent_node(facts: Facts) -> Ended | None:
    if facts.pod is None or not _node_is_silent(facts):
        return None
    node = facts.pod.spec.node_name
    return _end(
        facts,
        FinishedReason.NODE_LOST,
        f"Node {node!r} does not remove the deleted pod: it is dead or cut off. {_AGAIN}",
        "infrastructure",
    )


def _deleted(facts: Facts) -> Ended | None:
    """Somebody deleted the pod, and it left no document of its own."""
    if facts.pod is None or facts.pod.metadata.deletion_timestamp is None:
        return None
    return _end(
        facts, FinishedReason.POD_DELETED, f"The pod was deleted. {_AGAIN}", "infrastructure"
    )


def _exit_code(facts: Facts) -> Ended | None:
    ended = facts.terminated
    return None if ended is None else _by_exit_code(facts, ended.exit_code)


# The runner is process 1 of its container, which no process inside can kill.
_KILLED = 137
# What the container runtime reports when it could not start the process at all.
_NEVER_STARTED = 128


def _by_exit_code(facts: Facts, code: int) -> Ended:
    if code == 0:
        return _end(
            facts,
            FinishedReason.NO_RESULT,
            "The container ended well but left no result document. Its image must run "
            "heliostat-runner as the command.",
            "agent",
            code,
        )
    if code == _KILLED:
        return _end(
            facts,
            FinishedReason.KILLED,
            f"Something outside the container killed it, such as a node short of memory. {_AGAIN}",
            "infrastructure",
            code,
        )
    if code == _NEVER_STARTED:
        return _end(
            facts,
            FinishedReason.START_FAILED,
            "The container could not be started. Check that workspace.image has heliostat-runner.",
            "configuration",
            code,
        )
    known = EXIT_REASONS.get(code)
    if known:
        reason, cause = known
        return _end(facts, reason, f"The runner ended with exit code {code}.", cause, code)
    return _end(
        facts,
        FinishedReason.EXITED,
        f"The container ended with exit code {code} and left no result. See the log of the pod.",
        "agent",
        code,
    )


_EXIT_CODE_TEXT = re.compile(r"failed with exit code (\d+)")


def _job_record(facts: Facts) -> Ended | None:
    """The pod is gone, the Job's failure condition kept the cause."""
    failure = facts.job.failure if facts.job and facts.pod is None else None
    if failure is None:
        return None
    code = _EXIT_CODE_TEXT.search(failure.message)
    if code:
        return _by_exit_code(facts, int(code.group(1)))
    if "DisruptionTarget" in failure.message:
        return _end(
            facts,
            FinishedReason.EVICTED,
            f"{failure.message} {_AGAIN}",
            "infrastructure",
        )
    return None


def _completed(facts: Facts) -> Ended | None:
    """The Job completed and the pod is gone: exit code 0 is the runner's word for success."""
    if facts.pod is not None or facts.job is None:
        return None
    if not facts.job.is_complete and facts.job.status.succeeded == 0:
        return None
    return _end(
        facts,
        FinishedReason.UNVERIFIED,
        "The runner ended well, but its pod was gone before its result was read.",
        None,
        0,
    )


def _lost(facts: Facts) -> Ended:
    name = facts.pod.metadata.name if facts.pod else "The pod"
    return _end(
        facts,
        FinishedReason.POD_LOST,
        f"{name} is gone and nothing says why. {_AGAIN}",
        "infrastructure",
    )


END_CHECKS: tuple[Callable[[Facts], Ended | None], ...] = (
    _result_document,  # the runner's own word
    _disrupted,  # the cluster took the pod, and its condition says how
    _pod_reason,  # the kubelet or the node controller wrote why
    _silent_node,  # deleted, and nobody on its node obeys
    _deleted,  # somebody deleted it
    _out_of_memory,  # its own limit
    _start_failed,  # it never ran
    _exit_code,  # it ran and left only a number
    _job_record,  # the pod is gone, the Job kept the cause
    _completed,  # the pod is gone, the Job kept the success
)


# ---- waits --------------------------------------------------------------------------------------

_PULL = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
)


def _condition_is_false(pod: Pod, type_: str) -> StatusCondition | None:
    found = pod.condition(type_)
    return found if found and found.status == "False" else None


def _unschedulable(facts: Facts) -> Waits | None:
    scheduled = _condition_is_false(facts.pod, "PodScheduled") if facts.pod else None
    if scheduled is None or scheduled.reason not in ("Unschedulable", "SchedulerError"):
        return None
    return Waits(
        BlockedReason.UNSCHEDULABLE,
        f"No node takes the pod: {scheduled.message} Free a node, add one, or lower "
        "workspace.resources.",
    )


def _image(facts: Facts) -> Waits | None:
    waiting = facts.pod.container.waiting if facts.pod else None
    if waiting is None or waiting.reason not in _PULL:
        return None
    return Waits(
        BlockedReason.IMAGE_PULL_FAILED,
        f"{waiting.reason}: {waiting.message[:500]} Correct workspace.image, or give the node "
        "access to it; the pull is tried again by itself.",
    )


def _configuration(facts: Facts) -> Waits | None:
    waiting = facts.pod.container.waiting if facts.pod else None
    if waiting is None or waiting.reason not in (
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    ):
        return None
    return Waits(
        BlockedReason.CONFIG_ERROR,
        f"{waiting.message[:500] or waiting.reason}. Make what is missing; the container is tried "
        "again by itself.",
    )


def _volume(facts: Facts) -> Waits | None:
    failed = [
        each
        for each in facts.events
        if each.reason
        in ("FailedMount", "FailedAttachVolume", "FailedBinding", "ProvisioningFailed")
    ]
    if not failed:
        return None
    return Waits(
        BlockedReason.VOLUME_FAILED,
        f"{failed[-1].message[:500]} Check workspace.storage and the storage class; it is tried "
        "again by itself.",
    )


def _no_pod(facts: Facts) -> Waits | None:
    """Only a refusal is worth a word of its own: without one the pod is on its way."""
    refused = [each for each in facts.events if each.reason == "FailedCreate"]
    if facts.pod is not None or not refused:
        return None
    return Waits(BlockedReason.POD_NOT_CREATED, refused[-1].message[:500])


WAIT_CHECKS: tuple[Callable[[Facts], Waits | None], ...] = (
    _no_pod,  # the Job controller has not made it, or may not
    _unschedulable,  # in the scheduler's own words
    _image,  # it can't be pulled
    _configuration,  # it names something that is missing
    _volume,  # it can't be bound or mounted
)
