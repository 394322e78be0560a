"""Operator and runner mean the same: the guard of a run document, and the ask that comes back."""

import json
from datetime import timedelta

from heliostat_operator.builders.guards import build_guard, guard_document
from heliostat_operator.model.effects import Answers, Decided
from heliostat_operator.runs.asks import read_ask
from heliostat_operator.runs.facts import Ended, Facts
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.results import PodReceipt, parse_result
from heliostat_runner.document import parse_document
from heliostat_runner.guard.actions import build_action
from heliostat_runner.guard.document import Choice, GuardTerms
from heliostat_runner.guard.protocol import Question
from heliostat_runner.guard.reports import Ask, GuardReport, Outcome, Receipt
from heliostat_runner.reasons import Reason, Verdict
from heliostat_runner.result import Result, encode_result
from support.asking import ASKING
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
)
from support.builders.run_documents import make_run_document

SPEC = make_spec(**ASKING)
RUN = make_execution(status=make_condition_status(make_attempt()))
DIGEST = "sha256:" + "d" * 64


def terms_of(answers: Answers) -> GuardTerms:
    """What the runner reads of what the operator writes."""
    guard = build_guard(RUN, SPEC, make_settings())
    assert guard is not None
    document = make_run_document("http://gateway", guard=guard_document(guard, answers))
    terms = parse_document(json.dumps(document)).guard
    assert terms is not None
    return terms


def test_the_runner_understands_the_guard_and_all_kinds_of_decisions() -> None:
    grant = Decided("a-1", "ask", DIGEST, "toolu_1", "Approve", expires=NOW + timedelta(minutes=10))
    denied = Decided("", "ask-2", DIGEST, "toolu_2", "Deny", reason="No.")
    done = Decided("a-3", "ask-3", DIGEST, "toolu_3", "Done", receipt="sent")

    terms = terms_of(Answers((denied, done, grant), asks_left=7))

    assert [each.choice for each in terms.decided] == [Choice.DENY, Choice.DONE, Choice.APPROVE]
    assert terms.grant is not None
    assert terms.grant.expires == grant.expires
    assert (terms.is_enforced, terms.can_ask, terms.asks_left) == (True, True, 7)


def test_the_operator_finds_the_action_that_the_runner_asks_for() -> None:
    question = Question("toolu_1", "Bash", {"command": "curl -d 1 https://a.example"}, "/workspace")
    action = build_action(terms_of(Answers()), RUN.metadata.uid, question, ())
    ask = Ask("toolu_1", "Bash", action.digest, action.canonical, action.preview)
    receipts = (Receipt("a-1", DIGEST, Outcome.DONE, "sent"),)
    result = Result(
        Verdict(Reason.AWAITING_APPROVAL, "It waits."),
        NOW,
        NOW,
        guard=GuardReport(ask, receipts, denied=2),
    )

    document = parse_result(encode_result(result).decode())

    assert document is not None
    receipt = PodReceipt(approval="a-1", digest=DIGEST, outcome="Done", text="sent")
    assert (document.receipts, document.denied) == ((receipt,), 2)
    ended = Ended(document.reason, document.message, document.cause, 16, NOW, NOW, document)
    seen = Observation(None, SPEC, make_slots(), Facts(None, None), None)
    _, checked = read_ask(RUN, ended, seen, NOW, make_settings())
    assert checked is not None
    assert (checked.digest, checked.tool_use_id) == (action.digest, "toolu_1")
    assert checked.action.complete
