"""Why a pod waits, runs or ended: pod status and events in, frozen diagnosis out, no I/O.

Checks are ordered; the first that knows an answer gives it. A valid result document beats the
container's own reason, but for one that only says that the runner was told to leave: who told it
stands on the pod. A Job's failure condition outlives its pod.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import CauseClass
from heliostat_operator.runs.facts import (
    STARTS,
    Diagnosis,
    Ended,
    Facts,
    Runs,
    is_over,
    node_is_silent,
)
from heliostat_operator.runs.results import EXIT_REASONS, parse_result
from heliostat_operator.runs.waits import WAIT_CHECKS

Found = TypeVar("Found")


def diagnose(facts: Facts) -> Diagnosis:
    """What an attempt is doing, and what a person can do about it."""
    if is_over(facts):
        return _first(END_CHECKS, facts) or _lost(facts)
    running = facts.pod.container.running if facts.pod else None
    if running and running.started_at:
        return Runs(running.started_at)
    return _first(WAIT_CHECKS, facts) or STARTS


def _first(checks: tuple[Callable[[Facts], Found | None], ...], facts: Facts) -> Found | None:
    return next((found for check in checks if (found := check(facts)) is not None), None)


# ---- ends ---------------------------------------------------------------------------------------


def _end(
    facts: Facts, reason: str, message: str, cause: CauseClass | None, exit_code: int | None = None
) -> Ended:
    """How it ended, with what the runner may have left: a session to go on with, a transcript."""
    ended = facts.terminated
    return Ended(
        reason=reason,
        message=message,
        cause=cause,
        exit_code=ended.exit_code if ended else exit_code,
        started=ended.started_at if ended else None,
        ended=ended.finished_at if ended else _job_ended(facts),
        result=parse_result(ended.message) if ended else None,
    )


def _job_ended(facts: Facts) -> datetime | None:
    """When the Job noticed: the time until somebody looks is no running time of the agent."""
    failure = facts.job.failure if facts.job else None
    return failure.last_transition_time if failure else None


def _result_document(facts: Facts) -> Ended | None:
    ended = facts.terminated
    result = parse_result(ended.message) if ended else None
    if result is None:
        return None
    return _end(facts, result.reason, result.message, result.cause)


def _own_word(facts: Facts) -> Ended | None:
    """What the runner says of its own work; that it was told to leave says nothing of why."""
    told = _result_document(facts)
    return None if told and told.reason == FinishedReason.TERMINATED else told


_DISRUPTIONS = {
    "EvictionByEvictionAPI": FinishedReason.EVICTED,
    "TerminationByKubelet": FinishedReason.EVICTED,
    "PreemptionByScheduler": FinishedReason.PREEMPTED,
    "DeletionByTaintManager": FinishedReason.NODE_LOST,
    "DeletionByPodGC": FinishedReason.NODE_LOST,
}


# The kubelet's words for a pod, a container and a volume beyond their own limits.
_OWN_USE = re.compile(
    r"ephemeral local storage usage exceeds|exceeded its local ephemeral storage limit"
    r"|Usage of EmptyDir volume .* exceeds the limit"
)


def _out_of_storage(facts: Facts) -> Ended | None:
    """Evicted for what it wrote itself: it would do so again."""
    target = facts.pod.condition("DisruptionTarget") if facts.pod else None
    said = (facts.pod.status.message if facts.pod else "", target.message if target else "")
    words = next((each.strip() for each in said if _OWN_USE.search(each)), None)
    if words is None:
        return None
    return _end(
        facts,
        FinishedReason.OUT_OF_STORAGE,
        f"{words} Have the agent write less, use workspace.storage of type Volume, "
        "or raise the limit on ephemeral storage that the namespace's LimitRange sets.",
        "agent",
    )


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


def _init_failed(facts: Facts) -> Ended | None:
    """A container that somebody put before the agent's has failed, so that the agent never ran."""
    failed = facts.pod.failed_init if facts.pod and facts.terminated is None else None
    if failed is None or failed.state.terminated is None:
        return None
    ended = failed.state.terminated
    words = ended.message.strip() or ended.reason
    return _end(
        facts,
        FinishedReason.INIT_CONTAINER_FAILED,
        f"Init container {failed.name!r} ended with exit code {ended.exit_code}"
        f"{f': {words[:500]}' if words else ''}. Heliostat's pods have none: see to the webhook "
        "that puts it in, or keep it out by spec.podTemplate.metadata.",
        "configuration",
        ended.exit_code,
    )


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
    if facts.pod is None or not node_is_silent(facts):
        return None
    node = facts.pod.spec.node_name
    return _end(
        facts,
        FinishedReason.NODE_LOST,
        f"Node {node!r} does not remove the deleted pod: it is dead or cut off. {_AGAIN}",
        "infrastructure",
    )


def _deleted(facts: Facts) -> Ended | None:
    """Somebody deleted the pod before the agent was done."""
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
    what = f"Pod {facts.pod.metadata.name!r} is over" if facts.pod else "The pod is gone"
    return _end(
        facts,
        FinishedReason.POD_LOST,
        f"{what} and nothing says why. {_AGAIN}",
        "infrastructure",
    )


END_CHECKS: tuple[Callable[[Facts], Ended | None], ...] = (
    _own_word,  # the runner says how its work ended
    _out_of_storage,  # its own limit, by which the kubelet evicted it
    _disrupted,  # the cluster took the pod, and its condition says how
    _pod_reason,  # the kubelet or the node controller wrote why
    _silent_node,  # deleted, and nobody on its node obeys
    _deleted,  # somebody deleted it
    _result_document,  # the runner was told to leave, and nothing says by whom
    _init_failed,  # what goes before the agent failed
    _out_of_memory,  # its own limit
    _start_failed,  # it never ran
    _exit_code,  # it ran and left only a number
    _completed,  # the pod is gone, the Job kept the success: finished work is not paid twice
    _job_record,  # the pod is gone, the Job kept the cause
)
