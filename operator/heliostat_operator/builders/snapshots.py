"""The ControllerRevision that keeps the Agent's spec as it was at admission."""

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Execution
from heliostat_core.names import snapshot_name
from heliostat_core.worlds import CONTROLLER_REVISION, JsonObject
from heliostat_operator.builders.metadata import owned_metadata


def build_snapshot(execution: Execution, spec: AgentSpec, agent_uid: str) -> JsonObject:
    """Kubernetes refuses any change of its data: later edits of the Agent can't reach the run."""
    return {
        "apiVersion": CONTROLLER_REVISION.api_version,
        "kind": CONTROLLER_REVISION.name,
        "metadata": owned_metadata(execution, snapshot_name(execution.metadata.name)),
        "revision": 1,
        "data": {"agentUid": agent_uid, "spec": spec.to_json()},
    }


def read_snapshot(revision: JsonObject) -> AgentSpec:
    """The Agent's spec in a revision that build_snapshot made."""
    data = revision["data"]
    if not isinstance(data, dict):
        raise ValueError("The frozen spec of this Execution is not an object")
    return AgentSpec.model_validate(data["spec"])
