"""Why a pod does not run yet: ordered checks, the first that knows an answer gives it."""

from collections.abc import Callable

from heliostat_core.conditions import BlockedReason
from heliostat_operator.runs.facts import Facts, Waits
from heliostat_operator.runs.pods import Job, Pod, StatusCondition

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


def is_suspended(job: Job) -> bool:
    """Whether another program holds the Job back."""
    return any(each.type == "Suspended" and each.status == "True" for each in job.status.conditions)


def _suspended(facts: Facts) -> Waits | None:
    if facts.job is None or not is_suspended(facts.job):
        return None
    return Waits(
        BlockedReason.JOB_SUSPENDED,
        "The Job is suspended, by a queue such as Kueue or by hand. It starts when whoever "
        "suspended it lets it; meanwhile it takes no slot, and startTimeoutSeconds does not count.",
    )


WAIT_CHECKS: tuple[Callable[[Facts], Waits | None], ...] = (
    _suspended,  # another program holds it back
    _no_pod,  # the Job controller has not made it, or may not
    _unschedulable,  # in the scheduler's own words
    _image,  # it can't be pulled
    _configuration,  # it names something that is missing
    _volume,  # it can't be bound or mounted
)
