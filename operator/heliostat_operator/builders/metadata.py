"""Metadata that all objects of an Execution share."""

from collections.abc import Mapping

from heliostat_core.executions import Execution
from heliostat_core.names import (
    AGENT_LABEL,
    ATTEMPT_LABEL,
    EXECUTION_ANNOTATION,
    EXECUTION_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    label_value,
)
from heliostat_core.worlds import EXECUTION, JsonObject


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
