"""What an ask becomes by what people said of it, and by the time."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.approvals import (
    Action,
    ActionClass,
    Approval,
    ApprovalSpec,
    ApprovalState,
    ApprovalStatus,
    Decision,
    ExecutionRef,
    Requester,
    decide,
)
from heliostat_core.resources import ManagedFields, ObjectMeta
from heliostat_core.worlds import JsonObject

EXPIRES = datetime(2026, 11, 26, 8, tzinfo=UTC)
BEFORE = EXPIRES - timedelta(hours=1)
DIGEST = "sha256:" + "a" * 64
ANN = Requester("ann")
Said = tuple[str, Literal["Approve", "Deny"]]


def ask(
    *said: Said, managed: Sequence[ManagedFields] = (), complete: bool = True, **spec: object
) -> Approval:
    action = Action(
        tool="Bash", class_=ActionClass.SEND, digest=DIGEST, complete=complete, target="a.example"
    )
    decisions = [Decision(by=by, decision=word, digest=DIGEST) for by, word in said]
    return Approval(
        metadata=ObjectMeta(name="a", managed_fields=tuple(managed)),
        spec=ApprovalSpec.model_validate(
            {
                "execution_ref": ExecutionRef(name="sales-1", uid="uid"),
                "action": action,
                "expires_time": EXPIRES,
                "decisions": tuple(decisions),
                **spec,
            }
        ),
    )


def written(by: str, time: datetime, manager: str = "kubectl-patch") -> ManagedFields:
    """As the API server notes who wrote a decision when."""
    key = "k:" + json.dumps({"by": by}, separators=(",", ":"))
    fields: JsonObject = {"f:spec": {"f:decisions": {key: {".": {}, "f:by": {}}}}}
    return ManagedFields.model_validate(
        {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields}
    )


YES: Said = ("bob", "Approve")


@pytest.mark.parametrize(
    ("approval", "requester", "state", "reason"),
    [
        (ask(), ANN, "Pending", "NobodyDecided"),
        (ask(YES), ANN, "Granted", "Approved"),
        (ask(("bob", "Deny")), ANN, "Denied", "Denied"),
        (ask(YES, ("ann", "Deny")), ANN, "Denied", "Denied"),
        (ask(YES, quorum=2), ANN, "Pending", "QuorumMissing"),
        (ask(YES, ("ann", "Approve"), quorum=2), ANN, "Granted", "Approved"),
        (ask(YES, ("heliostat:u1", "Approve"), quorum=2), ANN, "Pending", "QuorumMissing"),
        (ask(("ann", "Approve")), ANN, "Granted", "Approved"),
        (
            ask(("ann", "Approve"), requester_may_approve=False),
            ANN,
            "Pending",
            "NoDecisionCounts",
        ),
        (ask(YES, requester_may_approve=False), ANN, "Granted", "Approved"),
        (
            ask(("heliostat:ann", "Approve"), requester_may_approve=False),
            ANN,
            "Pending",
            "NoDecisionCounts",
        ),
        (ask(YES, requester_may_approve=False), Requester(None), "Pending", "RequesterUnknown"),
        (ask(YES, complete=False), ANN, "Pending", "IncompleteAction"),
        (ask(("bob", "Deny"), complete=False), ANN, "Denied", "Denied"),
    ],
)
def test_what_people_say_decides(
    approval: Approval, requester: Requester, state: str, reason: str
) -> None:
    outcome = decide(approval, requester, BEFORE)
    assert (outcome.state, outcome.reason) == (state, reason)


def test_nobodys_word_expires() -> None:
    assert decide(ask(), ANN, EXPIRES - timedelta(seconds=1)).state is ApprovalState.PENDING
    assert decide(ask(), ANN, EXPIRES).state is ApprovalState.EXPIRED
    assert decide(ask(YES, quorum=2), ANN, EXPIRES).state is ApprovalState.EXPIRED


@pytest.mark.parametrize("word", ["Approve", "Deny"])
def test_a_word_that_came_too_late_changes_nothing(word: Literal["Approve", "Deny"]) -> None:
    """The operator was away past the end: the API server's own clock says who was in time."""
    said: Said = ("bob", word)
    late = ask(said, managed=[written("bob", EXPIRES)])
    assert decide(late, ANN, EXPIRES + timedelta(hours=9)).state is ApprovalState.EXPIRED
    in_time = ask(said, managed=[written("bob", BEFORE)])
    settled = decide(in_time, ANN, EXPIRES + timedelta(hours=9)).state
    assert settled is (ApprovalState.GRANTED if word == "Approve" else ApprovalState.DENIED)


def test_a_word_of_which_no_time_is_known_is_late_after_the_end() -> None:
    """Who may patch may also reset managedFields."""
    assert decide(ask(YES), ANN, EXPIRES).state is ApprovalState.EXPIRED


@pytest.mark.parametrize(
    ("by", "word", "manager", "state"),
    [
        ("heliostat:bob", "Approve", "heliostat-api-decide", "Granted"),
        ("heliostat:bob", "Approve", "kubectl-patch", "Pending"),
        ("bob", "Approve", "heliostat-api-decide", "Pending"),
        ("bob", "Deny", "kubectl-patch", "Denied"),
    ],
)
def test_without_the_policy_a_yes_must_come_from_the_api(
    by: str, word: Literal["Approve", "Deny"], manager: str, state: str
) -> None:
    approval = ask((by, word), managed=[written(by, BEFORE, manager)])
    api_only = ApprovalStatus(api_only=True)
    outcome = decide(approval.model_copy(update={"status": api_only}), ANN, BEFORE)
    assert outcome.state == state


_NAMES = st.sampled_from(["ann", "bob", "carl", "heliostat:ann", "heliostat:bob"])
_WORDS = st.dictionaries(_NAMES, st.sampled_from(["Approve", "Deny"]), max_size=5)


@given(
    words=_WORDS,
    quorum=st.integers(1, 3),
    requester=st.none() | _NAMES,
    may=st.booleans(),
    complete=st.booleans(),
    minutes=st.integers(-90, 90),
)
def test_nothing_is_granted_without_enough_of_those_who_may(
    words: dict[str, Literal["Approve", "Deny"]],
    quorum: int,
    requester: str | None,
    minutes: int,
    *,
    may: bool,
    complete: bool,
) -> None:
    approval = ask(*words.items(), quorum=quorum, requester_may_approve=may, complete=complete)
    outcome = decide(approval, Requester(requester), EXPIRES + timedelta(minutes=minutes))
    yes = {by for by, word in words.items() if word == "Approve"}
    if outcome.state is ApprovalState.GRANTED:
        assert complete
        assert "Deny" not in words.values()
        assert len(set(outcome.counted)) == quorum
        assert set(outcome.counted) <= yes
        assert len({each.startswith("heliostat:") for each in outcome.counted}) == 1
        assert minutes < 0
        assert may or (requester is not None and requester not in outcome.counted)
    if "Deny" in words.values() and minutes < 0:
        assert outcome.state is ApprovalState.DENIED
    if outcome.state is ApprovalState.PENDING:
        assert minutes < 0
