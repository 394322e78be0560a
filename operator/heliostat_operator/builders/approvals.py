"""The Approval of an action that a run asks for."""

from heliostat_core.approvals import ApprovalSpec
from heliostat_core.executions import Execution
from heliostat_core.worlds import APPROVAL, JsonObject
from heliostat_operator.builders.run_objects import owned_metadata


def build_approval(execution: Execution, name: str, spec: ApprovalSpec) -> JsonObject:
    """Goes with its Execution. People add decisions, the operator writes the status."""
    return {
        "apiVersion": APPROVAL.api_version,
        "kind": APPROVAL.name,
        "metadata": owned_metadata(execution, name),
        "spec": spec.to_json(),
    }
