"""Runs that ask: the words of their pods, and people who decide on them."""

import json

from heliostat_core.agents import AgentSpec
from heliostat_core.approvals import Approval, ApprovalState
from heliostat_core.executions import Execution
from heliostat_core.worlds import APPROVAL, EXECUTION, JsonObject, JsonValue, Ref
from heliostat_operator.builders.guards import build_guard
from heliostat_operator.settings import OperatorSettings
from heliostat_policy.actions import CanonicalAction, canonical_bytes, digest_of
from support.builders.pods import make_result
from support.builders.resources import make_settings
from support.memory_world import MemoryWorld

ASKING: JsonObject = {
    "approvals": {"rules": [{"decision": "Ask", "argv": ["curl"]}]},
    "workspace": {"storage": {"type": "Volume", "size": "1Gi"}},
}
"""What an Agent says whose runs may ask."""
TOOL_USE = "toolu_01"


def make_action(
    execution: Execution,
    spec: AgentSpec,
    command: str = "curl -d @report https://reports.example.com",
    settings: OperatorSettings | None = None,
) -> CanonicalAction:
    """The action as a pod of that run builds it."""
    guard = build_guard(execution, spec, settings or make_settings())
    assert guard is not None
    return CanonicalAction(
        tool="Bash",
        args={"command": command},
        cwd="/workspace",
        egress=guard.egress,
        workspace=guard.workspace,
        policy=guard.version,
        execution=execution.metadata.uid,
    )


def make_ask(
    asked: CanonicalAction, /, tool_use_id: str = TOOL_USE, **fields: JsonValue
) -> JsonObject:
    """The ask in a result document."""
    canonical = canonical_bytes(asked)
    return {
        "toolUseId": tool_use_id,
        "tool": asked.tool,
        "digest": digest_of(canonical),
        "complete": True,
        "action": canonical.decode(),
        "bytes": len(canonical),
        "preview": "curl",
        **fields,
    }


def make_asking_result(ask: JsonValue, **fields: JsonValue) -> str:
    """The result document of an attempt that ended to ask."""
    words = "The run waits for an approval."
    return make_result("Failed", "AwaitingApproval", "approval", words, ask=ask, **fields)


def make_receipt(approval: str, digest: str, outcome: str = "Done", text: str = "ok") -> JsonObject:
    """The pod's word about what it was granted."""
    return {"approval": approval, "digest": digest, "outcome": outcome, "text": text}


def approvals_in(world: MemoryWorld) -> list[Approval]:
    """All that was asked, in the order in which it was."""
    return [
        Approval.model_validate(each) for ref, each in world.objects.items() if ref.kind == APPROVAL
    ]


def settle_approval(world: MemoryWorld, name: str, state: ApprovalState, reason: str = "") -> None:
    """The controller of asks writes what people decided."""
    ref = Ref(APPROVAL, "default", name)
    status = {"state": state.value, "reason": reason or state.value, "message": "", "counted": []}
    world.put({**world.objects[ref], "status": status})


def execution_in(world: MemoryWorld, name: str = "sales-1") -> Execution:
    return Execution.model_validate(world.objects[Ref(EXECUTION, "default", name)])


def guard_in(document: bytes) -> JsonObject:
    """The guard of a run document."""
    guard: JsonObject = json.loads(document)["guard"]
    return guard
