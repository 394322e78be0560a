"""What a pod asks for is checked: people are shown what the digest is of, or nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType

import pytest

from heliostat_core.approvals import ActionClass
from heliostat_core.executions import Ask, AskState, Execution
from heliostat_core.worlds import JsonObject, JsonValue
from heliostat_operator.runs.asks import CheckedAsk, approval_name, expires_time, read_ask
from heliostat_operator.runs.facts import Ended, Facts
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.results import parse_result
from heliostat_policy.actions import CanonicalAction, Operand, canonical_bytes, digest_of
from heliostat_policy.json_values import load_canonical
from support.asking import ASKING, TOOL_USE, make_action, make_ask, make_asking_result
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
    seconds,
)

SPEC = make_spec(**ASKING)
RUN = make_execution(status=make_condition_status(make_attempt()))
ACTION = make_action(RUN, SPEC)
DIGEST = digest_of(canonical_bytes(ACTION))


def look(
    ask: JsonValue,
    execution: Execution = RUN,
    *,
    open_asks: int = 0,
    action: bytes | None = None,
    spec: Mapping[str, object] = MappingProxyType({}),
) -> tuple[Ended, CheckedAsk | None]:
    """How an attempt with this ask ended, and what is put to people."""
    document = parse_result(make_asking_result(ask))
    assert document is not None
    ended = Ended("AwaitingApproval", "It asks.", "approval", 16, NOW, NOW, document)
    given = make_spec(**{**ASKING, **spec})
    seen = Observation(
        None, given, make_slots(), Facts(None, None), None, open_asks=open_asks, action=action
    )
    return read_ask(execution, ended, seen, NOW, make_settings())


def asked(ask: JsonValue, **spec: object) -> CheckedAsk:
    _, found = look(ask, spec=spec)
    assert found is not None
    return found


def test_people_are_shown_all_that_the_digest_is_of() -> None:
    action = replace(ACTION, operands=(Operand("report.csv", "0" * 64),))
    shown = asked(make_ask(action)).action
    facts = {each.name: each.value for each in shown.facts}
    parts = {name: facts[name] for name in ("cwd", "workspace", "policy")}
    args, egress = load_canonical(facts["args"].encode()), ACTION.egress
    computed = CanonicalAction(
        tool=shown.tool,
        args=args,
        egress=egress,
        operands=action.operands,
        execution=RUN.metadata.uid,
        **parts,
    )
    assert facts["egress"] == "[]"
    assert facts["operands"] == f'[{{"path":"report.csv","sha256":"{"0" * 64}"}}]'
    assert f"sha256:{sha256(canonical_bytes(computed)).hexdigest()}" == shown.digest
    assert shown.complete


def test_class_and_target_are_the_operators_own_finding() -> None:
    found = asked(make_ask(make_action(RUN, SPEC, "curl https://example.com/up")))
    assert found.action.class_ is not ActionClass.READ
    assert {"argv0": "curl"}.items() <= {
        each.name: each.value for each in found.action.facts
    }.items()
    assert (found.tool_use_id, found.quorum, found.requester_may_approve) == (TOOL_USE, 1, True)


def other_digest() -> JsonObject:
    return make_ask(ACTION, digest="sha256:" + "1" * 64)


def changed_text() -> JsonObject:
    ask = make_ask(ACTION)
    text = str(ask["action"]).replace("report", "secret")
    return {**ask, "action": text}


def spaced_text() -> JsonObject:
    text = canonical_bytes(ACTION).decode().replace(",", ", ")
    return make_ask(ACTION, action=text, digest=digest_of(text.encode()))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (other_digest(), "not the one of its digest"),
        (changed_text(), "not the one of its digest"),
        (spaced_text(), "not in canonical form"),
        (make_ask(replace(ACTION, execution="another")), "another execution"),
        (make_ask(replace(ACTION, policy="sha256:older")), "another policy"),
        (make_ask(replace(ACTION, workspace="another")), "another workspace"),
        (make_ask(replace(ACTION, egress=("evil.example:443",))), "another egress"),
        (make_ask(ACTION, tool="Read"), "another tool"),
    ],
)
def test_an_action_that_is_not_what_it_says_is_never_shown(ask: JsonValue, words: str) -> None:
    ended, found = look(ask)
    assert (found, ended.reason, ended.cause) == (None, "GuardBypassed", "agent")
    assert words in ended.message


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (None, "did not say for what"),
        ({}, "toolUseId: Field required"),
        ({**make_ask(ACTION), "digest": "md5:1"}, "digest: "),
        ("please", "can't be read"),
    ],
)
def test_an_ask_that_cannot_be_read_fails_the_attempt(ask: JsonValue, words: str) -> None:
    ended, found = look(ask)
    assert (found, ended.reason, ended.cause) == (None, "AskInvalid", "agent")
    assert words in ended.message


@pytest.mark.parametrize(
    "spec",
    [
        {"approvals": None},
        {"workspace": {"storage": {"type": "Ephemeral"}}},
    ],
)
def test_a_run_that_was_not_told_to_ask_cannot(spec: JsonObject) -> None:
    ended, found = look(make_ask(ACTION), spec=spec)
    assert (found, ended.reason) == (None, "AskInvalid")


def test_an_ask_that_was_lost_with_its_pod_is_asked_again() -> None:
    ended = Ended("AwaitingApproval", "Exit code 16.", "approval", 16)
    seen = Observation(None, SPEC, make_slots(), Facts(None, None), None)
    ended, found = read_ask(RUN, ended, seen, NOW, make_settings())
    assert (found, ended.reason, ended.cause) == (None, "PodLost", "infrastructure")


def test_what_does_not_fit_can_only_be_denied() -> None:
    found = asked(make_ask(ACTION, action=None, complete=False))
    assert (found.action.complete, found.action.class_) == (False, ActionClass.UNKNOWN)
    assert found.action.facts == ()


def test_what_the_api_has_of_it_is_held_to_the_digest_as_well() -> None:
    ask = make_ask(ACTION, action=None)
    _, found = look(ask, action=canonical_bytes(ACTION))
    assert found is not None
    assert (found.action.complete, found.digest) == (True, DIGEST)
    ended, found = look(ask, action=canonical_bytes(replace(ACTION, cwd="/elsewhere")))
    assert (found, ended.reason) == (None, "GuardBypassed")


def run_that_asked(count: int) -> Execution:
    attempts = [
        make_attempt(number, start=NOW, end=NOW, reason="AwaitingApproval", cause="approval")
        for number in range(1, count + 1)
    ]
    return make_execution(status=make_condition_status(*attempts))


@pytest.mark.parametrize(("count", "reason"), [(19, "AwaitingApproval"), (20, "AskLimitReached")])
def test_a_run_asks_twenty_times_at_most(count: int, reason: str) -> None:
    ended, found = look(make_ask(ACTION), run_that_asked(count))
    assert (ended.reason, found is None) == (reason, count == 20)


@pytest.mark.parametrize("count", [99, 100])
def test_where_a_hundred_wait_already_the_answer_is_no(count: int) -> None:
    _, found = look(make_ask(ACTION), open_asks=count)
    assert found is not None
    assert bool(found.refused) == (count == 100)


def test_what_the_policy_refuses_is_denied_without_people() -> None:
    rules = {"rules": [{"decision": "Refuse", "argv": ["curl"]}]}
    spec = make_spec(**{**ASKING, "approvals": rules})
    found = asked(make_ask(make_action(RUN, spec, "curl https://example.com")), approvals=rules)
    assert found.refused == "The policy refuses it."


def test_a_rule_says_how_many_must_say_yes() -> None:
    rules = {
        "rules": [{"decision": "Ask", "argv": ["curl"], "quorum": 2}],
        "requesterMayApprove": False,
    }
    spec = make_spec(**{**ASKING, "approvals": rules})
    found = asked(make_ask(make_action(RUN, spec, "curl https://example.com")), approvals=rules)
    assert (found.quorum, found.requester_may_approve) == (2, False)


def ask_in(state: AskState) -> Ask:
    name = approval_name(RUN, DIGEST)
    return Ask(name=name, digest=DIGEST, tool_use_id=TOOL_USE, attempt=1, state=state)


def test_what_is_asked_for_again_has_the_next_name() -> None:
    first = approval_name(RUN, DIGEST)
    assert first == f"sales-1-{DIGEST.removeprefix('sha256:')[:32]}"
    for asks, name in (
        ((ask_in(AskState.DENIED),), f"{first}-2"),
        ((ask_in(AskState.DENIED), ask_in(AskState.WITHDRAWN)), f"{first}-3"),
        ((ask_in(AskState.DONE),), first),
    ):
        status = RUN.status.model_copy(update={"asks": asks})
        assert approval_name(RUN.model_copy(update={"status": status}), DIGEST) == name


def test_the_longest_name_stays_one_of_an_object() -> None:
    run = make_execution("x" * 200)
    names = {approval_name(run, f"sha256:{each * 64}") for each in "ab"}
    assert [len(each) <= 63 for each in names] == [True, True]


HOURLY = {"frequency": "hourly"}


@pytest.mark.parametrize(
    ("trigger", "schedule", "given", "expires"),
    [
        ("Manual", None, None, NOW + timedelta(days=1)),
        ("Manual", None, 600, NOW + seconds(600)),
        ("Schedule", HOURLY, None, NOW + seconds(3595)),
        ("Schedule", HOURLY, 7200, NOW + seconds(7200)),
        ("Manual", HOURLY, None, NOW + timedelta(days=1)),
        ("Schedule", {"cron": "0 0 1 1 *"}, None, NOW + timedelta(days=1)),
    ],
)
def test_an_ask_of_a_schedule_leaves_its_next_time_free(
    trigger: str, schedule: JsonObject | None, given: int | None, expires: datetime
) -> None:
    run = make_execution(trigger={"kind": trigger, "id": ""})
    spec = make_spec(**{**ASKING, "approvals": {"expireSeconds": given}, "schedule": schedule})
    assert expires_time(run, spec, NOW) == expires
