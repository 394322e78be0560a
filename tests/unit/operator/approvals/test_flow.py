"""The whole flow of an ask in the engine: asked, parked, decided, claimed, resumed, told of."""

from base64 import b64decode

from heliostat_core.approvals import ApprovalState
from heliostat_core.conditions import AwaitingReason, FinishedReason, RunningReason
from heliostat_core.executions import AskState
from heliostat_core.names import RUN_DOCUMENT_KEY
from heliostat_core.worlds import JOB, POD, SECRET, JsonObject, Ref
from support.asking import (
    ASKING,
    TOOL_USE,
    approvals_in,
    execution_in,
    guard_in,
    make_action,
    make_ask,
    make_asking_result,
    make_receipt,
    settle_approval,
)
from support.builders.pods import make_pod, make_result, running, terminated
from support.builders.resources import make_spec
from support.lived_runs import Ground
from support.manual_loop import run
from support.memory_world import Document
from support.objects import mapping_at


def left_of(ground: Ground) -> list[str]:
    """Names of Jobs, pods and Secrets that are there."""
    return [ref.name for ref in ground.world.objects if ref.kind in (JOB, POD, SECRET)]


def guard_of(secret: Document) -> JsonObject:
    return guard_in(b64decode(str(mapping_at(secret, "data")[RUN_DOCUMENT_KEY])))


async def asked(ground: Ground) -> None:
    """A run whose first attempt has asked, and that is parked."""
    ground.agent(**ASKING)
    ground.run()
    await ground.pod(make_pod("Running", running(ground.now())))
    await ground.until(RunningReason.CONTAINER_RUNNING)
    action = make_action(execution_in(ground.world), make_spec(**ASKING))
    message = make_asking_result(make_ask(action))
    await ground.pod(make_pod("Failed", terminated(16, message=message)))
    await ground.until(AwaitingReason.ASKED)
    await ground.wait(lambda: not left_of(ground), "nothing of the attempt")


def test_what_is_approved_is_done_once_by_the_attempt_that_claimed_it() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            await asked(ground)
            parked = execution_in(ground.world)
            [ask] = parked.status.asks or ()
            [approval] = approvals_in(ground.world)
            assert (parked.status.phase, ask.name) == ("AwaitingApproval", approval.metadata.name)
            assert ground.gateway.revoked == [(parked.metadata.uid, 1)]
            settle_approval(ground.world, ask.name, ApprovalState.GRANTED)
            await ground.pod(make_pod("Running", running(ground.now())), "sales-1-2")
            [claimed] = approvals_in(ground.world)
            assert claimed.state is ApprovalState.CLAIMED
            assert claimed.status.claim is not None
            assert claimed.status.claim.attempt == 2
            guard = guard_of(ground.world.objects[Ref(SECRET, "default", "sales-1-2")])
            [told] = guard["decided"]  # type: ignore[misc]
            assert (told["decision"], told["toolUseId"]) == ("Approve", TOOL_USE)
            receipt = make_receipt(claimed.metadata.uid, ask.digest, text="202 Accepted")
            message = make_result(receipts=[receipt], resumed=True)
            await ground.pod(make_pod("Succeeded", terminated(0, message=message)), "sales-1-2")
            await ground.until(FinishedReason.VERIFIED)
            [done] = approvals_in(ground.world)
            assert (done.state, done.status.receipt and done.status.receipt.text) == (
                ApprovalState.DONE,
                "202 Accepted",
            )
            [ask] = execution_in(ground.world).status.asks or ()
            assert (ask.state, ask.claimed_by) == (AskState.DONE, 2)

    run(live())
