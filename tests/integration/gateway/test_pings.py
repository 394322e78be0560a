"""Pings after a silence: they commit the 200, so that a failure afterwards is an error event."""

from collections.abc import Iterator
from itertools import product

import pytest

from heliostat_gateway.dialects import Dialect
from support.fake_provider import FakeProviders
from support.hearing import Heard, hear

from .chains import (
    FIRST_TEXT,
    SECOND_TEXT,
    Booked,
    Route,
    addresses,
    ask,
    start_gateway,
    wait_for_equal_money,
)
from .gateway_process import GatewayProcess, Reply

SILENCE = 0.2  # seconds, until the first ping
QUICK = {"firstTokenSeconds": 1.0}
PINGS = {Dialect.MESSAGES: 'event: ping\ndata: {"type": "ping"}\n\n', Dialect.CHAT: ": ping\n\n"}
CASES = list(product(PINGS, Dialect))
ROUTES = {
    f"{name}-{caller}-{first}": Route(f"{name}-{caller}-{first}", first, Dialect.MESSAGES, quick)
    for (caller, first), (name, quick) in product(
        CASES, (("patient", {}), ("hurried", QUICK), ("hopeless", QUICK))
    )
}
CASE = pytest.mark.parametrize(("caller", "first"), CASES)


@pytest.fixture(scope="module")
def gateway(
    speakers: FakeProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    settings = addresses(speakers) | {"HELIOSTAT_GATEWAY_PING_SECONDS": str(SILENCE)}
    found = start_gateway(tmp_path_factory.mktemp("gateway"), ROUTES.values(), settings)
    yield found
    found.kill()


async def stream(gateway: GatewayProcess, caller: Dialect, route: Route) -> Reply:
    reply = await ask(gateway, caller, route.model, route.model, stream=True)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.startswith(PINGS[caller] * 2)
    return reply


@CASE
async def test_pings_fill_the_silence_before_an_answer(
    gateway: GatewayProcess, speakers: FakeProviders, caller: Dialect, first: Dialect
) -> None:
    route = ROUTES[f"patient-{caller}-{first}"]
    speakers.arm("slow-first-token", after=1.0, model=route.first_model)
    reply = await stream(gateway, caller, route)
    assert hear(caller, reply.status, reply.body, stream=True) == Heard(FIRST_TEXT)
    await wait_for_equal_money(speakers, [Booked(gateway, route.model, route)])


@CASE
async def test_the_next_provider_still_answers_after_pings(
    gateway: GatewayProcess, speakers: FakeProviders, caller: Dialect, first: Dialect
) -> None:
    route = ROUTES[f"hurried-{caller}-{first}"]
    speakers.arm("slow-first-token", after=60, model=route.first_model)
    reply = await stream(gateway, caller, route)
    assert hear(caller, reply.status, reply.body, stream=True) == Heard(SECOND_TEXT)
    await wait_for_equal_money(speakers, [Booked(gateway, route.model, route)])


@CASE
async def test_a_failure_after_pings_is_an_error_event(
    gateway: GatewayProcess, speakers: FakeProviders, caller: Dialect, first: Dialect
) -> None:
    route = ROUTES[f"hopeless-{caller}-{first}"]
    speakers.arm("slow-first-token", after=60, model=route.first_model)
    speakers.arm("529", model=route.second_model)
    reply = await stream(gateway, caller, route)
    heard = hear(caller, reply.status, reply.body, stream=True)
    kind = "overloaded_error" if caller is Dialect.MESSAGES else "server_error"
    assert heard == Heard("", kind, is_complete=False)
    await wait_for_equal_money(speakers, [Booked(gateway, route.model, route)])
