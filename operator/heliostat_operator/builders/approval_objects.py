"""What the operator writes of an Approval that is there: its status, and what holds it."""

from heliostat_core.approvals import Approval, ApprovalStatus
from heliostat_core.names import CLAIM_FINALIZER
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import APPROVAL, JsonObject


def build_approval_status(approval: Approval, status: ApprovalStatus) -> JsonObject:
    """The status, if nobody has written since it was decided."""
    meta = approval.metadata
    return {
        "apiVersion": APPROVAL.api_version,
        "kind": APPROVAL.name,
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "resourceVersion": meta.resource_version,
        },
        "status": status.to_json(),
    }


def build_hold(meta: ObjectMeta, *, held: bool) -> JsonObject:
    """The finalizer of what was granted, put on or taken off."""
    return {
        "apiVersion": APPROVAL.api_version,
        "kind": APPROVAL.name,
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "finalizers": [CLAIM_FINALIZER] if held else [],
        },
    }
