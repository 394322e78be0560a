"""A thousand schedules on one tick, fired by the operator's own process against an API server.

Both sides are seen through the same watch, and the bare client works before and after the tick:
whatever else the machine does is then done to both.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.figures import Report, percentile, spread
from bench.gateways import run_gateway
from bench.loads import Ground, arrivals, at_once
from bench.operators import PATIENT, OperatorProcess, run_operator
from bench.servers import ServerUse, per_run
from heliostat_core.agents import Agent
from heliostat_core.names import FINISHED_LABEL, scheduled_name
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import AGENT, EXECUTION, Selection
from support.control_plane import Address
from support.objects import make_agent, make_execution

SCHEDULES = int(os.environ.get("BENCH_SCHEDULES", "1000"))
READY_SECONDS = int(os.environ.get("BENCH_READY_SECONDS", "90"))  # the operator knows all of them
IDLE_SECONDS = 20
TICK_SECONDS = 240


@pytest.mark.timeout(900)
async def test_a_thousand_schedules_on_one_tick(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    due = _minute_after(datetime.now(UTC) + timedelta(seconds=READY_SECONDS))
    agents = [f"agent-{number}" for number in range(SCHEDULES)]
    names = [scheduled_name(agent, due) for agent in agents]
    schedule = {"cron": f"{due.minute} * * * *", "trigger": "Builtin"}

    async def make(number: int) -> None:
        model = {"name": "scripted/hello"}
        agent = make_agent(ground.namespace, agents[number], model=model, schedule=schedule)
        await ground.world.create(agent)

    await at_once(SCHEDULES, make)
    bare = await measure_bare(ground, "before")
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator,
    ):
        await until_ready(ground, due)
        idle, memory = await measure_idle(operator, due), operator.resident_bytes()
        async with arrivals(ground.world, EXECUTION, ground.namespace) as made:
            used, server = operator.cpu_seconds(), ServerUse(fresh_api_server)
            began = time.monotonic() + _until(due)
            await made.wait_for(names, _until(due) + TICK_SECONDS)
            used, server_cpu = operator.cpu_seconds() - used, server.cpu_seconds()
            requests = server.requests()
        await until_recorded(ground)
        await check_one_each(ground, names)
    bare += await measure_bare(ground, "after")
    lateness = [made.seen[name] - began for name in names]
    report.add(
        f"time of {SCHEDULES} schedules → Execution seen, API server",
        spread(lateness),
        "p99 <= 2 s",
        percentile(lateness, 99) <= 2,
        f"bare client, {SCHEDULES} Executions at once: {spread(bare)}",
    )
    report.add("  the same / the bare client", ratios(lateness, bare))
    report.add(
        "  operator's CPU for one, until all were made",
        f"{used / SCHEDULES * 1000:.1f} ms",
        beside=f"API server's: {server_cpu / SCHEDULES * 1000:.1f} ms",
    )
    each = f"{requests.total() / SCHEDULES:.1f}"
    report.add("  requests for one", each, beside=per_run(requests, SCHEDULES))
    report.add(
        f"operator with {SCHEDULES} schedules, idle",
        f"{memory / (1 << 20):.0f} MiB",
        beside=f"{idle:.1%} of a core",
    )


def _minute_after(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _until(instant: datetime) -> float:
    return (instant - datetime.now(UTC)).total_seconds()


async def until_ready(ground: Ground, due: datetime) -> None:
    """The operator has told of every schedule when its next run is, and its Agents are Ready."""
    known = ready = 0
    while _until(due) > IDLE_SECONDS + 2:
        agents = await read_agents(ground)
        known = sum(_state(each).next == due for each in agents)
        ready = sum(bool(each.status.conditions) for each in agents)
        if known == ready == SCHEDULES:
            return
        await asyncio.sleep(2)
    raise AssertionError(
        f"the operator knows {known} schedules and {ready} Agents: raise BENCH_READY_SECONDS"
    )


async def measure_idle(operator: OperatorProcess, due: datetime) -> float:
    """The share of a core that it uses, shortly before the tick."""
    await asyncio.sleep(_until(due) - IDLE_SECONDS)
    used, seconds = operator.cpu_seconds(), IDLE_SECONDS - 2
    await asyncio.sleep(seconds)
    return (operator.cpu_seconds() - used) / seconds


async def until_recorded(ground: Ground) -> None:
    """Every Agent's status tells of its run."""
    async with asyncio.timeout(TICK_SECONDS):
        while not all(len(_state(each).recent) == 1 for each in await read_agents(ground)):
            await asyncio.sleep(1)


async def check_one_each(ground: Ground, names: Sequence[str]) -> None:
    """None lost, none double."""
    found = ground.world.list(EXECUTION, Selection(ground.namespace))
    runs = [run async for run in found if "bare" not in str(run["metadata"])]
    assert len(runs) == len(names)


async def read_agents(ground: Ground) -> list[Agent]:
    """Those that have a schedule."""
    found = ground.world.list(AGENT, Selection(ground.namespace))
    agents = [Agent.model_validate(each) async for each in found]
    return [each for each in agents if each.spec.schedule is not None]


def _state(agent: Agent) -> ScheduleStatus:
    start = datetime.min.replace(tzinfo=UTC)
    return agent.status.schedule or ScheduleStatus(decided_time=start)


async def measure_bare(ground: Ground, prefix: str) -> list[float]:
    """A client that does nothing else, for runs that the operator is not to look at."""
    names = [f"bare-{prefix}-{number}" for number in range(SCHEDULES)]
    labels = {"labels": {FINISHED_LABEL: "true"}}

    async def create(number: int) -> None:
        await ground.world.create(make_execution(ground.namespace, names[number], labels))

    async with arrivals(ground.world, EXECUTION, ground.namespace) as made:
        began = time.monotonic()
        await at_once(SCHEDULES, create)
        await made.wait_for(names, TICK_SECONDS)
    return [made.seen[name] - began for name in names]


def ratios(ours: Sequence[float], bare: Sequence[float]) -> str:
    shares = (percentile(ours, each) / percentile(bare, each) for each in (50, 99))
    return "p50 {:.1f} x, p99 {:.1f} x".format(*shares)
