"""What is recorded of an ask, what is told of it, and what remains when it is gone."""

from datetime import UTC, datetime

import pytest

from heliostat_api.documents.port import Document, Fields
from heliostat_api.documents.writes import MOST_DOCUMENT_BYTES, size_of
from heliostat_api.people.topics import topic_of_approvers, topic_of_person
from heliostat_api.records.approvals import (
    subject_of_approval,
    subject_of_gone_ask,
    view_approval,
)
from heliostat_api.records.fields import LIVE, REVISION
from heliostat_api.records.subjects import Subject
from heliostat_core.approvals import Approval, Decision, Fact
from support.builders.asks import DIGEST, make_ask
from support.builders.resources import make_execution

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RUN: Fields = {
    "userId": "ann",
    "namespace": "default",
    "agentName": "sales",
    "agentId": "agent-1",
    "correlationId": "dash-1",
    "costMicros": 1200,
    "spec": {"requestedBy": "heliostat:ann"},
}


def seen(ask: Approval, state: str = "", owner: str = "ann") -> Subject:
    """The subject of an ask in that state."""
    changed = ask.model_dump(by_alias=True)
    changed["status"] = {"state": state or None}
    changed["metadata"] = {**changed["metadata"], "uid": "ask-uid", "resourceVersion": "41"}
    run = Document("executions/u-1", {**RUN, "userId": owner}, "1")
    return subject_of_approval(Approval.model_validate(changed), run, NOW)


def make(**fields: object) -> Approval:
    return make_ask(make_execution("sales-1"), "ask-1", **fields)


def said(word: str) -> tuple[Decision, ...]:
    return (Decision.model_validate({"by": "bob", "decision": word, "digest": DIGEST}),)


YES, NO = said("Approve"), said("Deny")


@pytest.mark.parametrize(
    ("decisions", "state", "type_", "decision", "is_open"),
    [
        ((), "", "approval.asked", None, True),
        (YES, "Pending", "approval.decided", None, True),
        (YES, "Granted", "approval.decided", "approve", True),
        (YES, "Claimed", "approval.decided", "approve", True),
        (YES, "Done", "approval.executed", "approve", False),
        (YES, "OutcomeUnknown", "approval.outcome_unknown", "approve", True),
        (NO, "Denied", "approval.decided", "deny", False),
        (YES, "Denied", "approval.decided", None, False),
        ((), "Expired", "approval.decided", None, False),
        ((), "Withdrawn", "approval.decided", None, False),
    ],
)
def test_a_report_names_what_happened_in_both_tongues(
    decisions: tuple[Decision, ...], state: str, type_: str, decision: str | None, *, is_open: bool
) -> None:
    subject = seen(make(decisions=decisions), state)
    payload = subject.report.payload
    assert (subject.report.type.value, payload["decision"]) == (type_, decision)
    assert (payload["ask_id"], payload["risk_level"]) == ("ask-uid", "RED")
    assert payload["result"] == payload["state"] == (state or "Pending")
    assert subject.fields["isOpen"] is payload["isOpen"] is is_open
    assert (subject.report.correlation_id, subject.report.execution) == (
        "dash-1",
        make_execution("sales-1").metadata.uid,
    )


@pytest.mark.parametrize(
    ("owner", "spec", "audiences"),
    [
        ("ann", {}, ("person:ann",)),
        ("ann", {"quorum": 2}, ("person:ann", "approvers:default")),
        ("ann", {"requester_may_approve": False}, ("person:ann", "approvers:default")),
        (
            "namespace:default",
            {},
            ("namespace:default", "cluster", "approvers:default"),
        ),
    ],
)
def test_who_hears_of_it(owner: str, spec: dict[str, object], audiences: tuple[str, ...]) -> None:
    subject = seen(make(**spec), owner=owner)
    assert subject.audiences == audiences
    assert subject.fields["approvers"] == ("default" if "approvers:default" in audiences else "")
    assert (topic_of_person("ann"), topic_of_approvers("default")) == (
        "person:ann",
        "approvers:default",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Pending", "Withdrawn"),
        ("Granted", "Withdrawn"),
        ("Claimed", "OutcomeUnknown"),
        ("OutcomeUnknown", "OutcomeUnknown"),
        ("Done", "Done"),
        ("Denied", "Denied"),
    ],
)
def test_what_is_gone_is_withdrawn_or_stays_unknown(before: str, after: str) -> None:
    subject = seen(make(), before)
    gone = subject_of_gone_ask(Document(subject.path, subject.fields, "1"), NOW)
    assert (gone.fields["state"], gone.fields["isOpen"]) == (after, False)
    assert (gone.fields[LIVE], gone.fields[REVISION]) == (False, 42)
    again = subject_of_gone_ask(Document(subject.path, {**subject.fields, **gone.fields}, "2"), NOW)
    assert again.key == gone.key, "a report that was made before is heard once"


def test_what_no_document_holds_is_cut_and_says_so() -> None:
    fact = {"value": "x" * 60_000}
    facts = tuple(Fact.model_validate({"name": f"f{each}", **fact}) for each in range(20))
    subject = seen(make(facts=facts))
    assert size_of(subject.path, subject.fields) < MOST_DOCUMENT_BYTES
    view = view_approval(Document(subject.path, subject.fields, "1"))
    assert all(each.is_cut for each in view.facts), "so that it can't be approved"


def test_whose_it_is_says_the_document_not_the_view() -> None:
    subject = seen(make())
    moved = Document(subject.path, {**subject.fields, "userId": "namespace:default"}, "2")
    assert view_approval(moved).is_owned is False
