"""Live events: thousands of open streams at one replica, and from a pod to a browser."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bench.figures import Report, in_millis, percentile, spread
from bench.replicas import (
    Replica,
    Screen,
    Server,
    deliver,
    open_client,
    run_bare_api,
    run_replica,
    runs_of,
    screens,
)
from heliostat_api.people.identities import new_guest_id
from support.redis_server import RedisServer

STREAMS = 2_000
PEOPLE = 200
EVENTS = 200
PAUSE_SECONDS = 0.02
TARGET_MIB = 512
TARGET_SECONDS = 0.1
EVERYBODY = 10**6
"""The mark that every stream hears."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("log", ["a file", "Redis"])
async def test_two_thousand_streams_on_one_replica(
    request: pytest.FixtureRequest, tmp_path: Path, report: Report, log: str
) -> None:
    redis = ""
    if log == "Redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        redis = server.url
    people = [new_guest_id() for _ in range(PEOPLE)]
    with run_replica(tmp_path / "api", people, redis=redis) as replica:
        async with open_client() as client:
            uids = [(await runs_of(client, replica, person))[0] for person in people]
            empty = replica.resident_bytes()
            browsers = [replica.headers(people[each % PEOPLE]) for each in range(STREAMS)]
            async with screens(client, replica.url, browsers) as opened:
                full = replica.resident_bytes()
                seconds = await tell_everybody(client, replica, uids, opened)
                after = replica.resident_bytes()
                tell = partial(deliver, client, replica, uids[0])
                among = await hear(opened[0], lambda each: tell(each + 1, each))
    report.add(
        f"memory of a replica, {STREAMS} streams, its log in {log}",
        f"{in_mib(full)}, after a report to each {in_mib(after)}",
        f"<= {TARGET_MIB} MiB",
        max(full, after) <= TARGET_MIB << 20,
        f"the same with none: {in_mib(empty)}; {(full - empty) / STREAMS / 1024:.0f} KiB each",
    )
    report.add(f"  {PEOPLE} reports heard by all {STREAMS}", f"after {seconds:.1f} s")
    add_latency(report, f"runner → browser, {STREAMS} streams open, log in {log}", among, "")


@pytest.mark.timeout(120)
async def test_from_a_runner_to_a_browser(tmp_path: Path, report: Report) -> None:
    person = new_guest_id()
    async with open_client() as client:
        with run_replica(tmp_path, [person]) as replica:
            [uid] = await runs_of(client, replica, person)
            tell = partial(deliver, client, replica, uid)
            async with screens(client, replica.url, [replica.headers(person)]) as [screen]:
                ours = await hear(screen, lambda each: tell(each, each))
        with run_bare_api(tmp_path) as bare:
            async with screens(client, bare.url, [{}]) as [screen]:
                beside = await hear(screen, partial(tell_bare, client, bare))
    add_latency(report, "runner → browser", ours, f"a bare endpoint: {spread(beside)}")


def add_latency(report: Report, what: str, seconds: list[float], beside: str) -> None:
    p50, p95 = percentile(seconds, 50), percentile(seconds, 95)
    report.add(
        what,
        f"p50 {in_millis(p50)}, p95 {in_millis(p95)}",
        f"p95 <= {in_millis(TARGET_SECONDS)}",
        p95 <= TARGET_SECONDS,
        beside,
    )


async def hear(screen: Screen, tell: Callable[[int], Awaitable[None]]) -> list[float]:
    """Seconds from the sending of each event until it is heard, one event after the other."""
    found: list[float] = []
    for mark in range(EVENTS):
        sent = time.monotonic()
        await tell(mark)
        found.append(await screen.hears(mark) - sent)
        await asyncio.sleep(PAUSE_SECONDS)
    return found


async def tell_bare(client: aiohttp.ClientSession, bare: Server, mark: int) -> None:
    async with client.post(f"{bare.url}/events", data=f"mark-{mark} and some words") as answer:
        assert answer.status == 200


async def tell_everybody(
    client: aiohttp.ClientSession, replica: Replica, uids: list[str], opened: list[Screen]
) -> float:
    """Each run tells one event; seconds until every stream heard its own."""
    began = time.monotonic()
    for uid in uids:
        await deliver(client, replica, uid, 0, EVERYBODY)
    return max(await asyncio.gather(*(each.hears(EVERYBODY) for each in opened))) - began


def in_mib(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB"
