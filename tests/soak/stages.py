"""The kubelets: Stages of kwok that write what a pod of each story goes through."""

import json
from collections.abc import Sequence
from pathlib import Path

from heliostat_core.names import AGENT_CONTAINER, AGENT_LABEL, ATTEMPT_LABEL
from heliostat_core.worlds import JsonObject, JsonValue

# Templates of kwok; the container's start is read where the pod has it.
_NOW = "{{ Now }}"
_STARTED = "{{ (index .status.containerStatuses 0).state.running.startedAt }}"
_PART = f'.metadata.labels["{AGENT_LABEL}"] + "/" + .metadata.labels["{ATTEMPT_LABEL}"]'
_FIRST = (1,)
_EVERY = tuple(range(1, 12))  # more attempts than the operator ever makes of lost ones

RUN_MILLISECONDS = 1200
FAULT_MILLISECONDS = 500


def result(outcome: str, reason: str, cause: str | None = None) -> str:
    """The runner's document, as it leaves it in the termination message."""
    document = {
        "version": 1,
        "outcome": outcome,
        "reason": reason,
        "cause": cause,
        "message": "As the runner says it.",
        "result": "42 sales.",
        "turns": 3,
    }
    return json.dumps(document)


def build_stages() -> list[JsonObject]:
    """Each pod fits one stage at a time, so that no weight decides."""
    waiting = {"key": ".status.containerStatuses", "operator": "Exists"}
    new = {"key": ".status.containerStatuses", "operator": "DoesNotExist"}
    pending, running = _phase("Pending"), _phase("Running")
    unpulled = _parts("unpulled", _FIRST)
    ends = [each for name, attempts, _ in FAULTS for each in _parts(name, attempts)]
    return [
        _stage("join", [_no_condition()], _NODE, kind="Node"),
        _stage("pull-fails", [_HERE, pending, new, _of(unpulled)], _PULL_FAILED),
        _stage("pull-works", [_HERE, pending, waiting], _RUNNING, 2000),
        _stage("start", [_HERE, pending, new, _not_of(unpulled)], _RUNNING),
        _stage("succeed", [_HERE, running, _not_of(ends)], _SUCCEEDED, RUN_MILLISECONDS),
        *(
            _stage(name, [_HERE, running, _of(_parts(name, attempts))], status, FAULT_MILLISECONDS)
            for name, attempts, status in FAULTS
        ),
        _stage("terminate", [_GONE, running], _TERMINATED),
        _stage("never-start", [_GONE, pending], _NEVER_STARTED),
        _stage("remove", [_GONE, _phase("Succeeded", "Failed")], None),
    ]


def write_stages(path: Path) -> None:
    """As a configuration of kwok."""
    path.write_text("\n---\n".join(json.dumps(each) for each in build_stages()))


# ---- what a kubelet writes ----------------------------------------------------------------------


def _status(phase: str, state: JsonObject, **more: JsonValue) -> JsonObject:
    container: JsonObject = {
        "name": AGENT_CONTAINER,
        "image": "played",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
    return {"phase": phase, "startTime": _NOW, "containerStatuses": [container], **more}


def _ended(code: int, message: str = "", word: str = "", **more: JsonValue) -> JsonObject:
    """`word` is the container's reason; `more` goes to the pod's own status."""
    state: JsonObject = {
        "terminated": {
            "exitCode": code,
            "reason": word or ("Error" if code else "Completed"),
            "message": message,
            "startedAt": _STARTED,
            "finishedAt": _NOW,
        }
    }
    return _status("Failed" if code else "Succeeded", state, **more)


_RUNNING = _status("Running", {"running": {"startedAt": _NOW}})
_PULL_FAILED = _status(
    "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
)
_SUCCEEDED = _ended(0, result("Succeeded", "Unverified"))
_TERMINATED = _ended(143, result("Failed", "Terminated", "infrastructure"))

# Each pod that goes becomes Failed or Succeeded first, or the Job controller waits for it for ever.
_NEVER_STARTED = _status(
    "Failed",
    {
        "terminated": {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the pod was terminated",
            "startedAt": None,
            "finishedAt": None,
        }
    },
)
_NODE: JsonObject = {
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
            "lastHeartbeatTime": _NOW,
            "lastTransitionTime": _NOW,
        }
    ]
}
"""A lease is its heartbeat, see kwok's --node-lease-duration-seconds."""

FAULTS: Sequence[tuple[str, Sequence[int], JsonObject]] = (
    ("killed", _FIRST, _ended(137)),
    ("pressed", _FIRST, _ended(137, reason="Evicted")),
    ("swollen", _FIRST, _ended(137, word="OOMKilled")),
    ("refused", _FIRST, _ended(11, result("Failed", "VerificationFailed", "agent"))),
    ("crashed", _EVERY, _ended(1)),
)
"""Agent, attempts that it meets, how they end."""


# ---- when ---------------------------------------------------------------------------------------

_GONE: JsonObject = {"key": ".metadata.deletionTimestamp", "operator": "Exists"}
_HERE: JsonObject = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}


def _no_condition() -> JsonObject:
    ready = '.status.conditions.[] | select( .type == "Ready" ) | .status'
    return {"key": ready, "operator": "NotIn", "values": ["True"]}


def _phase(*phases: str) -> JsonObject:
    return {"key": ".status.phase", "operator": "In", "values": phases}


def _parts(agent: str, attempts: Sequence[int]) -> list[str]:
    return [f"{agent}/{number}" for number in attempts]


def _of(parts: list[str]) -> JsonObject:
    return {"key": _PART, "operator": "In", "values": parts}


def _not_of(parts: list[str]) -> JsonObject:
    return {"key": _PART, "operator": "NotIn", "values": parts}


def _stage(
    name: str,
    when: Sequence[JsonObject],
    status: JsonObject | None,
    milliseconds: int = 100,
    kind: str = "Pod",
) -> JsonObject:
    """It comes after that time, or up to as much later. Without a status the object goes."""
    then: JsonObject = (
        {"statusTemplate": json.dumps(status)}
        if status is not None
        else {"delete": True}  # its finalizer stays: by that the Job controller counts it
    )
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": when},
            "delay": {
                "durationMilliseconds": milliseconds,
                "jitterDurationMilliseconds": 2 * milliseconds,
            },
            "next": then,
        },
    }
