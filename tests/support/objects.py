"""Small objects of every kind that a world serves, and readers for JSON documents."""

from collections.abc import Mapping
from typing import Any

from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CRON_JOB,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    EVENT,
    EXECUTION,
    JOB,
    LEASE,
    NETWORK_POLICY,
    POD,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    VOLUME_CLAIM,
    JsonObject,
    JsonValue,
    Kind,
)
from support.worlds import document

_POD_SPEC = {
    "restartPolicy": "Never",
    "containers": [{"name": "agent", "image": "none", "command": ["true"]}],
}

ENDED: Any = [
    {
        "type": kind,
        "status": "True",
        "reason": "Verified",
        "message": "",
        "lastTransitionTime": "2026-11-22T12:00:00Z",
        "observedGeneration": 1,
    }
    for kind in ("Succeeded", "Settled")
]
"""Conditions of a run that went well, and of which nothing is left."""


def smallest_object(kind: Kind, namespace: str, name: str) -> JsonObject:
    """The least that the API takes of that kind."""
    return document(kind, namespace, name, **_parts(namespace)[kind])


def _parts(namespace: str) -> Mapping[Kind, Mapping[str, object]]:
    return {
        AGENT: {"spec": {"prompt": "Say hello."}},
        EXECUTION: {"spec": {"agentRef": {"name": "sales"}}},
        APPROVAL: {
            "spec": {
                "executionRef": {"name": "sales-1", "uid": "uid-1"},
                "action": {"tool": "Bash", "class": "Send", "digest": f"sha256:{'a' * 64}"},
                "expiresTime": "2099-01-01T00:00:00Z",
            }
        },
        CONFIG_MAP: {"data": {"key": "value"}},
        CONTROLLER_REVISION: {"revision": 1, "data": {"spec": {"prompt": "Say hello."}}},
        SECRET: {"type": "Opaque", "data": {"key": "c2VjcmV0"}},
        VOLUME_CLAIM: {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }
        },
        DEPLOYMENT: {
            "spec": {
                "selector": {"matchLabels": {"app": "one"}},
                "template": {
                    "metadata": {"labels": {"app": "one"}},
                    "spec": {"containers": [{"name": "one", "image": "none"}]},
                },
            }
        },
        JOB: {"spec": {"backoffLimit": 0, "template": {"spec": _POD_SPEC}}},
        POD: {"spec": _POD_SPEC},
        CRON_JOB: {
            "spec": {
                "schedule": "0 8 * * *",
                "jobTemplate": {"spec": {"template": {"spec": _POD_SPEC}}},
            }
        },
        SERVICE: {"spec": {"ports": [{"port": 80}]}},
        ENDPOINT_SLICE: {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}]},
        NETWORK_POLICY: {"spec": {"podSelector": {}}},
        ROLE: {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        ROLE_BINDING: {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"},
            "subjects": [{"kind": "ServiceAccount", "name": "one", "namespace": namespace}],
        },
        SERVICE_ACCOUNT: {"automountServiceAccountToken": False},
        LEASE: {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}},
        EVENT: {
            "involvedObject": {"kind": "Agent", "namespace": namespace, "name": "sales"},
            "reason": "ExecutionDeleted",
            "message": "Gone.",
            "type": "Normal",
        },
    }


def make_agent(namespace: str, name: str = "sales", **spec: object) -> JsonObject:
    return document(AGENT, namespace, name, spec={"prompt": "Say hello.", **spec})


def make_execution(
    namespace: str, name: str = "run", metadata: Mapping[str, object] | None = None, **spec: object
) -> JsonObject:
    return document(
        EXECUTION,
        namespace,
        name,
        metadata=dict(metadata or {}),
        spec={"agentRef": {"name": "sales"}, **spec},
    )


def with_metadata(obj: JsonObject, **more: JsonValue) -> JsonObject:
    """The object with these fields of its metadata set."""
    return {**obj, "metadata": {**mapping_at(obj, "metadata"), **more}}


def mapping_at(obj: JsonObject, *path: str) -> JsonObject:
    value = value_at(obj, *path)
    assert isinstance(value, Mapping), path
    return value


def value_at(obj: JsonObject, *path: str) -> JsonValue:
    """What is there, or None."""
    value: JsonValue = obj
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text_at(obj: JsonObject, *path: str) -> str:
    value = value_at(obj, *path)
    assert isinstance(value, str), path
    return value


def name_of(obj: JsonObject) -> str:
    return text_at(obj, "metadata", "name")


def uid_of(obj: JsonObject) -> str:
    return text_at(obj, "metadata", "uid")


def version_of(obj: JsonObject) -> str:
    return text_at(obj, "metadata", "resourceVersion")


def generation_of(obj: JsonObject) -> JsonValue:
    return value_at(obj, "metadata", "generation")
