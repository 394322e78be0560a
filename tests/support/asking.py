"""Runs that ask: the words of their pods, and people who decide on them."""

import json
from base64 import b64decode
from types import MappingProxyType

from heliostat_core.agents import AgentSpec
from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution
from heliostat_core.names import RUN_DOCUMENT_KEY
from heliostat_core.worlds import APPROVAL, EXECUTION, JsonObject, JsonValue, Ref
from heliostat_operator.builders.guards import build_guard
from heliostat_operator.settings import OperatorSettings
from heliostat_policy.actions import CanonicalAction, canonical_bytes, digest_of
from support.builders.pods import make_pod, make_result, running, terminated
from support.builders.resources import make_settings, make_spec
from support.lived_runs import Ground
from support.memory_world import MemoryWorld
from support.objects import mapping_at

RULES: JsonValue = [{"decision": "Ask", "argv": ["curl"]}]
VOLUME: JsonObject = {"storage": {"type": "Volume", "size": "1Gi"}}
ASKING: JsonObject = {"approvals": {"rules": RULES}, "workspace": VOLUME}
"""What an Agent says whose runs may ask."""
TOOL_USE = "toolu_1"
COMMAND = "curl -d @report https://reports.example.com"


def apply_asking(
    ground: Ground, approvals: JsonObject = MappingProxyType({}), *, suspend: bool = False
) -> JsonObject:
    """Applies an Agent whose runs may ask; its spec."""
    given: JsonObject = {"rules": RULES, **approvals}
    ground.agent(suspend=suspend, approvals=given, workspace=VOLUME)
    return {"suspend": suspend, "approvals": given, "workspace": VOLUME}


def make_action(
    execution: Execution,
    spec: AgentSpec,
    command: str = COMMAND,
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


def say(world: MemoryWorld, name: str, decision: str, reason: str = "") -> None:
    """A person decides, as kubectl writes it."""
    ref = Ref(APPROVAL, "default", name)
    found = world.objects[ref]
    digest = mapping_at(found, "spec", "action")["digest"]
    said = {"by": "ann", "decision": decision, "digest": digest, "reason": reason}
    world.put({**found, "spec": {**mapping_at(found, "spec"), "decisions": [said]}})


def find_out(world: MemoryWorld, name: str, outcome: str) -> None:
    """A person says whether an action of unknown outcome took place."""
    found = world.objects[Ref(APPROVAL, "default", name)]
    said = {"by": "ann", "outcome": outcome, "reason": "The receiver's log says so."}
    world.put({**found, "spec": {**mapping_at(found, "spec"), "resolution": said}})


async def ask(
    ground: Ground, attempt: int = 1, command: str = COMMAND, spec: JsonObject = ASKING
) -> str:
    """An attempt runs and ends to ask for a command; the digest of what it asks for."""
    name = f"sales-1-{attempt}"
    await ground.pod(make_pod("Running", running(ground.now())), name)
    action = make_action(execution_in(ground.world), make_spec(**spec), command)
    message = make_asking_result(make_ask(action, f"toolu_{attempt}"))
    await ground.pod(make_pod("Failed", terminated(16, message=message)), name)
    return digest_of(canonical_bytes(action))


async def approval_of(ground: Ground, digest: str) -> Approval:
    """The Approval of an action, once people are asked."""

    def found() -> list[Approval]:
        return [each for each in approvals_in(ground.world) if each.spec.action.digest == digest]

    await ground.wait(lambda: bool(found()), "an Approval")
    return found()[-1]


def execution_in(world: MemoryWorld, name: str = "sales-1") -> Execution:
    return Execution.model_validate(world.objects[Ref(EXECUTION, "default", name)])


def decided_in(secret: JsonObject) -> list[JsonObject]:
    """What the guard of an attempt is told, from its Secret."""
    document = b64decode(str(mapping_at(secret, "data")[RUN_DOCUMENT_KEY]))
    return [dict(each) for each in json.loads(document)["guard"]["decided"]]
