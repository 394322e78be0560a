"""The ControllerRevision that keeps the Agent's spec as it was at admission."""

from pydantic import TypeAdapter

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Execution
from heliostat_core.names import snapshot_name
from heliostat_core.worlds import CONTROLLER_REVISION, JsonObject
from heliostat_operator.builders.metadata import owned_metadata
from heliostat_operator.runs.charges import NOBODY, Charge

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
