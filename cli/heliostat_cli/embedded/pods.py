"""Pods and Job statuses in Kubernetes' own shapes. Pure: what is known in, documents out."""

import hashlib
from collections.abc import Mapping

from heliostat_cli.embedded.supervisor import State
from heliostat_core.names import JOB_NAME_LABEL
from heliostat_core.reading import number, part, parts, text, values
from heliostat_core.worlds import JOB, POD, JsonObject, JsonValue

_LONGEST_NAME = 63
_MESSAGE_BYTES = 4096
_KILLED = 137


def pod_name(job: JsonObject) -> str:
    """The name of a Job's only pod: computed, so that a repeated create ends in 409."""
    suffix = hashlib.sha256(text(job, "metadata", "uid").encode()).hexdigest()[:5]
    kept = text(job, "metadata", "name")[: _LONGEST_NAME - len(suffix) - 1].rstrip("-.")
    return f"{kept}-{suffix}"


def build_pod(job: JsonObject, node: str) -> JsonObject:
    """The pod of a Job, as the Job controller and the scheduler make it."""
    name, uid = text(job, "metadata", "name"), text(job, "metadata", "uid")
    template = part(job, "spec", "template")
    return {
        "apiVersion": POD.api_version,
        "kind": POD.name,
        "metadata": {
            "name": pod_name(job),
            "namespace": text(job, "metadata", "namespace"),
            "labels": {
                **part(template, "metadata", "labels"),
                JOB_NAME_LABEL: name,
                "batch.kubernetes.io/controller-uid": uid,
            },
            "annotations": part(template, "metadata", "annotations"),
            "ownerReferences": [
                {
                    "apiVersion": JOB.api_version,
                    "kind": JOB.name,
                    "name": name,
                    "uid": uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {**part(template, "spec"), "nodeName": node},
    }


def is_over(pod: JsonObject) -> bool:
    """Whether the pod ended."""
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def waiting_status(pod: JsonObject, reason: str, message: str) -> JsonObject:
    """It can't start yet; `reason` and `message` are the kubelet's."""
    return _status(pod, "Pending", {"waiting": {"reason": reason, "message": message}})


def unschedulable_status(message: str) -> JsonObject:
    """No place for it, in the scheduler's words."""
    condition = _condition("PodScheduled", "False", "Unschedulable", message)
    return {"phase": "Pending", "conditions": [condition]}


def running_status(pod: JsonObject, state: State) -> JsonObject:
    return _status(pod, "Running", {"running": {"startedAt": state.started_at}}, state.started_at)


def ended_status(pod: JsonObject, state: State, termination_log: bytes) -> JsonObject:
    """How the container ended, with the last 4096 bytes of its termination log."""
    message = state.message or termination_log[-_MESSAGE_BYTES:].decode(errors="replace")
    terminated: dict[str, JsonValue] = {
        "exitCode": state.exit_code,
        "reason": "Error" if state.reason == "DeadlineExceeded" else state.reason,
        "startedAt": state.started_at,
        "finishedAt": state.finished_at,
    }
    if message:
        terminated["message"] = message
    if state.signal is not None:
        terminated["signal"] = state.signal
    phase = "Succeeded" if state.exit_code == 0 else "Failed"
    status = _status(pod, phase, {"terminated": terminated}, state.started_at)
    if state.reason != "DeadlineExceeded":
        return status
    return {
        **status,
        "phase": "Failed",
        "reason": "DeadlineExceeded",
        "message": "Pod was active on the node longer than the specified deadline",
    }


def lost_status(pod: JsonObject, state: State | None, termination_log: bytes) -> JsonObject:
    """Nobody is left who could say how it ended; what it wrote itself still counts."""
    message = "The machine was restarted, or the process that supervised the run was killed."
    terminated: dict[str, JsonValue] = {
        "exitCode": _KILLED,
        "reason": "ContainerStatusUnknown",
        "message": termination_log[-_MESSAGE_BYTES:].decode(errors="replace") or message,
        "startedAt": state.started_at if state else None,
        "finishedAt": None,
    }
    status = _status(pod, "Failed", {"terminated": terminated})
    return {**status, "reason": "NodeLost", "message": message}


def started_job_status(job: JsonObject, now: str, active: int) -> JsonObject:
    return {"startTime": text(job, "status", "startTime") or now, "active": active}


def is_finished(job: JsonObject) -> bool:
    """Whether the Job is complete or failed."""
    return any(
        text(condition, "type") in ("Complete", "Failed") and text(condition, "status") == "True"
        for condition in parts(job, "status", "conditions")
    )


def finished_job_status(job: JsonObject, pod: JsonObject | None, now: str) -> JsonObject:
    """The Job's end, as its controller writes it. `pod` is None when it vanished."""
    status = started_job_status(job, now, 0)
    if pod is not None and text(pod, "status", "phase") == "Succeeded":
        complete = ("CompletionsReached", "Reached expected number of succeeded pods")
        conditions = [
            _condition("SuccessCriteriaMet", "True", *complete, now),
            _condition("Complete", "True", *complete, now),
        ]
        return {**status, "succeeded": 1, "completionTime": now, "conditions": conditions}
    failed = _policy_words(job, pod) if pod is not None else None
    failed = failed or (
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
    )
    conditions = [
        _condition("FailureTarget", "True", *failed, now),
        _condition("Failed", "True", *failed, now),
    ]
    return {**status, "failed": 1, "conditions": conditions}


def _policy_words(job: JsonObject, pod: JsonObject) -> tuple[str, str] | None:
    """Reason and message when a FailJob rule of the podFailurePolicy matches."""
    name = f"{text(pod, 'metadata', 'namespace')}/{text(pod, 'metadata', 'name')}"
    for index, rule in enumerate(parts(job, "spec", "podFailurePolicy", "rules")):
        if text(rule, "action") != "FailJob":
            continue
        matched = _matched_code(rule, pod) or _matched_condition(rule, pod, name)
        if matched:
            words = matched.replace("POD", f"pod {name}")
            return "PodFailurePolicy", f"{words} matching FailJob rule at index {index}"
    return None


def _matched_code(rule: JsonObject, pod: JsonObject) -> str | None:
    on_codes = part(rule, "onExitCodes")
    for container in parts(pod, "status", "containerStatuses"):
        code = number(container, "state", "terminated", "exitCode")
        if not on_codes or not code:
            continue
        if (code in values(on_codes, "values")) == (text(on_codes, "operator") == "In"):
            return f"Container {text(container, 'name')} for POD failed with exit code {code}"
    return None


def _matched_condition(rule: JsonObject, pod: JsonObject, name: str) -> str | None:
    for wanted in parts(rule, "onPodConditions"):
        for condition in parts(pod, "status", "conditions"):
            if all(text(wanted, key) == text(condition, key) for key in ("type", "status")):
                return f"Pod {name} has condition {text(wanted, 'type')}"
    return None


def _status(
    pod: JsonObject, phase: str, state: Mapping[str, JsonValue], started: str = ""
) -> dict[str, JsonValue]:
    containers = parts(pod, "spec", "containers")
    is_running = "running" in state
    status: dict[str, JsonValue] = {
        "phase": phase,
        "conditions": [
            _condition("PodScheduled", "True"),
            _condition("ContainersReady", str(is_running)),
            _condition("Ready", str(is_running)),
        ],
        "containerStatuses": [
            {
                "name": text(containers[0], "name") if containers else "",
                "image": text(containers[0], "image") if containers else "",
                "state": state,
                "ready": is_running,
                "started": is_running,
                "restartCount": 0,
            }
        ],
    }
    if started:
        status["startTime"] = started
    return status


def _condition(
    type_: str, status: str, reason: str = "", message: str = "", now: str = ""
) -> dict[str, JsonValue]:
    condition: dict[str, JsonValue] = {"type": type_, "status": status}
    optional = (("reason", reason), ("message", message), ("lastTransitionTime", now))
    return condition | {key: value for key, value in optional if value}
