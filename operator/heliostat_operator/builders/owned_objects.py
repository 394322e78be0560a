"""Objects that belong to a whole Execution: the snapshot of its Agent, its workspace's claim."""

from collections.abc import Mapping

from pydantic import TypeAdapter

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Execution
from heliostat_core.names import (
    AGENT_LABEL,
    ATTEMPT_LABEL,
    EXECUTION_ANNOTATION,
    EXECUTION_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    claim_name,
    label_value,
    snapshot_name,
)
from heliostat_core.worlds import CONTROLLER_REVISION, EXECUTION, VOLUME_CLAIM, JsonObject
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
