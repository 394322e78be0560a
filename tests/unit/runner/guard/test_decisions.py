from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from heliostat_policy.classes import ActionClass, Decision
from heliostat_policy.rules import Verdict
from heliostat_runner.document import parse_document
from heliostat_runner.guard import words
from heliostat_runner.guard.decisions import (
    LONGEST_INPUT,
    Case,
    Kind,
    Progress,
    decide,
    needs_digest,
)
from heliostat_runner.guard.document import Choice, Decided, GuardTerms, Unattended
from heliostat_runner.guard.protocol import Question
from support.builders.guards import DIGEST, make_guard
from support.builders.run_documents import make_run_document

NOW = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
ROOT = "/workspace"
OTHER = "sha256:" + "e" * 64


def make_terms(*decided: Decided, **changes: object) -> GuardTerms:
    document = make_run_document("http://gateway", guard=make_guard())
    terms = parse_document(json.dumps(document)).guard
    assert terms is not None
    return replace(terms, decided=decided, **changes)  # type: ignore[arg-type]


def make_decided(choice: Choice, **changes: object) -> Decided:
    decided = Decided("a-1", "ask", DIGEST, "toolu_1", choice, expires=NOW + timedelta(minutes=5))
    return replace(decided, **changes)  # type: ignore[arg-type]


def make_case(decision: Decision = Decision.ASK, **changes: object) -> Case:
    verdict = Verdict(
        decision=decision, class_=ActionClass.SEND, target="x", reason="rule", words="By rule."
    )
    question = Question("toolu_1", "Bash", {"command": "curl x"}, ROOT)
    case = Case(question, verdict, ROOT, digest=DIGEST)
    return replace(case, **changes)  # type: ignore[arg-type]


def of(case: Case, **changes: object) -> Case:
    return replace(case, question=replace(case.question, **changes))  # type: ignore[arg-type]


def answer(terms: GuardTerms, case: Case, progress: Progress | None = None) -> tuple[Kind, str]:
    found = decide(terms, case, progress or Progress(), NOW)
    return found.kind, found.code


def test_a_judgement_is_carried_out() -> None:
    terms = make_terms()

    assert answer(terms, make_case(Decision.ALLOW)) == (Kind.ALLOW, "")
    assert answer(terms, make_case(Decision.REFUSE)) == (Kind.DENY, "rule")
    assert answer(terms, make_case(Decision.ASK)) == (Kind.DEFER, "")


def test_what_the_agents_own_rules_do_not_name_is_left_to_claude_code() -> None:
    terms = make_terms()

    assert answer(terms, make_case(Decision.ALLOW, is_listed=False)) == (Kind.PASS, "")
    assert answer(terms, make_case(Decision.ASK, is_listed=False)) == (Kind.DENY, "unlisted")
    assert answer(terms, make_case(Decision.ASK, is_excluded=True)) == (Kind.PASS, "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unattended": Unattended.REFUSE}, "unattended"),
        ({"can_ask": False}, "storage"),
        ({"asks_left": 0}, "asks"),
    ],
)
def test_a_run_that_may_not_ask_is_refused(changes: dict[str, object], code: str) -> None:
    terms = make_terms(**changes)

    assert answer(terms, make_case()) == (Kind.DENY, code)
    assert answer(terms, make_case(Decision.ALLOW)) == (Kind.ALLOW, "")


def test_an_unattended_run_may_ask_where_the_agent_says_so() -> None:
    assert answer(make_terms(unattended=Unattended.ASK), make_case()) == (Kind.DEFER, "")


@pytest.mark.parametrize(
    ("case", "code", "said"),
    [
        (of(make_case(), in_sub_agent=True), "subagent", "ask from the main thread"),
        (
            of(make_case(), input={"command": "x", "run_in_background": True}),
            "background",
            "without run_in_background",
        ),
        (make_case(input_bytes=LONGEST_INPUT + 1), "large", "at most 512 KiB"),
        (of(make_case(), cwd="/workspace/sub"), "cwd", "Change back to that folder"),
        (make_case(digest="", problem="no such file."), "problem", "no such file."),
    ],
)
def test_a_call_that_could_not_be_resumed_is_denied_with_words(
    case: Case, code: str, said: str
) -> None:
    found = decide(make_terms(), case, Progress(), NOW)

    assert (found.kind, found.code) == (Kind.TELL, code)
    assert said in found.words
    allowed = replace(case, verdict=replace(case.verdict, decision=Decision.ALLOW))
    assert answer(make_terms(), allowed) == (Kind.ALLOW, "")


def test_a_link_is_told_before_anything_is_allowed() -> None:
    linked = make_case(Decision.ALLOW, linked="/etc/x")

    assert answer(make_terms(), linked) == (Kind.TELL, "link")
    assert answer(make_terms(make_decided(Choice.APPROVE)), linked) == (Kind.TELL, "link")
    refused = make_case(Decision.REFUSE, linked="/etc/x")
    assert answer(make_terms(), refused) == (Kind.DENY, "rule")


def test_an_input_of_just_that_length_may_be_asked() -> None:
    assert answer(make_terms(), make_case(input_bytes=LONGEST_INPUT)) == (Kind.DEFER, "")


def test_a_process_defers_one_call_and_denies_all_others() -> None:
    deferred = Progress(deferred="toolu_0")

    for decision in Decision:
        assert answer(make_terms(), make_case(decision), deferred) == (Kind.TELL, "sibling")
    again = Progress(deferred="toolu_1")
    assert answer(make_terms(), make_case(), again) == (Kind.DEFER, "")


def test_a_grant_is_for_one_digest_one_call_one_time() -> None:
    approve = make_decided(Choice.APPROVE)
    terms = make_terms(approve)

    assert answer(terms, make_case()) == (Kind.GRANT, "")
    assert answer(terms, make_case(digest=OTHER)) == (Kind.DENY, "changed")
    assert answer(terms, make_case(digest="", problem="gone")) == (Kind.DENY, "changed")
    assert answer(terms, of(make_case(), tool_use_id="toolu_2")) == (Kind.DEFER, "")
    used = Progress(used=frozenset({"a-1"}))
    assert answer(terms, make_case(), used) == (Kind.DENY, "spent")


def test_a_changed_call_is_denied_even_where_the_rules_would_allow_what_it_became() -> None:
    terms = make_terms(make_decided(Choice.APPROVE))

    assert answer(terms, make_case(Decision.ALLOW, digest=OTHER)) == (Kind.DENY, "changed")


def test_what_is_refused_is_refused_whatever_a_person_said() -> None:
    terms = make_terms(make_decided(Choice.APPROVE))

    assert answer(terms, make_case(Decision.REFUSE)) == (Kind.DENY, "rule")


@pytest.mark.parametrize(("left", "kind"), [(1, Kind.GRANT), (0, Kind.DENY), (-1, Kind.DENY)])
def test_a_grant_ends(left: int, kind: Kind) -> None:
    approve = make_decided(Choice.APPROVE, expires=NOW + timedelta(seconds=left))

    assert answer(make_terms(approve), make_case())[0] is kind


def test_a_grant_without_an_end_is_none() -> None:
    assert answer(make_terms(make_decided(Choice.APPROVE, expires=None)), make_case()) == (
        Kind.DENY,
        "expired",
    )


def test_a_denial_is_told_with_its_reason_and_holds_for_that_call() -> None:
    terms = make_terms(make_decided(Choice.DENY, reason="Not to this host."))

    found = decide(terms, make_case(digest=OTHER), Progress(), NOW)

    assert (found.kind, found.code) == (Kind.DENY, "denied")
    assert "A person has denied this action: Not to this host." in found.words
    assert answer(terms, of(make_case(), tool_use_id="toolu_2")) == (Kind.DEFER, "")


def test_what_was_done_is_not_done_again_under_any_id() -> None:
    done = make_decided(Choice.DONE, receipt="201 Created")
    terms = make_terms(done)

    for case in (make_case(), of(make_case(), tool_use_id="toolu_2")):
        found = decide(terms, case, Progress(), NOW)
        assert (found.kind, found.code) == (Kind.TELL, "done")
        assert "It was done already; result: 201 Created." in found.words
    other = replace(of(make_case(), tool_use_id="toolu_2"), digest=OTHER)
    assert answer(terms, other) == (Kind.DEFER, "")
    here = Progress(done={OTHER: "sent"})
    assert decide(terms, other, here, NOW).words == words.done("sent")


@pytest.mark.parametrize(
    ("case", "needed"),
    [
        (make_case(), True),
        (make_case(Decision.ALLOW), True),  # its id was decided
        (of(make_case(Decision.ALLOW), tool_use_id="toolu_2"), False),
        (make_case(Decision.REFUSE), False),
        (make_case(is_excluded=True), False),
    ],
)
def test_files_are_read_only_where_a_person_is_concerned(case: Case, needed: bool) -> None:
    assert needs_digest(make_terms(make_decided(Choice.APPROVE)), case) is needed
