"""What a crowd in one namespace costs the others, and how fast many runs are deleted."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.bare import BareClient
from bench.figures import Report, percentile, spread
from bench.gateways import run_gateway
from bench.kubelets import PlayedKubelet
from bench.loads import (
    Ground,
    arrivals,
    at_once,
    at_rate,
    beside,
    create_execution,
    make_ground,
    timed,
)
from bench.operators import PATIENT, OperatorProcess, run_operator
from bench.servers import ServerUse, per_run
from bench.test_ends import has_succeeded
from heliostat_core.agents import Agent
from heliostat_core.names import attempt_name
from heliostat_core.resources import ObjectHead, ref_of
from heliostat_core.worlds import (
    AGENT,
    EVENT,
    EXECUTION,
    JOB,
    KINDS,
    POD,
    JsonObject,
    Ref,
    Selection,
)
from support.control_plane import Address
from support.objects import make_agent, name_of, value_at
from support.worlds import document

CROWD = int(os.environ.get("BENCH_CROWD", "1000"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "2300"))
RATE = 2
SECONDS = int(os.environ.get("BENCH_CROWD_SECONDS", "130"))
DELETED = int(os.environ.get("BENCH_DELETED", "500"))
SHIPPED = {"workspace_image": "heliostat-workspace:bench", "lease_seconds": 60}
"""As it is installed: a hundred Executions at once, and three quarters of them in a namespace."""


@pytest.mark.parametrize("settings", [SHIPPED, PATIENT], ids=["shipped limits", "no limits"])
@pytest.mark.timeout(600)
async def test_a_crowd_that_cannot_start(
    fresh_api_server: Address,
    ground: Ground,
    tmp_path: Path,
    report: Report,
    settings: Mapping[str, object],
) -> None:
    busy = await make_ground(ground.world, fresh_api_server)
    await make_events(busy)
    schedule = {"cron": "* * * * *", "trigger": "Builtin"}
    await ground.world.create(make_agent(ground.namespace, "minutely", schedule=schedule))
    kubelet, sent, bare = PlayedKubelet(ground), dict[str, float](), list[float]()
    bare_client = BareClient(ground)
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **settings) as operator,
        arrivals(ground.world, JOB, ground.namespace) as jobs,
        arrivals(ground.world, EXECUTION, ground.namespace, has_succeeded) as ends,
        beside(kubelet.follow()),
        beside(PlayedKubelet(busy).refuse()),
    ):
        await asyncio.sleep(2)  # the watches are open
        crowd = asyncio.ensure_future(
            at_once(CROWD, lambda number: create_execution(busy, f"run-{number}"), workers=4)
        )

        async def run(number: int) -> None:
            name = f"run-{number}"
            sent[name] = time.monotonic()
            await create_execution(ground, name)
            bare.append(await timed(bare_client.make(f"bare-{number}")))

        used = operator.cpu_seconds()
        await at_rate(RATE, RATE * SECONDS, run)
        await crowd
        await jobs.wait_for((attempt_name(name, 1) for name in sent), 60)
        await ends.wait_for(sent, 60)
        used = operator.cpu_seconds() - used
        recent = await read_ticks(ground)
        without_status = await count_without_status(busy)
    waits = [jobs.seen[attempt_name(name, 1)] - began for name, began in sent.items()]
    closed = [ends.seen[name] - kubelet.ended[name] for name in sent]
    p99 = percentile(waits, 99)
    limits = "with shipped limits" if settings is SHIPPED else "without limits"
    report.add(
        f"beside {CROWD} runs that can't start, {limits}: Execution sent → Job seen",
        spread(waits),
        "p99 <= 1 s",
        p99 <= 1,
        f"a bare client's three creates: {spread(bare)}",
    )
    report.add("  the same / the bare client, p99", f"{p99 / percentile(bare, 99):.1f} x")
    report.add("  pod exit sent → terminal status seen", spread(closed))
    report.add(
        "  times of a minute schedule on time",
        f"{sum(each == 'OnTime' for each in recent)} of {len(recent)}",
        "all",
        set(recent) == {"OnTime"},
        f"operator's CPU: {used / SECONDS:.0%} of a core",
    )
    assert set(recent) == {"OnTime"}
    assert without_status == 0


async def make_events(ground: Ground) -> None:
    async def make(number: int) -> None:
        involved = {"kind": "Pod", "namespace": ground.namespace, "name": f"other-{number % 100}"}
        await ground.world.create(
            document(
                EVENT,
                ground.namespace,
                f"event-{number}",
                involvedObject=involved,
                reason="FailedScheduling",
                message="0/1 nodes are available: 1 Insufficient cpu. " * 8,
                type="Warning",
            )
        )

    await at_once(EVENTS, make)


async def read_ticks(ground: Ground) -> list[str]:
    found = await ground.world.get(Ref(AGENT, ground.namespace, "minutely"))
    schedule = Agent.model_validate(found).status.schedule
    return [each.reason for each in schedule.recent] if schedule else []


async def count_without_status(ground: Ground) -> int:
    found = ground.world.list(EXECUTION, Selection(namespace=ground.namespace))
    return len([each async for each in found if not value_at(each, "status", "phase")])


@pytest.mark.timeout(600)
async def test_many_are_deleted(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    """Their pods run, and go when they are told to."""
    names = [f"run-{number}" for number in range(DELETED)]
    bare_seconds = await delete_bare(ground)
    async with running_runs(fresh_api_server, ground, tmp_path, names) as operator:
        used, server, began = operator.cpu_seconds(), ServerUse(fresh_api_server), time.monotonic()

        async def delete(number: int) -> None:
            await ground.world.delete(Ref(EXECUTION, ground.namespace, names[number]))

        await at_once(DELETED, delete)
        sent = time.monotonic() - began
        await wait_until_gone(ground, 300)
        seconds = time.monotonic() - began
        used, served = operator.cpu_seconds() - used, server.cpu_seconds()
        requests = server.requests()
    report.add(
        f"{DELETED} running Executions deleted → gone",
        f"{seconds:.1f} s",
        "<= 30 s",
        seconds <= 30,
        f"sent in {sent:.1f} s; operator's CPU for one {used / DELETED * 1000:.0f} ms,"
        f" API server's {served / DELETED * 1000:.0f} ms",
    )
    report.add(
        "  the same / a bare client's deletions of as many Secrets, Jobs and ControllerRevisions",
        f"{seconds / bare_seconds:.1f} x",
        beside=f"{bare_seconds:.1f} s",
    )
    each = f"{requests.total() / DELETED:.1f}"
    report.add("  requests for one", each, beside=per_run(requests, DELETED))
    pods = ground.world.list(POD, Selection(namespace=ground.namespace))
    assert [name_of(each) async for each in pods] == []


async def delete_bare(ground: Ground) -> float:
    """Seconds for what a run is made of, deleted by a client that does nothing else."""
    bare = BareClient(ground)
    await at_once(DELETED, lambda number: bare.make(f"bare-{number}"))

    async def delete(number: int) -> None:
        for obj in bare.objects(f"bare-{number}"):
            head = ObjectHead.model_validate(obj)
            await ground.world.delete(ref_of(KINDS[head.kind], head.metadata))

    return await at_once(DELETED, delete)


@asynccontextmanager
async def running_runs(
    address: Address, ground: Ground, folder: Path, names: list[str]
) -> AsyncIterator[OperatorProcess]:
    """Executions whose pods run, and obey when they are deleted."""
    kubelet = PlayedKubelet(ground)
    async with (
        run_gateway() as gateway,
        run_operator(address, gateway, folder, **PATIENT) as operator,
        arrivals(ground.world, EXECUTION, ground.namespace, is_running) as running,
        beside(kubelet.follow(seconds=3600)),
        beside(kubelet.let_go()),
    ):
        await at_once(len(names), lambda number: create_execution(ground, names[number]))
        await running.wait_for(names, 180)
        yield operator


def is_running(execution: JsonObject) -> bool:
    return value_at(execution, "status", "phase") == "Running"


async def wait_until_gone(ground: Ground, seconds: float) -> None:
    """Until no Execution of the namespace is left."""
    deadline = time.monotonic() + seconds
    while left := await left_in(ground):
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(left)} are left after {seconds} s: {left[:5]}")
        await asyncio.sleep(0.25)


async def left_in(ground: Ground) -> list[str]:
    found = ground.world.list(EXECUTION, Selection(namespace=ground.namespace))
    return [name_of(each) async for each in found]
