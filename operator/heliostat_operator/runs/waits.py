"""Why a pod does not run yet: ordered checks, the first that knows an answer gives it."""

import re
from collections.abc import Callable, Iterable

from heliostat_core.conditions import BlockedReason
from heliostat_operator.runs.facts import Facts, Waits
from heliostat_operator.runs.pods import EventObject, Job, Pod, StatusCondition, Waiting

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


def _waiting(facts: Facts, *reasons: str) -> tuple[str, Waiting] | None:
    """The first container that waits for such a reason, and words that begin with its name. The
    agent's own needs none; others were put into the pod by somebody else."""
    if facts.pod is None:
        return None
    own = facts.pod.container.waiting
    if own is not None and own.reason in reasons:
        return "", own
    status = facts.pod.status
    for words, containers in (
        ("Init container", status.init_container_statuses),
        ("Container", facts.pod.others),
    ):
        for each in containers:
            if each.state.waiting is not None and each.state.waiting.reason in reasons:
                return f"{words} {each.name!r}: ", each.state.waiting
    return None


def _image(facts: Facts) -> Waits | None:
    found = _waiting(facts, *_PULL)
    if found is None:
        return None
    name, waiting = found
    image = "the image of what puts it into the pod" if name else "workspace.image"
    return Waits(
        BlockedReason.IMAGE_PULL_FAILED,
        f"{name}{waiting.reason}: {waiting.message[:500]} Correct {image}, or give the node "
        "access to it; the pull is tried again by itself.",
    )


def _configuration(facts: Facts) -> Waits | None:
    found = _waiting(
        facts, "CreateContainerConfigError", "CreateContainerError", "RunContainerError"
    )
    if found is None:
        return None
    name, waiting = found
    return Waits(
        BlockedReason.CONFIG_ERROR,
        f"{name}{waiting.message[:500] or waiting.reason}. Make what is missing; the container is "
        "tried again by itself.",
    )


def _init_fails(facts: Facts) -> Waits | None:
    """A sidecar that goes before the agent and is started again and again."""
    found = _waiting(facts, "CrashLoopBackOff")
    if found is None:
        return None
    name, waiting = found
    return Waits(
        BlockedReason.INIT_CONTAINER_FAILED,
        f"{name}{waiting.message[:500] or waiting.reason}. See to the webhook that puts it into "
        "the pod, or keep it out by spec.podTemplate.metadata.",
    )


def is_explained(pod: Pod) -> bool:
    """Whether the pod itself says why it does not run, so that no Event need be read."""
    facts = Facts(job=None, pod=pod)
    return any(check(facts) is not None for check in _SAID_BY_POD)


def _volume(facts: Facts) -> Waits | None:
    failed = [
        each
        for each in facts.events
        if each.reason
        in ("FailedMount", "FailedAttachVolume", "FailedBinding", "ProvisioningFailed")
    ]
    if not failed:
        return None
    words = failed[-1].message[:500]
    remedy = (
        f"Make that {missing[1]}"
        if (missing := _MISSING.search(words))
        else "Check workspace.storage and the storage class"
    )
    return Waits(BlockedReason.VOLUME_FAILED, f"{words} {remedy}; it is tried again by itself.")


_MISSING = re.compile(r"(secret|configmap) \"[^\"]+\" not found")


def names_missing_secret(pod: Pod | None, events: Iterable[EventObject], name: str) -> bool:
    """Whether the kubelet says that it does not find this Secret; it may be there again by now."""
    words = f'secret "{name}" not found'
    waiting = pod.container.waiting if pod else None
    said = [each.message for each in events] + ([waiting.message] if waiting else [])
    return any(words in each for each in said)


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


_SAID_BY_POD = (_unschedulable, _image, _configuration, _init_fails)
WAIT_CHECKS: tuple[Callable[[Facts], Waits | None], ...] = (
    _suspended,  # another program holds it back
    _no_pod,  # the Job controller has not made it, or may not
    _unschedulable,  # in the scheduler's own words
    _image,  # it can't be pulled
    _configuration,  # it names something that is missing
    _init_fails,  # what goes before the agent does not get up
    _volume,  # it can't be bound or mounted
)
