"""The whole flow of an ask in the engine: asked, parked, decided, claimed, resumed, told of."""

import asyncio

import pytest

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.approvals import Approval, ApprovalState
from heliostat_core.conditions import (
    AwaitingReason,
    BlockedReason,
    FinishedReason,
)
from heliostat_core.executions import AskState, Execution
from heliostat_core.names import attempt_name
from heliostat_core.worlds import AGENT, EXECUTION, JOB, POD, SECRET, JsonValue, Ref
from support.asking import (
    TOOL_USE,
    apply_asking,
    approval_of,
    approvals_in,
    ask,
    decided_in,
    execution_in,
    make_action,
    make_ask,
    make_asking_result,
    make_receipt,
    say,
)
from support.builders.pods import make_pod, make_result, running, terminated
from support.builders.resources import make_settings, make_spec
from support.lived_runs import Ground
from support.manual_loop import run


def left_of(ground: Ground) -> list[str]:
    """Names of Jobs, pods and Secrets that are there."""
    return [ref.name for ref in ground.world.objects if ref.kind in (JOB, POD, SECRET)]


def blocks_of(ground: Ground) -> list[str]:
    return [each.reason for each in execution_in(ground.world).status.blocked_by]


async def asked(ground: Ground, **approvals: JsonValue) -> Approval:
    """A run whose first attempt has asked, and that is parked."""
    spec = apply_asking(ground, approvals)
    ground.run()
    digest = await ask(ground, spec=spec)
    await ground.until(AwaitingReason.ASKED)
    await ground.wait(lambda: not left_of(ground), "nothing of the attempt")
    return await approval_of(ground, digest)


async def resumed(ground: Ground, message: str, code: int = 0) -> None:
    """The second attempt runs, and ends with this result document."""
    await ground.pod(make_pod("Running", running(ground.now())), "sales-1-2")
    phase = "Failed" if code else "Succeeded"
    await ground.pod(make_pod(phase, terminated(code, message=message)), "sales-1-2")


def test_what_is_approved_is_done_once_by_the_attempt_that_claimed_it() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            approval = await asked(ground)
            parked = execution_in(ground.world)
            [recorded] = parked.status.asks or ()
            assert (parked.status.phase, recorded.name) == (
                "AwaitingApproval",
                approval.metadata.name,
            )
            assert ground.gateway.revoked == [(parked.metadata.uid, 1)]
            say(ground.world, recorded.name, "Approve")
            await ground.pod(make_pod("Running", running(ground.now())), "sales-1-2")
            [claimed] = approvals_in(ground.world)
            assert claimed.state is ApprovalState.CLAIMED
            assert claimed.status.claim is not None
            assert claimed.status.claim.attempt == 2
            [told] = decided_in(ground.world.objects[Ref(SECRET, "default", "sales-1-2")])
            assert (told["decision"], told["toolUseId"]) == ("Approve", TOOL_USE)
            receipt = make_receipt(claimed.metadata.uid, recorded.digest, text="202 Accepted")
            message = make_result(receipts=[receipt], resumed=True)
            await ground.pod(make_pod("Succeeded", terminated(0, message=message)), "sales-1-2")
            await ground.until(FinishedReason.VERIFIED)
            [done] = approvals_in(ground.world)
            assert (done.state, done.status.receipt and done.status.receipt.text) == (
                ApprovalState.DONE,
                "202 Accepted",
            )
            [recorded] = execution_in(ground.world).status.asks or ()
            assert (recorded.state, recorded.claimed_by) == (AskState.DONE, 2)

    run(live())


def test_what_is_denied_is_told_to_the_session_and_the_run_goes_on() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            approval = await asked(ground)
            say(ground.world, approval.metadata.name, "Deny")
            await ground.wait(lambda: "sales-1-2" in left_of(ground), "a second attempt")
            [told] = decided_in(ground.world.objects[Ref(SECRET, "default", "sales-1-2")])
            assert (told["decision"], told["reason"]) == ("Deny", "A person denied it.")
            message = make_result(reason="Unverified", message="Done as the agent says.", denied=1)
            await resumed(ground, message)
            await ground.until(FinishedReason.UNVERIFIED)
            ended = execution_in(ground.world)
            [words] = [each.message for each in ended.status.conditions if each.type == "Succeeded"]
            assert words == "Done as the agent says. 1 action was denied."
            [approval] = approvals_in(ground.world)
            assert (approval.state, approval.status.claim) == (ApprovalState.DENIED, None)

    run(live())


def test_what_nobody_answers_ends_the_run_without_another_attempt() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            await asked(ground, expireSeconds=600)
            await ground.until(FinishedReason.APPROVAL_EXPIRED)
            ended = execution_in(ground.world)
            assert (ended.status.phase, len(ended.status.attempts)) == ("Failed", 1)
            assert [each.state for each in ended.status.asks or ()] == [AskState.EXPIRED]

    run(live())


def test_others_run_while_it_waits_and_it_goes_before_what_has_not_begun() -> None:
    async def live() -> None:
        ground = Ground(make_settings(max_concurrent_executions=1))
        async with ground.living():
            approval = await asked(ground)
            ground.run("sales-2")  # of the same Agent, which runs one at a time
            ended = make_pod("Succeeded", terminated(0, message=make_result()))
            await ground.pod(ended, "sales-2-1")
            await ground.wait(
                lambda: execution_in(ground.world, "sales-2").is_finished, "the other"
            )
            ground.run("sales-3")
            await ground.wait(lambda: "sales-3-1" in left_of(ground), "the third")
            ground.run("sales-4")
            say(ground.world, approval.metadata.name, "Approve")
            full = [BlockedReason.TOTAL_CONCURRENCY]
            await ground.wait(lambda: blocks_of(ground) == full, "it waits for a slot")
            await ground.pod(ended, "sales-3-1")
            await ground.wait(lambda: "sales-1-2" in left_of(ground), "it goes on")
            assert "sales-4-1" not in left_of(ground)

    run(live())


def test_a_granted_run_waits_while_its_agent_is_suspended() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            approval = await asked(ground)
            apply_asking(ground, suspend=True)
            say(ground.world, approval.metadata.name, "Approve")
            await ground.until(BlockedReason.AGENT_SUSPENDED)
            [approval] = approvals_in(ground.world)
            assert approval.state is ApprovalState.GRANTED  # nothing is claimed before a slot
            apply_asking(ground)
            await ground.wait(lambda: "sales-1-2" in left_of(ground), "it goes on")

    run(live())


def test_a_run_that_is_cancelled_while_it_waits_asks_for_nothing_more() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            await asked(ground)
            ground.change(cancel=True)
            await ground.until(FinishedReason.CANCELLED)
            ended = execution_in(ground.world)
            assert [each.state for each in ended.status.asks or ()] == [AskState.WITHDRAWN]
            waits = [each for each in ended.status.conditions if each.type == "AwaitingApproval"]
            assert [each.status for each in waits] == ["False"]

    run(live())


@pytest.mark.parametrize(
    ("receipts", "state"),
    [
        ([], ApprovalState.WITHDRAWN),  # the pod's word: it did nothing
        ("nonsense", ApprovalState.OUTCOME_UNKNOWN),
        (None, ApprovalState.OUTCOME_UNKNOWN),  # no document at all
    ],
)
def test_a_claim_without_a_receipt(receipts: JsonValue, state: ApprovalState) -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            approval = await asked(ground)
            say(ground.world, approval.metadata.name, "Approve")
            failed = make_result("Failed", "ProviderFailed", "infrastructure", receipts=receipts)
            await resumed(ground, failed if receipts is not None else "", 15)
            await ground.wait(lambda: approvals_in(ground.world)[0].state is state, state)
            if state is ApprovalState.OUTCOME_UNKNOWN:
                await ground.until(AwaitingReason.OUTCOME_UNKNOWN)
                assert "sales-1-3" not in left_of(ground)
            else:
                await ground.wait(lambda: "sales-1-3" in left_of(ground), "it is tried again")

    run(live())


def test_a_schedule_that_nobody_answers_has_no_pile_and_no_success() -> None:
    async def live() -> None:
        ground = Ground()
        async with ground.living():
            spec = apply_asking(ground, {"unattended": "Ask"})
            minutely = {"cron": "* * * * *", "trigger": "Builtin"}
            approvals, workspace = spec["approvals"], spec["workspace"]
            ground.agent(approvals=approvals, workspace=workspace, schedule=minutely)
            most = 0
            while len(finished_of(ground)) < 3:
                most = max(most, len(unfinished_of(ground)))
                for each in unfinished_of(ground):
                    await ask_of(ground, each, make_spec(**spec))
                await asyncio.sleep(1)
            assert most == 1
            ended = {each.finished_reason for each in finished_of(ground)}
            assert ended == {FinishedReason.APPROVAL_EXPIRED}
            agent = Agent.model_validate(ground.world.objects[Ref(AGENT, "default", "sales")])
            assert agent.status.schedule is not None
            receipts = agent.status.schedule.recent
            assert {each.outcome for each in receipts} == {"Ran"}  # each tick has its run
            assert sum(each.count for each in receipts) >= 3

    run(live())


def runs_of(ground: Ground) -> list[Execution]:
    kept = [each for ref, each in ground.world.objects.items() if ref.kind == EXECUTION]
    return [Execution.model_validate(each) for each in kept]


def finished_of(ground: Ground) -> list[Execution]:
    return [each for each in runs_of(ground) if each.is_finished]


def unfinished_of(ground: Ground) -> list[Execution]:
    return [each for each in runs_of(ground) if not each.is_finished]


async def ask_of(ground: Ground, execution: Execution, spec: AgentSpec) -> None:
    """The run's first attempt ends to ask, where it has not yet."""
    name = attempt_name(execution.metadata.name, 1)
    job = Ref(JOB, "default", name)
    has_pod = Ref(POD, "default", f"{name}-pod") in ground.world.objects
    if job not in ground.world.objects or has_pod or execution.status.asks:
        return
    message = make_asking_result(make_ask(make_action(execution, spec)))
    await ground.pod(make_pod("Failed", terminated(16, message=message)), name)
