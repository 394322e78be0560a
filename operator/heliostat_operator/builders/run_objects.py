"""Objects of a run beside its Secrets: its Agent's snapshot, its claim, a Job for each attempt."""

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from heliostat_core.agents import AgentSpec, PodMetadata
from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import (
    AGENT_CONTAINER,
    AGENT_LABEL,
    ATTEMPT_LABEL,
    DEFAULT_CONTAINER_ANNOTATION,
    EXECUTION_ANNOTATION,
    EXECUTION_KEY_KEY,
    EXECUTION_LABEL,
    EXECUTION_UID_ANNOTATION,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    RUN_DOCUMENT_KEY,
    claim_name,
    label_value,
    snapshot_name,
)
from heliostat_core.secret_refs import cluster_refs, managed_refs
from heliostat_core.traces import TRACEPARENT_VARIABLE, runner_context
from heliostat_core.worlds import (
    CONTROLLER_REVISION,
    EXECUTION,
    JOB,
    VOLUME_CLAIM,
    JsonObject,
    JsonValue,
)
from heliostat_operator.model.effects import NOBODY, Charge


def labels_of(execution: Execution, attempt: int | None = None) -> Mapping[str, str]:
    """Labels that select the objects of one Execution, or of one attempt of it."""
    labels = {
        MANAGED_BY_LABEL: MANAGED_BY,
        AGENT_LABEL: label_value(execution.spec.agent_ref.name),
        EXECUTION_LABEL: label_value(execution.metadata.name),
    }
    if attempt is not None:
        labels[ATTEMPT_LABEL] = str(attempt)
    return labels


def owner_reference(execution: Execution) -> JsonObject:
    """Garbage collection follows the Execution."""
    return {
        "apiVersion": EXECUTION.api_version,
        "kind": EXECUTION.name,
        "name": execution.metadata.name,
        "uid": execution.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def owned_metadata(execution: Execution, name: str, attempt: int | None = None) -> JsonObject:
    """Metadata of an object that belongs to an Execution."""
    return {
        "name": name,
        "namespace": execution.metadata.namespace,
        "labels": labels_of(execution, attempt),
        "annotations": {EXECUTION_ANNOTATION: execution.metadata.name},
        "ownerReferences": [owner_reference(execution)],
    }


_CHARGE = TypeAdapter(Charge)


def build_snapshot(
    execution: Execution, spec: AgentSpec, agent_uid: str, charge: Charge = NOBODY
) -> JsonObject:
    """Kubernetes refuses any change of its data: later edits of the Agent can't reach the run."""
    return {
        "apiVersion": CONTROLLER_REVISION.api_version,
        "kind": CONTROLLER_REVISION.name,
        "metadata": owned_metadata(execution, snapshot_name(execution.metadata.name)),
        "revision": 1,
        "data": {
            "agentUid": agent_uid,
            "spec": spec.to_json(),
            "charge": {"user": charge.user, "budgets": charge.budgets},
        },
    }


def read_snapshot(revision: JsonObject) -> AgentSpec:
    """The Agent's spec in a revision that build_snapshot made."""
    return AgentSpec.model_validate(_data(revision)["spec"])


def read_charge(revision: JsonObject) -> Charge:
    """Who is charged; nobody in a revision that an earlier release made."""
    return _CHARGE.validate_python(_data(revision).get("charge") or {})


def _data(revision: JsonObject) -> JsonObject:
    data = revision["data"]
    if not isinstance(data, dict):
        raise ValueError("The frozen spec of this Execution is not an object")
    return data


def build_claim(execution: Execution, size: str) -> JsonObject:
    return {
        "apiVersion": VOLUME_CLAIM.api_version,
        "kind": VOLUME_CLAIM.name,
        "metadata": owned_metadata(execution, claim_name(execution.metadata.name)),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        },
    }


RUN_DIR = "/run/heliostat"
WORKSPACE = "/workspace"
_CLAUDE_UID = 1000
_TERMINATION_GRACE_SECONDS = 30  # the runner takes two thirds of it


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
                "metadata": _pod_metadata(execution, attempt, spec),
                "spec": _pod_spec(execution, attempt, spec, default_image, traced=traced),
            },
        },
    }


def _pod_metadata(execution: Execution, attempt: Attempt, spec: AgentSpec) -> JsonObject:
    """What the Agent gives its pods, below what is ours."""
    template = spec.pod_template
    given = (template.metadata if template else None) or PodMetadata()
    return {
        "labels": {**(given.labels or {}), **labels_of(execution, attempt.number)},
        "annotations": {
            DEFAULT_CONTAINER_ANNOTATION: AGENT_CONTAINER,
            **(given.annotations or {}),
            EXECUTION_ANNOTATION: execution.metadata.name,
            EXECUTION_UID_ANNOTATION: execution.metadata.uid,
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
        "terminationGracePeriodSeconds": _TERMINATION_GRACE_SECONDS,
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


def managed_key(env_name: str) -> str:
    """The key of a value that becomes this variable."""
    return f"variable.{env_name}"
