"""Pods, Jobs and Events as Kubernetes v1.34 writes them, as JSON; nothing here knows the operator.

Texts and shapes are those that kubelet, scheduler and controllers of that version write.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from heliostat_core.worlds import JsonObject, JsonValue
from support.builders.resources import NOW, make_uid, seconds

POD_NAME = "sales-1-1-x7k2p"
JOB_NAME = "sales-1-1"
STARTED = NOW
FINISHED = NOW + seconds(60)


def stamp(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def make_condition(
    type_: str, status: str = "True", reason: str = "", message: str = ""
) -> JsonObject:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastProbeTime": None,
        "lastTransitionTime": stamp(NOW),
    }


def waiting(reason: str, message: str = "") -> JsonObject:
    return {"waiting": {"reason": reason, "message": message}}


def running(started: datetime = STARTED) -> JsonObject:
    return {"running": {"startedAt": stamp(started)}}


def terminated(
    exit_code: int,
    reason: str = "",
    message: str = "",
    started: datetime = STARTED,
    finished: datetime = FINISHED,
) -> JsonObject:
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
            "message": message,
            "startedAt": stamp(started),
            "finishedAt": stamp(finished),
            "containerID": "containerd://0a1b2c",
        }
    }


def make_pod(
    phase: str = "Pending",
    state: JsonObject | None = None,
    *,
    conditions: Sequence[JsonObject] = (),
    reason: str = "",
    message: str = "",
    name: str = POD_NAME,
    uid: str | None = None,
    job_name: str = JOB_NAME,
    job_uid: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    deleted: datetime | None = None,
    node: str = "node-1",
    init: Mapping[str, JsonObject] | None = None,
    before: Mapping[str, JsonObject] | None = None,
    after: Mapping[str, JsonObject] | None = None,
) -> JsonObject:
    """`state` is that of the agent's container; `init` has states of init containers by their
    names, `before` and `after` those of containers that the list shows before or after it."""
    metadata: dict[str, JsonValue] = {
        "name": name,
        "namespace": "default",
        "uid": uid or make_uid(f"pod/{name}"),
        "labels": {"batch.kubernetes.io/job-name": job_name, **(labels or {})},
        "annotations": dict(annotations or {}),
        "ownerReferences": [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "name": job_name,
                "uid": job_uid or make_uid(f"job/{job_name}"),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    if deleted is not None:
        metadata["deletionTimestamp"] = stamp(deleted)
        metadata["deletionGracePeriodSeconds"] = 30
    status: dict[str, JsonValue] = {"phase": phase, "conditions": list(conditions)}
    if reason:
        status["reason"] = reason
    if message:
        status["message"] = message
    if state is not None:
        own = {"agent": state}
        status["containerStatuses"] = _statuses({**(before or {}), **own, **(after or {})})
    if init:
        status["initContainerStatuses"] = _statuses(init)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": node} if node else {},
        "status": status,
    }


def _statuses(states: Mapping[str, JsonObject]) -> list[JsonValue]:
    return [
        {"name": name, "image": "heliostat-workspace:test", "state": state, "ready": False}
        for name, state in states.items()
    ]


def make_job(
    *conditions: JsonObject,
    name: str = JOB_NAME,
    uid: str | None = None,
    owner_uid: str | None = None,
) -> JsonObject:
    owner = owner_uid or make_uid("execution/default/sales-1")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": uid or make_uid(f"job/{name}"),
            "ownerReferences": [
                {
                    "apiVersion": "heliostat.dev/v1alpha1",
                    "kind": "Execution",
                    "name": "sales-1",
                    "uid": owner,
                    "controller": True,
                }
            ],
        },
        "status": {"conditions": list(conditions)},
    }


def job_failed(reason: str, message: str) -> JsonObject:
    return make_condition("Failed", reason=reason, message=message)


def make_event(reason: str, message: str, type_: str = "Warning") -> JsonObject:
    return {"type": type_, "reason": reason, "message": message}


def make_result(
    outcome: str = "Succeeded",
    reason: str = "Verified",
    cause: str | None = None,
    message: str = "The agent is done and its work was verified.",
    **fields: JsonValue,
) -> str:
    """A result document as the runner writes it, compact."""
    document: dict[str, JsonValue] = {
        "version": 1,
        "outcome": outcome,
        "reason": reason,
        "cause": cause,
        "message": message,
        "result": "42 sales.",
        "truncated": False,
        "sessionId": "0b0e7a52-7f0f-4dd0-a5b5-0f6fd3b5a001",
        "resumed": False,
        "turns": 3,
        "secondAttempts": 0,
        "usage": {
            "inputTokens": 10,
            "outputTokens": 20,
            "cacheReadTokens": 0,
            "cacheWriteTokens": 0,
        },
        "transcript": {
            "path": ".heliostat/transcript-1.jsonl",
            "lines": 12,
            "bytes": 3456,
            "stdoutCut": False,
            "marker": "heliostat: end of transcript, 12 events",
        },
        "startTime": stamp(STARTED),
        "endTime": stamp(FINISHED),
        **fields,
    }
    return json.dumps(document, separators=(",", ":"))
