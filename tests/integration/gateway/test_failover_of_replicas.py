"""Failover with two gateways on one Redis: what one has learned, the other knows."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path

import pytest

from heliostat_gateway.dialects import Dialect
from support.fake_provider import FakeProviders
from support.hearing import Heard, hear
from support.redis_server import RedisServer

from .chains import (
    SECOND_TEXT,
    SHOWN,
    Booked,
    Route,
    addresses,
    ask,
    lines_of,
    routes_text,
    wait_for_equal_money,
)
from .gateway_process import GatewayProcess
from .replicas import run_replicas

CALLERS = (Dialect.MESSAGES, Dialect.CHAT)
QUICK = {"idleSeconds": 1.5}
# Fault, when it comes, whether a stream has shown something by then.
FAULTS = (
    ("429-bare", None, False),
    ("500", None, False),
    ("cut-before-first-byte", None, False),
    ("bad-json", 0, False),
    ("cut-after-first-token", None, True),
    ("error-event", None, True),
    ("stall", None, True),
)
PAIRS = (
    (Dialect.MESSAGES, Dialect.MESSAGES),
    (Dialect.MESSAGES, Dialect.CHAT),
    (Dialect.CHAT, Dialect.CHAT),
    (Dialect.CHAT, Dialect.GEMINI),
    (Dialect.GEMINI, Dialect.MESSAGES),
)
LIMITED = [Route(f"limited-{n}", Dialect.MESSAGES, Dialect.CHAT, {}) for n in range(7)]


@dataclass(frozen=True)
class Case:
    """One request of the matrix."""

    fault: str
    after: float | None
    shows: bool
    caller: Dialect
    stream: bool
    route: Route


def cases() -> Iterator[Case]:
    for (fault, after, shows), caller, stream in product(FAULTS, CALLERS, (True, False)):
        for first, second in PAIRS:
            name = f"{fault}-{caller}-{stream}-{first}-{second}"
            route = Route(name, first, second, QUICK if fault == "stall" else {})
            yield Case(fault, after, shows and stream, caller, stream, route)


CASES = list(cases())


@pytest.fixture
async def pair(
    tmp_path: Path, redis_server: RedisServer, speakers: FakeProviders
) -> AsyncIterator[list[GatewayProcess]]:
    routes = tmp_path / "routes.yaml"
    routes.write_text(routes_text([*LIMITED, *(case.route for case in CASES)]))
    settings = addresses(speakers) | {"HELIOSTAT_GATEWAY_ROUTES_FILE": str(routes)}
    with run_replicas(tmp_path, redis_server.url, settings) as replicas:
        await replicas.until_shared()
        yield replicas.gateways


async def test_the_matrix_through_both_in_turn(
    pair: list[GatewayProcess], speakers: FakeProviders
) -> None:
    for case in CASES:
        speakers.arm(case.fault, after=case.after, model=case.route.first_model)
    turns = list(zip(CASES, cycle(pair)))
    busy = asyncio.Semaphore(24)

    async def check(case: Case, gateway: GatewayProcess) -> Booked:
        model = case.route.model
        async with busy:
            reply = await ask(gateway, case.caller, model, model, stream=case.stream)
        heard = hear(case.caller, reply.status, reply.body, stream=case.stream)
        if case.shows:
            assert (heard.text, heard.is_complete, bool(heard.error)) == (SHOWN, False, True), model
        else:
            assert heard == Heard(SECOND_TEXT), model
            assert reply.headers["x-heliostat-attempts"] == "2"
        return Booked(gateway, model, case.route)

    booked = await asyncio.gather(*(check(case, gateway) for case, gateway in turns))
    await wait_for_equal_money(speakers, booked)


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
    assert statistics.median(took) < 0.1


async def is_open(gateway: GatewayProcess, route: Route) -> bool:
    breakers = json.loads(await gateway.get("/admin/breakers"))["breakers"]
    return any(
        each["key"] == f"anthropic/{route.first_model}/ANTHROPIC_API_KEY"
        and each["state"] == "open"
        for each in breakers
    )
