"""From an Execution to its Job: at a steady rate, and a thousand at once."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.bare import BareClient
from bench.figures import Report, in_millis, percentile, spread
from bench.gateways import run_gateway
from bench.loads import Arrivals, Ground, arrivals, at_once, at_rate, create_execution, timed
from bench.operators import PATIENT, run_operator
from bench.servers import ServerUse, per_run
from heliostat_core.names import attempt_name
from heliostat_core.worlds import EXECUTION, JOB, Selection
from support.control_plane import Address
from support.objects import name_of, value_at

RATE = 20
STEADY = 600
BURST = int(os.environ.get("BENCH_BURST", "1000"))


@pytest.mark.timeout(180)
async def test_at_20_a_second(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator,
        arrivals(ground.world, JOB, ground.namespace) as jobs,
    ):
        bare = await measure_bare_runs(ground)
        await warm_up(ground, jobs)
        used, sent = operator.cpu_seconds(), dict[str, float]()
        server = ServerUse(fresh_api_server)
        creates: list[float] = []

        async def create(number: int) -> None:
            name = f"run-{number}"
            sent[name] = time.monotonic()
            creates.append(await timed(create_execution(ground, name)))

        await at_rate(RATE, STEADY, create)
        await jobs.wait_for((attempt_name(name, 1) for name in sent), 30)
        used = operator.cpu_seconds() - used
        server_cpu, requests = server.cpu_seconds(), server.requests()
        await check_one_job_each(ground, sent)
    waits = [jobs.seen[attempt_name(name, 1)] - began for name, began in sent.items()]
    p50, p99 = percentile(waits, 50), percentile(waits, 99)
    report.add(
        f"Execution sent → Job seen, {RATE}/s",
        spread(waits),
        "p50 <= 100 ms, p99 <= 500 ms",
        p50 <= 0.1 and p99 <= 0.5,
        f"bare create of an Execution: {spread(creates)}",
    )
    report.add(
        "  the same / a bare client's three creates",
        f"{p50 / percentile(bare, 50):.1f} x",
        beside=f"ControllerRevision, Secret, Job in turn: {spread(bare)}",
    )
    report.add("  operator's CPU for one", in_millis(used / STEADY))
    report.add("  API server's CPU for one", in_millis(server_cpu / STEADY))
    add_requests(report, requests, STEADY)


@pytest.mark.timeout(180)
async def test_a_thousand_at_once(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    bare = BareClient(ground)
    bare_seconds = await at_once(BURST, lambda number: bare.make(f"bare-{number}"))
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator,
        arrivals(ground.world, JOB, ground.namespace) as jobs,
    ):
        await warm_up(ground, jobs)
        used, server = operator.cpu_seconds(), ServerUse(fresh_api_server)
        names = [f"run-{number}" for number in range(BURST)]
        began = time.monotonic()
        created = await at_once(
            BURST,
            lambda number: create_execution(ground, names[number]),
        )
        await jobs.wait_for((attempt_name(name, 1) for name in names), 90)
        seconds = max(jobs.seen[attempt_name(name, 1)] for name in names) - began
        used = operator.cpu_seconds() - used
        server_cpu, requests = server.cpu_seconds(), server.requests()
        await check_one_job_each(ground, names)
    share = bare_seconds / seconds
    report.add(
        f"{BURST} Executions at once: Jobs made",
        f"{BURST / seconds:.0f}/s, {share:.0%} of bare",
        ">= 25 % of bare",
        share >= 0.25,
        f"bare client, same objects: {BURST / bare_seconds:.0f}/s",
    )
    report.add(
        "  operator's CPU for one",
        in_millis(used / BURST),
        beside=f"the Executions were created in {created:.1f} s, all Jobs seen after {seconds:.1f}",
    )
    report.add("  API server's CPU for one", in_millis(server_cpu / BURST))
    add_requests(report, requests, BURST)


def add_requests(report: Report, requests: Counter[str], runs: int) -> None:
    """What one run asks of the API server, the create of its Execution too."""
    each = f"{requests.total() / runs:.1f}"
    report.add("  requests for one", each, beside=per_run(requests, runs))


async def measure_bare_runs(ground: Ground, count: int = 100) -> list[float]:
    """Seconds of each run's three creates, at the same rate, while the operator has no work."""
    bare = BareClient(ground)
    found: list[float] = []

    async def make(number: int) -> None:
        found.append(await timed(bare.make(f"bare-{number}")))

    await at_rate(RATE, count, make)
    return found


async def warm_up(ground: Ground, jobs: Arrivals) -> None:
    """The operator's watches are open and its code was run once."""
    await create_execution(ground, "warm")
    await jobs.wait_for([attempt_name("warm", 1)], 30)
    await asyncio.sleep(1)


async def check_one_job_each(ground: Ground, names: Iterable[str]) -> None:
    """None lost, none double: one Job and one attempt for every Execution."""
    selection = Selection(namespace=ground.namespace)
    made = [name_of(job) async for job in ground.world.list(JOB, selection)]
    ours = [name for name in made if name.startswith("run-")]
    assert sorted(ours) == sorted(attempt_name(name, 1) for name in names)
    async for execution in ground.world.list(EXECUTION, selection):
        attempts = value_at(execution, "status", "attempts")
        assert isinstance(attempts, list), name_of(execution)
        assert len(attempts) == 1, name_of(execution)
