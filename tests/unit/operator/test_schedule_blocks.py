"""What a schedule holds back, what it keeps from being cleaned, and what makes it not ready."""

from datetime import datetime

import pytest

from heliostat_core.agents import Agent, AgentStatus
from heliostat_core.executions import Execution
from heliostat_core.schedules.status import Receipt, SchedulePause, ScheduleStatus
from heliostat_core.worlds import EXECUTION
from heliostat_operator.agents.fleet import AgentReconciler
from heliostat_operator.agents.readiness import AgentObservation, compute_ready
from heliostat_operator.runs.admission import Candidate, first_block
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from support.builders.resources import (
    NOW,
    make_agent,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.memory_world import MemoryWorld

NOON = {"cron": "0 12 * * *", "durationSeconds": 3600}
SCHEDULED = {"kind": "Schedule", "scheduledTime": NOW.isoformat()}


def paused(agent: Agent) -> Agent:
    pause = SchedulePause(time=NOW, reason="Failures", message="Fix it.", generation=1)
    state = ScheduleStatus(decided_time=NOW, paused=pause)
    return agent.model_copy(update={"status": AgentStatus(schedule=state)})


def block(agent: Agent, execution: Execution) -> tuple[str, datetime | None] | None:
    found = first_block(Candidate(execution, agent, make_slots(), NOW))
    return (found.reason, found.estimated_time) if found else None


def test_a_waiting_run_of_the_schedule_waits_until_the_blackout_is_over() -> None:
    agent = make_agent(schedule={"frequency": "daily", "blackouts": [NOON]})
    assert block(agent, make_execution(trigger=SCHEDULED)) == ("Blackout", NOW + seconds(3600))
    assert block(agent, make_execution()) is None


def test_a_waiting_run_of_a_paused_schedule_waits() -> None:
    agent = paused(make_agent(schedule={"frequency": "daily"}))
    assert block(agent, make_execution(trigger=SCHEDULED)) == ("SchedulePaused", None)
    assert block(agent, make_execution()) is None


def test_what_its_schedule_holds_back_takes_no_slot() -> None:
    limiter = ConcurrencyLimiter(1, 300)
    limiter.see_agent(make_agent())
    first, second = make_execution("first"), make_execution("second", created=NOW + seconds(1))
    limiter.see_execution(first)
    limiter.see_execution(second)
    limiter.block(("default", "first"), blocked=True)
    assert limiter.granted() == {("default", "second")}
    limiter.block(("default", "first"), blocked=False)
    assert limiter.granted() == {("default", "first")}


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"cron": "0 0 31 4 *"}, "schedule.cron: '0 0 31 4 *' names no date that ever comes"),
        ({"frequency": "daily"}, None),
    ],
)
def test_a_date_that_never_comes_makes_the_agent_not_ready(
    schedule: dict[str, str], said: str | None
) -> None:
    agent = make_agent(schedule=schedule, runtime={"command": ["true"]})
    seen = AgentObservation({}, None, None, 0, None, ())
    status, reason, message = compute_ready(agent, seen, NOW)
    if said is None:
        assert (status, reason) == ("True", "Ready")
    else:
        assert (status, reason) == ("False", "ScheduleInvalid")
        assert said in message


async def test_a_run_is_kept_until_its_schedule_tells_how_it_ended() -> None:
    assert await kept(result=None) == ["sales-1"]
    assert await kept(result="Succeeded") == []


async def kept(result: str | None) -> list[str]:
    """What is left of a finished run of an Agent that keeps none."""
    receipt = Receipt.model_validate(
        {
            "scheduledTime": NOW,
            "outcome": "Ran",
            "reason": "OnTime",
            "time": NOW,
            "executionName": "sales-1",
            "result": result,
        }
    )
    state = ScheduleStatus(decided_time=NOW, recent=(receipt,))
    agent = make_agent(schedule={"frequency": "daily"}, history={"successful": 0})
    status = make_condition_status(succeeded="True", settled="True")
    world = MemoryWorld()
    world.put(agent.model_copy(update={"status": AgentStatus(schedule=state)}).to_json())
    labels = {"heliostat.dev/finished": "true"}
    world.put(make_execution(status=status, labels=labels, trigger=SCHEDULED).to_json())
    fleet = AgentReconciler(
        world, FakeGateway(), ConcurrencyLimiter(10, 300), lambda: NOW, make_settings()
    )
    await fleet.reconcile(("default", "sales"))
    found = [Execution.model_validate(each) async for each in world.list(EXECUTION)]
    return [each.metadata.name for each in found]
