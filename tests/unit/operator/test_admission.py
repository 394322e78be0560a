"""Why an Execution does not start, and in which order the reasons are told."""

from dataclasses import replace
from datetime import datetime

import pytest

from heliostat_core.agents import Agent
from heliostat_core.conditions import BlockedReason, FinishedReason, find_condition
from heliostat_core.executions import AgentSeen, BlockedBy, Execution, ExecutionStatus, Timeout
from heliostat_core.names import BUDGETS_ANNOTATION, OFFERED_ANNOTATION, OWNER_ANNOTATION
from heliostat_core.schedules import Blackout
from heliostat_core.schedules.status import SchedulePause, ScheduleStatus
from heliostat_google.problems import SecretProblem, SecretReason
from heliostat_operator.gateway.ledgers import AgentSum
from heliostat_operator.model.effects import NOBODY, Charge, HoldExecution, SnapshotAgent
from heliostat_operator.runs.admission import Candidate, charge_of, first_block, slot_block
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import LimitUse, Observation
from heliostat_operator.secrets.resolved_secrets import NOTHING, ResolvedSecrets
from support.builders.resources import (
    NOW,
    make_agent,
    make_execution,
    make_settings,
    make_slots,
    seconds,
)

REFUSED = SecretProblem(SecretReason.REFUSED, "Secret crm is not given to namespace 'default'.")
FULL = LimitUse(1, 1)


def look(
    execution: Execution,
    agent: Agent | None,
    *,
    now: datetime = NOW,
    secrets: ResolvedSecrets = NOTHING,
) -> Decision:
    seen = Observation(agent, None, make_slots(), Facts(None, None), None, vaulted=secrets)
    return decide(execution, seen, now, make_settings())


def reason_of(execution: Execution, decision: Decision) -> str:
    return execution.model_copy(update={"status": decision.status}).finished_reason


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (make_agent(), FinishedReason.ACTIVE),
        (make_agent(generation=2), FinishedReason.ACTIVE),
        (make_agent(uid="another"), FinishedReason.AGENT_DELETED),
        (None, FinishedReason.AGENT_DELETED),
    ],
)
def test_a_run_waits_for_the_agent_that_it_saw_and_for_none_of_the_same_name(
    agent: Agent | None, reason: str
) -> None:
    seen = AgentSeen(uid=make_agent().metadata.uid, generation=1)
    execution = make_execution(status=ExecutionStatus(agent=seen))
    decision = look(execution, agent)
    assert reason_of(execution, decision) == reason
    assert bool(decision.status.attempts) is (reason == FinishedReason.ACTIVE)


def test_a_run_that_has_seen_no_agent_waits_for_one() -> None:
    decision = look(make_execution(), None)
    assert [each.reason for each in decision.status.blocked_by] == [BlockedReason.AGENT_NOT_FOUND]


@pytest.mark.parametrize(("before", "starts"), [(1, True), (0, False), (-1, False)])
def test_a_run_starts_before_its_deadline_or_never(before: float, starts: bool) -> None:
    execution = make_execution(deadlineTime=NOW)
    decision = look(execution, make_agent(), now=NOW - seconds(before))
    expected = FinishedReason.ACTIVE if starts else FinishedReason.DEADLINE_PASSED
    assert reason_of(execution, decision) == expected
    assert bool(decision.status.attempts) is starts


def test_the_key_of_an_attempt_outlives_its_time_by_what_queue_and_pull_may_take() -> None:
    decision = look(make_execution(), make_agent(limits={"timeoutSeconds": 600}))
    [attempt] = decision.status.attempts
    slack = make_settings().key_slack_seconds
    assert attempt.key_expires_time == NOW + seconds(600 + slack)


def test_a_run_without_one_of_its_secrets_waits_and_says_which() -> None:
    decision = look(make_execution(), make_agent(), secrets=ResolvedSecrets(problem=REFUSED))
    assert (decision.status.attempts, decision.effects) == ((), ())
    [block] = decision.status.blocked_by
    assert (block.reason, block.message) == (SecretReason.REFUSED, REFUSED.message)


def scheduled(*, offered: bool) -> Execution:
    execution = make_execution(
        trigger={"kind": "Schedule", "id": "CronJob", "scheduledTime": NOW.isoformat()}
    )
    annotations = {OFFERED_ANNOTATION: "CronJob"} if offered else {}
    meta = execution.metadata.model_copy(update={"annotations": annotations})
    return execution.model_copy(update={"metadata": meta})


def with_schedule(*, suspended: bool, paused: bool, blackout: bool) -> Agent:
    holds = Blackout(start_time=NOW - seconds(60), end_time=NOW + seconds(60))
    agent = make_agent(
        suspend=suspended,
        schedule={
            "frequency": "hourly",
            "blackouts": [holds.model_dump(by_alias=True)] if blackout else [],
        },
    )
    pause = SchedulePause(time=NOW, reason="RunsFailed", message="It failed.", generation=1)
    state = ScheduleStatus(decided_time=NOW, digest="", paused=pause if paused else None)
    status = agent.status.model_copy(update={"schedule": state})
    return agent.model_copy(update={"status": status})


def test_the_reason_that_stands_before_the_others_is_told_first() -> None:
    """One after the other is mended; the last is the limits, which need no person."""
    worst = Candidate(
        scheduled(offered=True),
        None,
        make_slots(granted=False, agent=FULL),
        NOW,
        AgentSum(paused=True, reason="It cost too much."),
        REFUSED,
        terminating=True,
    )
    stays = replace(worst, terminating=False)
    applied = replace(stays, agent=with_schedule(suspended=True, paused=True, blackout=True))
    due = replace(applied, execution=scheduled(offered=False))
    active = replace(due, agent=with_schedule(suspended=False, paused=True, blackout=True))
    resumed = replace(due, agent=with_schedule(suspended=False, paused=False, blackout=True))
    light = replace(due, agent=with_schedule(suspended=False, paused=False, blackout=False))
    cheap = replace(light, pause=None)
    given = replace(cheap, secret_problem=None)
    free = replace(given, slots=make_slots())
    steps = (worst, stays, applied, due, active, resumed, light, cheap, given, free)
    told = [block.reason if (block := first_block(each)) else None for each in steps]
    assert told == [
        BlockedReason.NAMESPACE_TERMINATING,
        BlockedReason.AGENT_NOT_FOUND,
        BlockedReason.NOT_DUE,
        BlockedReason.AGENT_SUSPENDED,
        BlockedReason.SCHEDULE_PAUSED,
        BlockedReason.BLACKOUT,
        BlockedReason.AGENT_PAUSED,
        SecretReason.REFUSED,
        BlockedReason.AGENT_CONCURRENCY,
        None,
    ]


@pytest.mark.parametrize(
    ("agent", "namespace", "total", "reason"),
    [
        (FULL, FULL, FULL, BlockedReason.AGENT_CONCURRENCY),
        (None, FULL, FULL, BlockedReason.TOTAL_CONCURRENCY),
        (None, FULL, None, BlockedReason.NAMESPACE_CONCURRENCY),
    ],
)
def test_of_several_full_limits_the_one_that_its_owner_can_raise_is_told(
    agent: LimitUse | None, namespace: LimitUse | None, total: LimitUse | None, reason: str
) -> None:
    """Then the operator's, for with it full a higher limit of the namespace would help nothing."""
    slots = make_slots(granted=False, agent=agent, namespace=namespace, total=total)
    block = slot_block(slots)
    assert block is not None
    assert block.reason == reason


# ---- who is charged ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "of_agent", "budgets", "charge"),
    [
        (None, None, None, NOBODY),
        (None, "ada", None, Charge("ada")),
        ("bob", "ada", None, Charge("bob")),
        ("bob", None, "team", Charge("bob", ("team",))),
        ("", "ada", "", Charge("ada")),
        (None, None, " team , all,,team ", Charge("", ("team", "all"))),
    ],
)
def test_the_calls_of_a_run_are_booked_on_its_owner_or_its_agents(
    own: str | None, of_agent: str | None, budgets: str | None, charge: Charge
) -> None:
    def annotations(**given: str | None) -> dict[str, str]:
        names = {"owner": OWNER_ANNOTATION, "budgets": BUDGETS_ANNOTATION}
        return {names[name]: value for name, value in given.items() if value is not None}

    run, agent = make_execution(), make_agent()
    run_meta = run.metadata.model_copy(update={"annotations": annotations(owner=own)})
    meta = agent.metadata.model_copy(
        update={"annotations": annotations(owner=of_agent, budgets=budgets)}
    )
    run, agent = (
        run.model_copy(update={"metadata": run_meta}),
        agent.model_copy(update={"metadata": meta}),
    )
    assert charge_of(run, agent) == charge
    freeze = next(each for each in look(run, agent).effects if isinstance(each, SnapshotAgent))
    assert (freeze.charge, freeze.agent_uid, freeze.spec) == (charge, meta.uid, agent.spec)


# ---- what an admission writes --------------------------------------------------------------------


def test_an_admission_is_recorded_before_anything_is_made() -> None:
    execution = make_execution()
    decision = look(execution, make_agent(limits={"timeoutSeconds": 600}))
    hold, freeze = decision.effects
    assert (type(hold), type(freeze), decision.again_after) == (HoldExecution, SnapshotAgent, 0)
    status = decision.status
    assert (status.phase, [each.reason for each in status.blocked_by]) == ("Starting", ["Starting"])
    assert status.timeout == Timeout(
        effective_seconds=600, source="Agent spec.limits.timeoutSeconds"
    )
    assert status.agent == AgentSeen(uid=make_agent().metadata.uid, generation=1)
    assert [each.number for each in status.attempts] == [1]
    admitted = find_condition(status.conditions, "Admitted")
    assert admitted is not None
    assert (admitted.status, admitted.reason) == ("True", "Admitted")


@pytest.mark.parametrize(
    ("deadline", "blackout", "ahead", "again"),
    [
        (None, False, 0, 30),
        (None, False, 100, 50),
        (45, False, 100, 45),
        (45, False, 0, 30),
        (20, False, 0, 20),
        (None, True, 400, 60),  # when the blackout is over
        (45, True, 400, 45),
    ],
)
def test_a_run_that_waits_is_looked_at_when_something_may_have_changed(
    deadline: int | None, blackout: bool, ahead: int, again: float
) -> None:
    due = None if deadline is None else NOW + seconds(deadline)
    execution = make_execution(
        deadlineTime=due,
        trigger={"kind": "Schedule", "id": "Builtin", "scheduledTime": NOW.isoformat()},
    )
    agent = with_schedule(suspended=not blackout, paused=False, blackout=blackout)
    seen = Observation(agent, None, make_slots(ahead=ahead), Facts(None, None), None)
    decision = decide(execution, seen, NOW, make_settings())
    assert (decision.again_after, decision.effects) == (again, ())
    admitted = find_condition(decision.status.conditions, "Admitted")
    assert admitted is not None
    [block] = decision.status.blocked_by
    assert (admitted.status, admitted.reason) == ("False", block.reason)
    assert admitted.message == block.message
    assert block.estimated_time == (NOW + seconds(60) if blackout else None)


def test_a_refused_run_is_let_go_in_a_step_of_its_own() -> None:
    execution = make_execution(deadlineTime=NOW)
    decision = look(execution, make_agent())
    assert (decision.effects, decision.again_after, decision.status.phase) == ((), 0, "Failed")
    ended = execution.model_copy(update={"status": decision.status})
    assert ended.is_settled


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, "0 of this namespace wait "),
        (1, "1 of this namespace waits "),
        (2, "2 of this namespace wait "),
        (10, "10 of this"),
        (11, "more than 10 of this"),
        (50, "more than 10 of this"),
        (51, "more than 50 of this"),
        (101, "more than 100 of this"),
        (501, "more than 500 of this"),
        (1000, "more than 500 of this"),
        (1001, "more than 1000 of this"),
    ],
)
def test_a_long_queue_is_told_roughly(ahead: int, words: str) -> None:
    """Each step of it would else be a write of every status in it."""
    block = slot_block(make_slots(granted=False, agent=FULL, ahead=ahead))
    assert block is not None
    assert f"; {words}" in block.message


def test_long_words_of_others_are_cut_to_what_a_status_can_hold() -> None:
    long = SecretProblem(SecretReason.REFUSED, "x" * 5000)
    [block] = look(
        make_execution(), make_agent(), secrets=ResolvedSecrets(problem=long)
    ).status.blocked_by
    assert block.message == "x" * 1024
    pause = AgentSum(paused=True, reason="y" * 5000, resume_with="z" * 5000)
    paused = first_block(Candidate(make_execution(), make_agent(), make_slots(), NOW, pause))
    assert paused is not None
    assert (paused.message.count("y" * 400), paused.message.count("y" * 401)) == (1, 0)
    assert (paused.message.count("z" * 400), paused.message.count("z" * 401)) == (1, 0)
    assert BlockedBy.model_validate(paused.model_dump()) == paused
