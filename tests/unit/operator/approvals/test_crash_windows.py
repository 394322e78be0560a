"""Each window in which something may die between an ask and its receipt, and what follows."""

from collections.abc import Callable

import pytest

from heliostat_core.approvals import ApprovalState
from heliostat_core.executions import AskState
from support.asked_runs import AskedRun, AskingPod

Until = Callable[[AskedRun], bool]


def go_on(run: AskedRun, is_there: Until, *, approving: bool = True, steps: int = 200) -> None:
    """Everything works in small steps, until something is so."""
    for _ in range(steps):
        if is_there(run):
            return
        for turn in (run.operate, run.make_pods, run.settle_asks):
            turn()
            if is_there(run):
                return
        run.run_pod()
        if approving and not is_there(run):
            run.say("Approve")
        run.pass_time(0.1)
    raise AssertionError(f"it never was so: {run.execution.status}")


def has_asked(run: AskedRun) -> bool:
    return bool(run.execution.status.asks)


def has_approval(run: AskedRun) -> bool:
    return bool(run.approvals)


def is_in(state: ApprovalState) -> Until:
    return lambda run: any(each.state is state for each in run.approvals.values())


def acts(stage: str) -> Until:
    return lambda run: any(each.stage == stage for each in run.pods.values())


def has_attempt(number: int) -> Until:
    return lambda run: len(run.execution.status.attempts) == number


def acting_pod(run: AskedRun) -> AskingPod:
    [pod] = [each for each in run.pods.values() if not each.has_ended]
    return pod


def states_of(run: AskedRun) -> list[AskState]:
    return [each.state for each in run.execution.status.asks or ()]


def all_done_once(run: AskedRun) -> bool:
    return list(run.done.values()) == [1] * len(run.actions) and not run.unasked


@pytest.mark.parametrize("is_pod_gone", [False, True])
def test_w1_an_ask_that_was_made_and_not_recorded_is_found_again(is_pod_gone: bool) -> None:
    run = AskedRun(1)
    go_on(run, has_approval, approving=False)
    assert not has_asked(run)
    run.kill_operator()
    if is_pod_gone:  # and its result document with it: the next attempt asks once more
        run.remove_pod()
    run.drain()
    assert all_done_once(run)
    assert list(run.approvals) == [each.name for each in run.execution.status.asks or ()]


def test_w2_nothing_happens_while_nobody_decides() -> None:
    run = AskedRun(1)
    go_on(run, has_asked, approving=False)
    run.kill_operator()
    for _ in range(5):
        run.look()
        run.pass_time(3600)
    assert (run.pods, run.jobs, run.secrets, run.revoked) == ({}, {}, {}, {1})
    assert (run.execution.status.phase, len(run.execution.status.attempts)) == (
        "AwaitingApproval",
        1,
    )


def test_w3_a_decision_that_nobody_followed_is_followed_later() -> None:
    run = AskedRun(1)
    go_on(run, is_in(ApprovalState.GRANTED))
    run.kill_operator()
    run.pass_time(5 * 3600)
    run.drain()
    assert all_done_once(run)


@pytest.mark.parametrize("steps", range(6))
def test_w4_a_claim_on_record_is_finished_by_the_next_operator(steps: int) -> None:
    run = AskedRun(1)
    go_on(run, has_attempt(2))
    [ask] = run.execution.status.asks or ()
    assert ask.claimed_by == 2  # before the Approval is claimed, and before any grant
    assert (run.secrets, is_in(ApprovalState.CLAIMED)(run)) == ({}, False)
    for _ in range(steps):
        run.operate()
        told = run.secrets.get(2)
        assert told is None or is_in(ApprovalState.CLAIMED)(run)
    run.kill_operator()
    run.drain()
    assert all_done_once(run)
    assert len(run.execution.status.attempts) == 2


def test_a_claim_that_was_never_given_is_known_to_be_unused() -> None:
    run = AskedRun(1)
    go_on(run, has_attempt(2))
    run.kill_operator()
    run.cancel()  # its Approval is not claimed yet
    run.drain()
    assert (states_of(run), run.done[run.digest(0)]) == ([AskState.WITHDRAWN], 0)
    assert [each.state for each in run.approvals.values()] == [ApprovalState.WITHDRAWN]


@pytest.mark.parametrize(
    ("window", "stage", "happened"),
    [("W5", "allowed", False), ("W6", "done", True), ("W7", "told", True)],
)
def test_w5_to_w7_what_a_pod_took_with_it_is_unknown_until_a_person_has_looked(
    window: str, stage: str, happened: bool
) -> None:
    run = AskedRun(1)
    go_on(run, acts(stage))
    digest = run.digest(0)
    run.kill_pod()
    go_on(run, is_in(ApprovalState.OUTCOME_UNKNOWN), approving=False)
    for _ in range(5):
        run.look()
        run.pass_time(60)
    assert len(run.execution.status.attempts) == 2, window  # nobody tries once more
    assert (run.done[digest], states_of(run)) == (int(happened), [AskState.OUTCOME_UNKNOWN])
    assert run.execution.status.phase == "AwaitingApproval"
    run.drain()
    assert all_done_once(run)
    assert states_of(run) == ([AskState.DONE] if happened else [AskState.DENIED, AskState.DONE])
    names = [each.name for each in run.execution.status.asks or ()]
    assert [each.endswith("-2") for each in names] == ([False] if happened else [False, True])


def test_w8_a_pod_on_a_silent_node_holds_everything_up() -> None:
    run = AskedRun(1)
    go_on(run, acts("allowed"))
    run.node_answers = False
    acting_pod(run).deleted = run.now
    run.pass_time(120)  # its node does not answer: the attempt is called over
    for _ in range(5):
        run.look()
        run.settle_asks()
    assert run.execution.current_attempt is not None
    assert run.execution.current_attempt.reason == "NodeLost"
    assert states_of(run) == [AskState.OUTCOME_UNKNOWN]
    assert not run.find_out()  # nobody is asked yet: whatever they say may be wrong in a moment
    run.run_pod()  # it does it, late
    run.run_pod()
    run.drain()
    assert all_done_once(run)
    assert states_of(run) == [AskState.DONE]


def test_a_run_whose_unknown_outcome_nobody_finds_out_fails() -> None:
    run = AskedRun(1)
    go_on(run, acts("done"))
    run.kill_pod()
    go_on(run, is_in(ApprovalState.OUTCOME_UNKNOWN), approving=False)
    run.pass_time(86_400)
    for _ in range(3):
        run.look()
    assert (run.execution.finished_reason, run.done[run.digest(0)]) == ("OutcomeUnknown", 1)


def operator_steps() -> int:
    """How many small steps operators take in a history without any fault."""
    run, steps = AskedRun(2), 0
    while not run.execution.is_finished:
        steps += run.operate()
        for turn in (run.make_pods, run.run_pod, run.settle_asks, lambda: run.say("Approve")):
            turn()
        run.pass_time(1)
    return steps


@pytest.mark.parametrize("step", range(operator_steps()))
def test_an_operator_that_dies_after_any_step_changes_nothing(step: int) -> None:
    run, taken = AskedRun(2), 0
    while not run.execution.is_finished and taken < step:
        taken += run.operate()
        for turn in (run.make_pods, run.run_pod, run.settle_asks, lambda: run.say("Approve")):
            turn()
        run.pass_time(1)
    run.kill_operator()
    run.drain()
    assert all_done_once(run)
    assert run.execution.finished_reason == "Verified"
