"""The state machine of an ask: what was claimed is never claimed again, what ended stays."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliostat_core.approvals import (
    Action,
    ActionClass,
    Approval,
    ApprovalReason,
    ApprovalSpec,
    ApprovalState,
    ApprovalStatus,
    Claim,
    ExecutionRef,
    Outcome,
    Receipt,
    Resolution,
    claim,
    leave,
    lose,
    receive,
    resolve,
    settle,
    withdraw,
)
from heliostat_core.resources import ObjectMeta

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
ENDED = {
    ApprovalState.DONE,
    ApprovalState.DENIED,
    ApprovalState.EXPIRED,
    ApprovalState.WITHDRAWN,
}
Step = Callable[[Approval], ApprovalStatus | None]


def ask(state: ApprovalState | None = None, resolution: Resolution | None = None) -> Approval:
    claimed = state in (ApprovalState.CLAIMED, ApprovalState.OUTCOME_UNKNOWN, ApprovalState.DONE)
    held = Claim(attempt=2, time=NOW) if claimed else None
    return Approval(
        metadata=ObjectMeta(name="a"),
        spec=ApprovalSpec(
            execution_ref=ExecutionRef(name="sales-1", uid="uid"),
            action=Action(
                tool="Bash", class_=ActionClass.SEND, digest="sha256:" + "a" * 64, complete=True
            ),
            expires_time=NOW + timedelta(days=1),
            resolution=resolution,
        ),
        status=ApprovalStatus(state=state, claim=held),
    )


def pod_receipt(text: str = "201") -> Receipt:
    return Receipt(time=NOW, source="Pod", text=text)


def resolved(outcome: str) -> Step:
    said = Resolution.model_validate({"by": "ann", "outcome": outcome, "reason": "I looked."})
    spec = {"resolution": said}

    def step(approval: Approval) -> ApprovalStatus | None:
        with_word = approval.model_copy(update={"spec": approval.spec.model_copy(update=spec)})
        return resolve(with_word, NOW)

    return step


def decided(state: ApprovalState, reason: ApprovalReason) -> Step:
    return lambda approval: settle(approval, Outcome(state, reason), NOW)


STEPS: dict[str, Step] = {
    "wait": decided(ApprovalState.PENDING, ApprovalReason.NOBODY_DECIDED),
    "grant": decided(ApprovalState.GRANTED, ApprovalReason.APPROVED),
    "deny": decided(ApprovalState.DENIED, ApprovalReason.DENIED),
    "expire": decided(ApprovalState.EXPIRED, ApprovalReason.EXPIRED),
    "withdraw": lambda each: withdraw(each, ApprovalReason.EXECUTION_CANCELLED, NOW),
    "claim 1": lambda each: claim(each, 1, NOW),
    "claim 2": lambda each: claim(each, 2, NOW),
    "receive": lambda each: receive(each, pod_receipt()),
    "lose": lose,
    "leave": lambda each: leave(each, NOW),
    "happened": resolved("Happened"),
    "did not happen": resolved("DidNotHappen"),
}
AWAY = {
    ApprovalState.PENDING: {"wait", "grant", "deny", "expire", "withdraw"},
    ApprovalState.GRANTED: {"withdraw", "claim 1", "claim 2"},
    ApprovalState.CLAIMED: {"claim 2", "receive", "lose", "leave"},
    ApprovalState.OUTCOME_UNKNOWN: {"lose", "receive", "happened", "did not happen"},
    ApprovalState.DONE: {"receive"},
    ApprovalState.WITHDRAWN: {"withdraw", "leave"},
    ApprovalState.DENIED: set[str](),
    ApprovalState.EXPIRED: set[str](),
}
"""Which steps each state takes; attempt 2 has claimed what is claimed."""


@pytest.mark.parametrize("state", ApprovalState)
def test_each_state_takes_its_own_steps_alone(state: ApprovalState) -> None:
    taken = {name for name, step in STEPS.items() if step(ask(state)) is not None}
    assert taken == AWAY[state]


def test_a_person_says_what_became_of_it() -> None:
    unknown = ask(ApprovalState.OUTCOME_UNKNOWN)
    happened = resolved("Happened")(unknown)
    assert happened is not None
    assert (happened.state, happened.reason) == ("Done", "Happened")
    assert happened.receipt == Receipt(time=NOW, source="Person", text="I looked.")
    not_so = resolved("DidNotHappen")(unknown)
    assert not_so is not None
    assert (not_so.state, not_so.reason, not_so.receipt) == ("Denied", "DidNotHappen", None)


def test_a_receipt_is_kept_as_it_was_first_told() -> None:
    done = ask(ApprovalState.CLAIMED)
    first = receive(done, pod_receipt("201"))
    assert first is not None
    again = receive(done.model_copy(update={"status": first}), pod_receipt("500"))
    assert again == first


@given(names=st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
@example(names=["grant", "claim 1", "claim 2", "lose", "claim 2", "did not happen", "grant"])
def test_whatever_comes_one_attempt_at_most_may_do_it(names: Sequence[str]) -> None:
    approval, may_do, history = ask(), set[int](), [ApprovalState.PENDING]
    for name in names:
        status = STEPS[name](approval)
        if status is None:
            continue
        before = approval
        approval = approval.model_copy(update={"status": status})
        assert STEPS[name](approval) in (None, status), "twice is once"
        if status.state is ApprovalState.CLAIMED and status.claim is not None:
            may_do.add(status.claim.attempt)
        if before.state in ENDED:
            assert status == before.status
        if before.status.claim is not None:
            assert status.claim == before.status.claim
        history.append(approval.state)
    assert len(may_do) <= 1
    if ApprovalState.CLAIMED in history:
        assert history[history.index(ApprovalState.CLAIMED) - 1] is ApprovalState.GRANTED
    if approval.status.receipt is not None:
        assert may_do
