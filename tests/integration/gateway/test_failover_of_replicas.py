"""Failover with two gateways on one Redis: what one has learned, the other knows."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TypeAlias

import pytest

from heliostat_gateway.dialects import Dialect
from support.fake_provider import FakeProviders
from support.hearing import Heard, hear
from support.ports import free_port
from support.redis_server import RedisServer

from .chains import (
    SECOND_TEXT,
    Booked,
    Route,
    addresses,
    ask,
    lines_of,
    routes_text,
    wait_for_equal_money,
)
from .gateway_process import GatewayProcess
from .replicas import Replicas, run_replicas
from .test_failover import (
    SETTINGS,
    UNREACHABLE_ROUTES,
    Setting,
    check_answer_of_second,
    check_error_after_output,
    check_unreachable,
    half_dead_addresses,
    stranger,
)

__all__ = ["stranger"]

PAIRS = (
    (Dialect.MESSAGES, Dialect.MESSAGES),
    (Dialect.MESSAGES, Dialect.CHAT),
    (Dialect.CHAT, Dialect.CHAT),
    (Dialect.CHAT, Dialect.GEMINI),
    (Dialect.GEMINI, Dialect.MESSAGES),
)
LIMITED = [Route(f"limited-{n}", Dialect.MESSAGES, Dialect.CHAT, {}) for n in range(7)]
Case: TypeAlias = tuple[Setting, Route]
CASES: list[Case] = [
    (setting, route)
    for setting in SETTINGS
    for route in setting.routes()
    if (route.first, route.second) in PAIRS
]


@contextmanager
def run_pair(
    folder: Path, redis_url: str, routes: Iterable[Route], settings: Mapping[str, str]
) -> Iterator[Replicas]:
    """Two gateways with these routes."""
    path = folder / "routes.yaml"
    path.write_text(routes_text(routes))
    # No ping before an answer, however busy the machine: it would fix what the headers say.
    quiet = {"HELIOSTAT_GATEWAY_PING_SECONDS": "120", "HELIOSTAT_GATEWAY_ROUTES_FILE": str(path)}
    own = {**settings, **quiet}
    with run_replicas(folder, redis_url, own) as replicas:
        yield replicas


@pytest.fixture
async def pair(
    tmp_path: Path, redis_server: RedisServer, speakers: FakeProviders
) -> AsyncIterator[list[GatewayProcess]]:
    routes = [*LIMITED, *(route for _, route in CASES)]
    with run_pair(tmp_path, redis_server.url, routes, addresses(speakers)) as replicas:
        await replicas.until_shared()
        yield replicas.gateways


async def test_the_matrix_through_both_in_turn(
    pair: list[GatewayProcess], speakers: FakeProviders
) -> None:
    for setting, route in CASES:
        setting.fault.arm(speakers, route.first_model)

    async def check(
        setting: Setting, route: Route, gateway: GatewayProcess, turn: asyncio.Semaphore
    ) -> Booked:
        async with turn:
            reply = await ask(
                gateway, setting.caller, route.model, route.model, stream=setting.stream
            )
        if setting.shows:
            check_error_after_output(setting, reply)
        else:
            check_answer_of_second(setting, route, reply)
        return Booked(gateway, route.model, route)

    booked: list[Booked] = []
    for at_once, cases in groups():
        turn = asyncio.Semaphore(at_once)
        turns = zip(cases, cycle(pair))
        booked += await asyncio.gather(*(check(*case, gateway, turn) for case, gateway in turns))
    await wait_for_equal_money(speakers, booked)


def groups() -> Iterator[tuple[int, list[Case]]]:
    """How many go at once: few of what weighs 34 MB or must meet a time, by themselves."""
    huge = [case for case in CASES if "huge" in case[0].name]
    timed = [case for case in CASES if case[1].timeouts]
    yield 24, [case for case in CASES if case not in huge and case not in timed]
    yield 8, timed
    yield 3, huge


@pytest.mark.parametrize("why", ["refused", "tls"])
async def test_a_first_provider_that_neither_can_reach(
    tmp_path: Path, redis_server: RedisServer, speakers: FakeProviders, stranger: str, why: str
) -> None:
    address = stranger if why == "tls" else f"http://127.0.0.1:{free_port()}"
    settings = half_dead_addresses(speakers, address)
    with run_pair(tmp_path, redis_server.url, UNREACHABLE_ROUTES, settings) as replicas:
        await replicas.until_shared()
        await check_unreachable(replicas.gateways, speakers)


async def test_a_limit_that_one_has_met_is_kept_by_the_other(
    pair: list[GatewayProcess], speakers: FakeProviders
) -> None:
    one, two = pair
    took = []
    for route in LIMITED:
        speakers.arm("429", after=60, model=route.first_model)
        reply = await ask(one, Dialect.MESSAGES, route.model, route.model, stream=True)
        begin = time.monotonic()
        assert reply.headers["x-heliostat-decision"].startswith("anthropic refused 429; ")
        async with asyncio.timeout(10):
            while not await is_open(two, route):
                await asyncio.sleep(0.002)
        took.append(time.monotonic() - begin)
        reply = await ask(two, Dialect.MESSAGES, route.model, route.model, stream=True)
        assert hear(Dialect.MESSAGES, reply.status, reply.body, stream=True) == Heard(SECOND_TEXT)
        assert reply.headers["x-heliostat-decision"].startswith("anthropic rests; ")
        assert reply.headers["x-heliostat-attempts"] == "1"
        bill = await asyncio.to_thread(speakers.bill)
        assert [line.model for line in lines_of(bill, route)] == [route.second_model] * 2
    # The middle of several: the machine may be busy with something else for a moment.
    assert statistics.median(took) < 1


async def is_open(gateway: GatewayProcess, route: Route) -> bool:
    breakers = json.loads(await gateway.get("/admin/breakers"))["breakers"]
    return any(
        each["key"] == f"anthropic/{route.first_model}/ANTHROPIC_API_KEY"
        and each["state"] == "open"
        for each in breakers
    )
