"""A thousand schedules on one tick, fired by the operator's own process against an API server."""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.figures import Report, in_millis, percentile, spread
from bench.gateways import run_gateway
from bench.loads import Ground, arrivals, at_once
from bench.operators import PATIENT, OperatorProcess, run_operator
from bench.servers import ServerUse, per_run
from heliostat_core.agents import Agent
from heliostat_core.names import scheduled_name
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import AGENT, EXECUTION, Selection
from support.control_plane import Address
from support.objects import make_agent, make_execution

SCHEDULES = int(os.environ.get("BENCH_SCHEDULES", "1000"))
READY_SECONDS = int(
    os.environ.get("BENCH_READY_SECONDS", "90")
)  # the operator knows every schedule
IDLE_SECONDS = 20


@pytest.mark.timeout(420)
async def test_a_thousand_schedules_on_one_tick(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    due = (datetime.now(UTC) + timedelta(seconds=READY_SECONDS)).replace(second=0, microsecond=0)
    due += timedelta(minutes=1)
    agents = [f"agent-{number}" for number in range(SCHEDULES)]
    names = [scheduled_name(agent, due) for agent in agents]

    async def make(number: int) -> None:
        schedule = {"cron": f"{due.minute} * * * *", "trigger": "Builtin"}
        model = {"name": "scripted/hello"}
        await ground.world.create(
            make_agent(ground.namespace, agents[number], model=model, schedule=schedule)
        )

    await at_once(SCHEDULES, make)
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator,
    ):
        await until_ready(ground, due)
        idle = await measure_idle(operator, due)
        memory = operator.resident_bytes()
        async with arrivals(ground.world, EXECUTION, ground.namespace) as made:
            used, server = operator.cpu_seconds(), ServerUse(fresh_api_server)
            began = time.monotonic() + (due - datetime.now(UTC)).total_seconds()
            await made.wait_for(names, (due - datetime.now(UTC)).total_seconds() + 90)
            used, server_cpu = operator.cpu_seconds() - used, server.cpu_seconds()
            requests = server.requests()
            await until_recorded(ground)
            used_at_last = operator.cpu_seconds()
        found = [each async for each in ground.world.list(EXECUTION, Selection(ground.namespace))]
    assert len(found) == SCHEDULES
    lateness = [made.seen[name] - began for name in names]
    bare = await measure_bare(ground)
    p99, bare_p99 = percentile(lateness, 99), percentile(bare, 99)
    report.add(
        f"time of {SCHEDULES} schedules → Execution seen, API server",
        spread(lateness),
        "p99 <= 2 s",
        p99 <= 2,
        f"bare client, {SCHEDULES} Executions at once: {spread(bare)}",
    )
    report.add("  the same / the bare client", ratios(lateness, bare), beside=f"{bare_p99:.2f} s")
    report.add(
        "  operator's CPU for one tick, until all were made",
        in_millis(used / SCHEDULES),
        beside=f"API server {in_millis(server_cpu / SCHEDULES)}",
    )
    report.add(
        "  requests for one",
        f"{requests.total() / SCHEDULES:.1f}",
        beside=per_run(requests, SCHEDULES),
    )
    report.add(
        "  operator with so many schedules, idle",
        f"{idle:.1%} of a core",
        beside=f"{memory / (1 << 20):.0f} MiB",
    )
    del used_at_last


async def until_ready(ground: Ground, due: datetime) -> None:
    """The operator has told of every schedule when its next run is."""
    while datetime.now(UTC) < due - timedelta(seconds=IDLE_SECONDS + 5):
        states = await read_states(ground)
        if sum(each.next == due for each in states) == SCHEDULES:
            return
        await asyncio.sleep(2)
    raise AssertionError("the operator was not ready in time")


async def read_states(ground: Ground) -> list[ScheduleStatus]:
    agents = [
        Agent.model_validate(each)
        async for each in ground.world.list(AGENT, Selection(ground.namespace))
    ]
    return [each.status.schedule for each in agents if each.status.schedule is not None]


async def measure_idle(operator: OperatorProcess, due: datetime) -> float:
    """The share of a core that it uses, shortly before the tick."""
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds() - IDLE_SECONDS)
    used = operator.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS - 2)
    return (operator.cpu_seconds() - used) / (IDLE_SECONDS - 2)


async def until_recorded(ground: Ground) -> None:
    async with asyncio.timeout(120):
        while sum(len(each.recent) == 1 for each in await read_states(ground)) < SCHEDULES:
            await asyncio.sleep(1)


async def measure_bare(ground: Ground) -> list[float]:
    """A client that does nothing else: seconds from the tick until each create was answered."""
    began, seconds = time.monotonic(), list[float]()

    async def create(number: int) -> None:
        await ground.world.create(make_execution(ground.namespace, f"bare-{number}"))
        seconds.append(time.monotonic() - began)

    await at_once(SCHEDULES, create)
    return seconds


def ratios(ours: Sequence[float], bare: Sequence[float]) -> str:
    shares = (percentile(ours, each) / percentile(bare, each) for each in (50, 99))
    return "p50 {:.1f} x, p99 {:.1f} x".format(*shares)
