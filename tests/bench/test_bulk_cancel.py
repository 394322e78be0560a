"""A queue of 2,000 runs is cancelled by one request, while people read; beside a bare client."""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil
import pytest

from bench.figures import Report, in_millis, percentile
from bench.gateways import run_gateway
from bench.loads import Ground, arrivals, at_once, beside
from bench.operators import PATIENT, run_operator
from bench.replicas import open_client
from bench.servers import ServerUse, per_run
from heliostat_api.people.identities import new_guest_id
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.web.credentials import SESSION
from heliostat_core.conditions import ExecutionCondition, is_true
from heliostat_core.executions import Execution
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import EXECUTION, JsonObject, Ref
from support.control_plane import Address, running
from support.objects import make_agent, make_execution, value_at
from support.ports import free_port

RUNS = int(os.environ.get("BENCH_QUEUE", "2000"))
QUEUE_SECONDS = 240.0
WRITE_SECONDS = 10.0
END_SECONDS = 60.0
READ_SECONDS = 0.3
SECRET = "s" * 32
READS = ("/api/usage", "/api/agents?limit=200", "/api/executions", "/api/executions/counts")


@dataclass
class Reads:
    """What one person's reads took, one after the other."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    async def go_on(self, client: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        for path in itertools.cycle(READS):
            began = time.monotonic()
            async with client.get(f"{url}{path}", headers=headers) as answer:
                await answer.read()
                # The gateway of this bench knows no usage: the api asks it all the same.
                if answer.status >= 500 and path != "/api/usage":
                    self.failed.append(f"{path}: {answer.status}")
            self.seconds.setdefault(path, []).append(time.monotonic() - began)
            await asyncio.sleep(0.05)

    @property
    def all(self) -> list[float]:
        return [each for several in self.seconds.values() for each in several]


@contextmanager
def run_api(address: Address, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The api's own program, over the cluster."""
    port = free_port()
    (folder / "keys").mkdir()
    secrets = folder / "session.secrets"
    secrets.write_text(f"{SECRET}\n")
    chosen = {
        "port": port,
        "host": "127.0.0.1",
        "data_dir": folder / "data",
        "keys_dir": folder / "keys",
        "session_secrets_file": secrets,
        "limit_guest": 0,
        "limit_address": 0,
    }
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KUBECONFIG": str(address.kubeconfig),
        **{f"HELIOSTAT_API_{name.upper()}": str(value) for name, value in chosen.items()},
    }
    variables = [f"{name}={value}" for name, value in environment.items()]
    log = folder / "api.log"
    with running(["env", "-i", *variables, sys.executable, "-m", "heliostat_api"], log) as process:
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
        assert process.poll() is None, log.read_text()[-2000:]


def headers_of(person: str, url: str) -> dict[str, str]:
    """Of that person's browser."""
    cookie = Sessions(SignedTokens((SECRET.encode(),), lambda: datetime.now(UTC))).issue(person)
    return {"Cookie": f"{SESSION}={cookie}", "Origin": url}


def is_cancelled(execution: JsonObject) -> bool:
    return value_at(execution, "spec", "cancel") is True


def is_terminal(execution: JsonObject) -> bool:
    found = Execution.model_validate(execution)
    return not is_true(found.status.conditions, ExecutionCondition.SUCCEEDED) and found.is_finished


async def until_waiting(client: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
    """Until the api has seen all of them wait."""
    async with asyncio.timeout(QUEUE_SECONDS):
        while True:
            try:
                async with client.get(f"{url}/api/executions/counts", headers=headers) as answer:
                    if answer.status == 200 and (await answer.json())["waiting"] >= RUNS:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.5)


async def fill_queue(ground: Ground, person: str) -> list[str]:
    """The names of a person's runs that all wait, for their agent is suspended."""
    await ground.world.create(make_agent(ground.namespace, name="suspended", suspend=True))
    names = [f"mine-{number}" for number in range(RUNS)]

    async def create(number: int) -> None:
        metadata = {"annotations": {OWNER_ANNOTATION: person}}
        run = make_execution(ground.namespace, names[number], metadata)
        await ground.world.create({**run, "spec": {"agentRef": {"name": "suspended"}}})

    await at_once(RUNS, create)
    return names


@pytest.mark.timeout(900)
async def test_a_queue_is_cancelled_while_people_read(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    person = new_guest_id()
    bare = await patch_by_a_bare_client(ground)
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator,
        open_client() as client,
    ):
        names = await fill_queue(ground, person)
        with run_api(fresh_api_server, tmp_path) as (url, process):
            headers = headers_of(person, url)
            await until_waiting(client, url, headers)
            calm, busy, use = Reads(), Reads(), ServerUse(fresh_api_server)
            async with beside(calm.go_on(client, url, headers)):
                await asyncio.sleep(5)
            used, operated = sum(process.cpu_times()[:2]), operator.cpu_seconds()
            async with (
                arrivals(ground.world, EXECUTION, ground.namespace, is_cancelled) as cancelled,
                arrivals(ground.world, EXECUTION, ground.namespace, is_terminal) as ended,
                beside(busy.go_on(client, url, headers)),
            ):
                began = time.monotonic()
                body = {"phases": ["Pending"]}
                path = f"{url}/api/executions/cancel"
                async with client.post(path, json=body, headers=headers) as answer:
                    counted = await answer.json()
                    assert answer.status == 202, counted
                answered = time.monotonic() - began
                await cancelled.wait_for(names, END_SECONDS)
                await ended.wait_for(names, 4 * END_SECONDS)
                written = max(cancelled.seen[name] for name in names) - began
                over = max(ended.seen[name] for name in names) - began
            cpu = sum(process.cpu_times()[:2]) - used
            shares = (
                f"CPU of api {cpu:.0f} s, operator {operator.cpu_seconds() - operated:.0f} s,"
                f" API server {use.cpu_seconds():.0f} s; {per_run(use.requests(), RUNS)}"
            )
    p95 = percentile(busy.all, 95)
    report.add(
        f"spec.cancel on {RUNS} runs by one request",
        f"{written:.1f} s, answered after {answered:.1f} s",
        f"<= {WRITE_SECONDS:.0f} s",
        written <= WRITE_SECONDS,
        f"a bare client patches as many: {bare:.1f} s (x{written / bare:.1f})",
    )
    report.add(
        "  all are terminal",
        f"{over:.1f} s",
        f"<= {END_SECONDS:.0f} s",
        over <= END_SECONDS,
        shares,
    )
    report.add(
        f"  {len(busy.all)} reads meanwhile",
        f"p50 {in_millis(percentile(busy.all, 50))}, p95 {in_millis(p95)}",
        f"p95 <= {in_millis(READ_SECONDS)}",
        p95 <= READ_SECONDS,
        f"before it: p95 {in_millis(percentile(calm.all, 95))}",
    )
    for each, seconds in busy.seconds.items():
        before = percentile(calm.seconds[each], 95)
        report.add(f"    {each}", in_millis(percentile(seconds, 95)), beside=in_millis(before))
    assert counted["cancelled"] == RUNS
    assert not busy.failed


async def patch_by_a_bare_client(ground: Ground) -> float:
    """Seconds in which as many objects get the field, with as many writes under way."""
    await ground.world.create(make_agent(ground.namespace, name="bare", suspend=True))

    async def create(number: int) -> None:
        run = make_execution(ground.namespace, f"bare-{number}")
        await ground.world.create({**run, "spec": {"agentRef": {"name": "bare"}}})

    async def patch(number: int) -> None:
        await ground.world.apply(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {"name": f"bare-{number}", "namespace": ground.namespace},
                "spec": {"cancel": True},
            }
        )

    await at_once(RUNS, create)
    seconds = await at_once(RUNS, patch)

    async def delete(number: int) -> None:
        await ground.world.delete(Ref(EXECUTION, ground.namespace, f"bare-{number}"))

    await at_once(RUNS, delete)
    return seconds
