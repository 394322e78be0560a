from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from heliostat_runner.document import parse_document
from heliostat_runner.fields import DocumentError
from heliostat_runner.guard.document import Choice, GuardTerms, Mode, Unattended
from support.builders.guards import DIGEST, VERSION, make_decided, make_guard, make_rule
from support.builders.run_documents import make_run_document


def read(guard: object, **changes: object) -> GuardTerms | None:
    document = make_run_document("http://gateway", guard=guard, **changes)
    return parse_document(json.dumps(document)).guard


def test_the_contract_is_understood() -> None:
    decided = [make_decided("Approve"), make_decided("Done", toolUseId="", receipt="sent")]
    terms = read(make_guard(make_rule("Ask", "curl"), unattended="Ask", decided=decided))

    assert terms is not None
    assert (terms.mode, terms.is_enforced, terms.unattended) == (Mode.ENFORCE, True, Unattended.ASK)
    assert (terms.policy_version, terms.workspace) == (VERSION, "sales-1-workspace")
    assert (terms.egress, terms.can_ask, terms.asks_left) == (("example.com:443",), True, 20)
    grant, done = terms.decided
    assert terms.grant is grant
    assert (grant.approval, grant.digest, grant.tool_use_id) == ("a-1", DIGEST, "toolu_1")
    assert grant.expires == datetime(2100, 1, 1, tzinfo=UTC)
    assert (done.choice, done.receipt) == (Choice.DONE, "sent")


def test_without_it_nothing_is_guarded() -> None:
    assert parse_document(json.dumps(make_run_document("http://gateway"))).guard is None
    assert read(None) is None


def test_a_run_without_it_loads_nothing_of_it() -> None:
    """The parser of the rules is a third of what a start imports."""
    program = (
        "import sys, heliostat_runner.program\n"
        "names = ('heliostat_policy', 'h11', 'heliostat_runner.guard.guard')\n"
        "print([name for name in names if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ran.stdout == "[]\n", ran.stderr


def test_what_a_decision_may_leave_out() -> None:
    decided = make_decided("Deny", approval="", reason=None, expires=None, receipt=None)
    terms = read(make_guard(decided=[decided]))

    assert terms is not None
    assert terms.grant is None
    assert (terms.decided[0].reason, terms.decided[0].expires) == ("", None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "Warn"}, "guard.mode must be Enforce or Observe"),
        ({"color": "red"}, "guard.color must not be set"),
        ({"policy": []}, "guard.policy must be an object"),
        ({"policy": {"rules": [{"decision": "Perhaps", "argv": ["x"]}]}}, "guard.policy must be"),
        ({"policyVersion": "1"}, "guard.policyVersion must be sha256:"),
        ({"workspace": None}, "guard.workspace must be a text"),
        ({"egress": "all"}, "guard.egress must be a list"),
        ({"unattended": "Allow"}, "guard.unattended must be Refuse or Ask"),
        ({"canAsk": "yes"}, "guard.canAsk must be true or false"),
        ({"asksLeft": -1}, "guard.asksLeft must be a whole number of at least 0"),
        ({"decided": [make_decided("Perhaps")]}, "guard.decided[0].decision must be Approve"),
        ({"decided": [make_decided("Approve", digest="x")]}, "guard.decided[0].digest must be"),
        ({"decided": [make_decided("Approve", expires="")]}, "guard.decided[0].expires must be"),
        (
            {"decided": [make_decided("Approve", expires="2100-01-01T00:00:00")]},
            "guard.decided[0].expires must be an instant",
        ),
        ({"decided": [make_decided("Approve", approval="")]}, "guard.decided[0].approval must be"),
        (
            {"decided": [make_decided("Approve", approval="../x")]},
            "guard.decided[0].approval must be the uid of an Approval",
        ),
        ({"decided": [make_decided("Deny", toolUseId="")]}, "guard.decided[0].toolUseId must be"),
        (
            {"decided": [make_decided("Approve"), make_decided("Approve", approval="b")]},
            "guard.decided must hold at most one Approve",
        ),
    ],
)
def test_a_wrong_member_is_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DocumentError, match=words.replace("[", r"\[")):
        read(make_guard(**changes))


def test_a_command_cannot_be_guarded_but_it_can_be_observed() -> None:
    command = {"runtime": {"type": "Command", "command": ["true"], "stallSeconds": 60}}

    with pytest.raises(DocumentError, match="guard must not be Enforce for a runtime of type"):
        read(make_guard(), **command)
    assert read(make_guard(mode="Observe"), **command) is not None
