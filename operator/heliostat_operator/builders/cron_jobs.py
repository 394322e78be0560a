"""The CronJob of an Agent's schedule, and what its small pod needs in that namespace."""

from collections.abc import Mapping

from heliostat_core.agents import Agent
from heliostat_core.names import AGENT_LABEL, CRON_NAME, cron_job_name, label_value
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.timers import Timer
from heliostat_core.worlds import (
    AGENT,
    CILIUM_POLICY,
    CRON_JOB,
    EXECUTION,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    JsonObject,
    JsonValue,
    Kind,
)
from heliostat_operator.model import cron_pod_variables as variables
from heliostat_operator.model.api_addresses import Addresses

CRON_LABELS: Mapping[str, str] = {"app.kubernetes.io/name": CRON_NAME}
CALLER_NAME = "heliostat-cloud-scheduler"
_API_ACCOUNT = "heliostat-api"
_UID = 10001
_JOB_SECONDS = 300
_KEPT_SECONDS = 300
_RETRIES = 3
_STARTING_SECONDS = 120
"""A time that Kubernetes could not keep for so long is left to the operator."""


def build_cron_job(
    agent: Agent, schedule: Schedule, timer: Timer, image: str, *, suspend: bool
) -> JsonObject:
    """Every time gets a pod: what becomes of it, overlap among it, the operator decides."""
    meta = agent.metadata
    labels = {**CRON_LABELS, AGENT_LABEL: label_value(meta.name)}
    return {
        "apiVersion": CRON_JOB.api_version,
        "kind": CRON_JOB.name,
        "metadata": {
            "name": cron_job_name(meta.name),
            "namespace": meta.namespace,
            "labels": labels,
            "ownerReferences": [_owner(agent)],
        },
        "spec": {
            "schedule": timer.cron,
            "timeZone": timer.time_zone,
            "suspend": suspend,
            "concurrencyPolicy": "Allow",
            "startingDeadlineSeconds": _STARTING_SECONDS,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "metadata": {"labels": labels},
                "spec": {
                    "backoffLimit": _RETRIES,
                    "activeDeadlineSeconds": _JOB_SECONDS,
                    "ttlSecondsAfterFinished": _KEPT_SECONDS,
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": _pod_spec(agent, schedule, image),
                    },
                },
            },
        },
    }


def _owner(agent: Agent) -> JsonObject:
    return {
        "apiVersion": AGENT.api_version,
        "kind": AGENT.name,
        "name": agent.metadata.name,
        "uid": agent.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _pod_spec(agent: Agent, schedule: Schedule, image: str) -> JsonObject:
    return {
        "restartPolicy": "Never",
        "serviceAccountName": CRON_NAME,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _UID,
            "runAsGroup": _UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "cron",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "heliostat_operator.schedules.cron_pod"],
                "env": _environment(agent, schedule),
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"memory": "64Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _environment(agent: Agent, schedule: Schedule) -> list[JsonValue]:
    meta, seconds = agent.metadata, schedule.latest_start_seconds
    given = {
        variables.CRON_JOB: cron_job_name(meta.name),
        variables.NAMESPACE: meta.namespace,
        variables.AGENT: meta.name,
        variables.AGENT_LABEL_VALUE: label_value(meta.name),
        variables.DEADLINE: "" if seconds is None else str(seconds),
    }
    job = {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}
    return [
        {"name": variables.JOB, "valueFrom": {"fieldRef": job}},
        *({"name": name, "value": value} for name, value in given.items()),
    ]


# ---- what all pods of a namespace share ----------------------------------------------------------


def build_cron_rights(namespace: str) -> tuple[JsonObject, ...]:
    """Their ServiceAccount may make Executions there, and nothing else."""
    account = {**_shared(SERVICE_ACCOUNT, namespace), "automountServiceAccountToken": False}
    return (account, *_rights(CRON_NAME, namespace, (CRON_NAME, namespace)))


def build_caller_rights(namespace: str, system: str) -> tuple[JsonObject, ...]:
    """The api may make Executions there: Cloud Scheduler calls it for Agents anywhere."""
    return _rights(CALLER_NAME, namespace, (_API_ACCOUNT, system))


def _rights(name: str, namespace: str, account: tuple[str, str]) -> tuple[JsonObject, JsonObject]:
    rule = {"apiGroups": [EXECUTION.group], "resources": [EXECUTION.plural], "verbs": ["create"]}
    subject = {"kind": SERVICE_ACCOUNT.name, "name": account[0], "namespace": account[1]}
    return (
        {**_shared(ROLE, namespace, name), "rules": [rule]},
        {
            **_shared(ROLE_BINDING, namespace, name),
            "roleRef": {"apiGroup": ROLE.group, "kind": ROLE.name, "name": name},
            "subjects": [subject],
        },
    )


def build_cron_policy(namespace: str, server: Addresses) -> JsonObject:
    """They reach the API server, by its address, and nobody else."""
    to: list[JsonValue] = [{"ipBlock": {"cidr": each}} for each in server.cidrs]
    ports: list[JsonValue] = [{"port": each, "protocol": "TCP"} for each in server.ports]
    return {
        **_shared(NETWORK_POLICY, namespace),
        "spec": {
            "podSelector": {"matchLabels": CRON_LABELS},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [{"to": to, "ports": ports}],
        },
    }


def build_cron_cilium_policy(namespace: str, server: Addresses) -> JsonObject:
    """The same for Cilium, to whom no address of a node is in any ipBlock, 0.0.0.0/0 included."""
    ports: list[JsonValue] = [{"port": str(each), "protocol": "TCP"} for each in server.ports]
    return {
        **_shared(CILIUM_POLICY, namespace),
        "spec": {
            "endpointSelector": {"matchLabels": CRON_LABELS},
            "egress": [{"toEntities": ["kube-apiserver"], "toPorts": [{"ports": ports}]}],
        },
    }


def _shared(kind: Kind, namespace: str, name: str = CRON_NAME) -> JsonObject:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name, "namespace": namespace, "labels": CRON_LABELS},
    }
