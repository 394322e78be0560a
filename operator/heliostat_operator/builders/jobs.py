"""The Job of one attempt: one pod, one container, fit for Pod Security `restricted`."""

from collections.abc import Sequence

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import (
    AGENT_CONTAINER,
    EXECUTION_ANNOTATION,
    EXECUTION_KEY_KEY,
    EXECUTION_UID_ANNOTATION,
    RUN_DOCUMENT_KEY,
    claim_name,
)
from heliostat_core.secret_refs import cluster_refs, managed_refs
from heliostat_core.traces import TRACEPARENT_VARIABLE, runner_context
from heliostat_core.worlds import JOB, JsonObject, JsonValue
from heliostat_operator.builders.owned_objects import owned_metadata
from heliostat_operator.builders.run_secrets import TERMINATION_GRACE_SECONDS, managed_key

RUN_DIR = "/run/heliostat"
WORKSPACE = "/workspace"
_CLAUDE_UID = 1000


def build_job(
    execution: Execution,
    attempt: Attempt,
    spec: AgentSpec,
    default_image: str,
    *,
    traced: bool = False,
) -> JsonObject:
    """`backoffLimit` is 0: attempts are ours, an eviction must not burn them."""
    metadata = owned_metadata(execution, attempt.job_name, attempt.number)
    pod_annotations = {
        EXECUTION_ANNOTATION: execution.metadata.name,
        EXECUTION_UID_ANNOTATION: execution.metadata.uid,
    }
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": _failure_policy(),
            "template": {
                "metadata": {"labels": metadata["labels"], "annotations": pod_annotations},
                "spec": _pod_spec(execution, attempt, spec, default_image, traced=traced),
            },
        },
    }


def _failure_policy() -> JsonObject:
    """Keeps the cause in the Job's condition, which outlives the pod. Never Ignore: it would make
    a second pod behind our back."""
    return {
        "rules": [
            {
                "action": "FailJob",
                "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
            {
                "action": "FailJob",
                "onExitCodes": {
                    "containerName": AGENT_CONTAINER,
                    "operator": "NotIn",
                    "values": [0],
                },
            },
        ]
    }


def _pod_spec(
    execution: Execution, attempt: Attempt, spec: AgentSpec, default_image: str, *, traced: bool
) -> JsonObject:
    trace = [_trace(execution, attempt)] if traced else []
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _CLAUDE_UID,
            "runAsGroup": _CLAUDE_UID,
            "fsGroup": _CLAUDE_UID,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(execution, attempt, spec, default_image, trace)],
        "volumes": [
            {"name": "run", "secret": _run_volume(attempt)},
            {"name": "workspace", **_workspace_source(execution, spec)},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _container(
    execution: Execution,
    attempt: Attempt,
    spec: AgentSpec,
    default_image: str,
    trace: Sequence[JsonValue],
) -> JsonObject:
    resources = spec.workspace.resources
    return {
        "name": AGENT_CONTAINER,
        "image": spec.workspace.image or default_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["heliostat-runner"],
        "workingDir": WORKSPACE,
        "env": [*_environment(execution, attempt, spec), *trace],
        "resources": {
            "requests": {"cpu": resources.cpu, "memory": resources.memory},
            "limits": {"memory": resources.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "run", "mountPath": RUN_DIR, "readOnly": True},
            {"name": "workspace", "mountPath": WORKSPACE},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _environment(execution: Execution, attempt: Attempt, spec: AgentSpec) -> list[JsonValue]:
    trigger = execution.spec.trigger
    own: list[JsonValue] = [
        {"name": "HELIOSTAT_RUN_DIR", "value": RUN_DIR},
        {"name": "HELIOSTAT_WORKSPACE", "value": WORKSPACE},
        {"name": "HELIOSTAT_CORRELATION_ID", "value": execution.correlation_id},
        {"name": "HELIOSTAT_TRIGGER_KIND", "value": trigger.kind},
        {"name": "HELIOSTAT_TRIGGER_ID", "value": trigger.id},
    ]
    plain: list[JsonValue] = [
        {"name": each.name, "value": each.value} for each in spec.workspace.env
    ]
    secret = [
        _from_secret(each.env_name, each.name, each.key)
        for each in cluster_refs(spec.workspace.secret_refs)
    ]
    managed = [
        _from_secret(each.env_name, attempt.job_name, managed_key(each.env_name))
        for each in managed_refs(spec.workspace.secret_refs)
    ]
    return own + plain + secret + managed


def _from_secret(variable: str, secret: str, key: str) -> JsonValue:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _run_volume(attempt: Attempt) -> JsonObject:
    """Not the whole Secret: values that are variables need not lie in files as well."""
    keys = (RUN_DOCUMENT_KEY, EXECUTION_KEY_KEY)
    items = [{"key": each, "path": each} for each in keys]
    return {"secretName": attempt.job_name, "defaultMode": 0o440, "items": items}


def _trace(execution: Execution, attempt: Attempt) -> JsonObject:
    """For programs of the agent that trace themselves; model calls find their run by its key."""
    context = runner_context(execution.correlation_id, execution.metadata.uid, attempt.number)
    return {"name": TRACEPARENT_VARIABLE, "value": context.to_header()}


def _workspace_source(execution: Execution, spec: AgentSpec) -> JsonObject:
    if spec.workspace.storage.type == "Volume":
        return {"persistentVolumeClaim": {"claimName": claim_name(execution.metadata.name)}}
    return {"emptyDir": {}}
