"""Who is asked next, who is not, and what the caller hears of it."""

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import product

import aiohttp
import pytest

from heliostat_gateway.dialects import Dialect
from support.fake_provider import FakeProviders, run_fake_providers
from support.hearing import Heard, hear
from support.played_providers import Behaviour, Ending, PlayedProvider
from support.ports import free_port

from .chains import (
    FIRST_TEXT,
    PATHS,
    SECOND_TEXT,
    Booked,
    Route,
    addresses,
    ask,
    lines_of,
    request_document,
    start_gateway,
    wait_for_equal_money,
    write_scenario,
)
from .gateway_process import GatewayProcess
from .upstream import upstream

CALLERS = (Dialect.MESSAGES, Dialect.CHAT)
KEYS = ("one=sk-scripted-one", "two=sk-scripted-two")
CALLER = pytest.mark.parametrize("caller", CALLERS)
STREAM = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
REJECTED = ["400", "413", "422"]
STATES = ["401", "402", "403", "404", "408", "503"]
ACTING = {
    "mcp_servers": [{"type": "url", "url": "https://tools.invalid", "name": "t"}],
    "tools": [{"type": "code_execution_20250825", "name": "code_execution"}],
}
LIMIT = 30.0
ID_HEADERS = {Dialect.MESSAGES: "request-id", Dialect.CHAT: "x-request-id"}
UPSTREAM_PORT = free_port()


def names() -> Iterator[Route]:
    """A model for each test, so that none of them meets another's breakers."""
    for caller, stream in product(CALLERS, (True, False)):
        tail = f"{caller}-{stream}"
        for first, second in ((Dialect.MESSAGES, Dialect.CHAT), (Dialect.GEMINI, Dialect.MESSAGES)):
            for fault in (*REJECTED, *STATES):
                yield Route(f"{fault}-{first}-{tail}", first, second, {})
        for second in Dialect:
            yield Route(f"last-{second}-{tail}", Dialect.GEMINI, second, {})
        yield Route(f"rest-{tail}", Dialect.MESSAGES, Dialect.GEMINI, {})
        yield Route(f"keys-{tail}", Dialect.CHAT, Dialect.MESSAGES, {})
        for first in Dialect:
            yield Route(f"leave-{first}-{tail}", first, Dialect.MESSAGES, {})
    for field, stream in product(ACTING, (True, False)):
        yield Route(f"acts-{field}-{stream}", Dialect.MESSAGES, Dialect.MESSAGES, {})


ROUTES = {route.model: route for route in names()}


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProviders]:
    folder = tmp_path_factory.mktemp("providers")
    scenarios = write_scenario(folder)
    with run_fake_providers(
        folder, scenarios=scenarios, default="speaker", api_keys=KEYS
    ) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    providers: FakeProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    second_key = {"OPENAI_API_KEY_2": KEYS[1].partition("=")[2]}
    settings = addresses(providers) | second_key
    found = start_gateway(tmp_path_factory.mktemp("gateway"), ROUTES.values(), settings)
    yield found
    found.kill()


@CALLER
@STREAM
@pytest.mark.parametrize("first", [Dialect.MESSAGES, Dialect.GEMINI])
@pytest.mark.parametrize("status", REJECTED)
async def test_a_rejected_request_goes_back_and_nobody_else_is_asked(
    gateway: GatewayProcess,
    providers: FakeProviders,
    caller: Dialect,
    stream: bool,
    first: Dialect,
    status: str,
) -> None:
    route = ROUTES[f"{status}-{first}-{caller}-{stream}"]
    providers.arm(status, model=route.first_model)
    reply = await ask(gateway, caller, route.model, route.model, stream=stream)
    heard = hear(caller, reply.status, reply.body, stream=stream)
    kind = "request_too_large" if status == "413" else "invalid_request_error"
    assert reply.status == int(status)
    if first is not caller and caller is Dialect.MESSAGES:
        assert heard.error == kind
    assert f"answers {status} here" in reply.text
    if first is not Dialect.GEMINI:  # it names no id
        assert reply.headers[ID_HEADERS[caller]].startswith("req_scripted_")
    assert reply.headers["x-heliostat-attempts"] == "1"
    bill = await wait_for_equal_money(providers, [Booked(gateway, route.model, route)])
    assert lines_of(bill, route) == []


@CALLER
@STREAM
@pytest.mark.parametrize("first", [Dialect.MESSAGES, Dialect.GEMINI])
@pytest.mark.parametrize("status", STATES)
async def test_the_providers_own_state_asks_the_next(
    gateway: GatewayProcess,
    providers: FakeProviders,
    caller: Dialect,
    stream: bool,
    first: Dialect,
    status: str,
) -> None:
    route = ROUTES[f"{status}-{first}-{caller}-{stream}"]
    providers.arm(status, model=route.first_model)
    reply = await ask(gateway, caller, route.model, route.model, stream=stream)
    assert hear(caller, reply.status, reply.body, stream=stream) == Heard(SECOND_TEXT)
    assert f"refused {status}" in reply.headers["x-heliostat-decision"]


@CALLER
@STREAM
@pytest.mark.parametrize("second", list(Dialect))
async def test_the_last_failure_is_told_in_the_callers_dialect(
    gateway: GatewayProcess,
    providers: FakeProviders,
    caller: Dialect,
    stream: bool,
    second: Dialect,
) -> None:
    route = ROUTES[f"last-{second}-{caller}-{stream}"]
    providers.arm("500", model=route.first_model)
    providers.arm("429", model=route.second_model, after=7)
    reply = await ask(gateway, caller, route.model, route.model, stream=stream)
    heard = hear(caller, reply.status, reply.body, stream=stream)
    limited = {"rate_limit_error", "requests"}  # OpenAI's own word is the second
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert heard.error in limited
    assert reply.headers["x-heliostat-attempts"] == "2"


@CALLER
@STREAM
async def test_when_all_rest_the_caller_hears_until_when(
    gateway: GatewayProcess, providers: FakeProviders, caller: Dialect, stream: bool
) -> None:
    route = ROUTES[f"rest-{caller}-{stream}"]
    for model in (route.first_model, route.second_model):
        providers.arm("429", model=model, after=LIMIT)
    limited = await ask(gateway, caller, route.model, route.model, stream=stream)
    resting = await ask(gateway, caller, route.model, route.model, stream=stream)
    assert (limited.status, resting.status) == (429, 429)
    assert 0 < int(resting.headers["retry-after"]) <= LIMIT + 1
    assert resting.headers["x-heliostat-attempts"] == "0"
    assert resting.headers["x-heliostat-decision"] == "anthropic rests; gemini rests"
    assert "answered 429" in resting.text
    cost = await gateway.cost(route.model)
    assert (cost.cost_nanos, cost.requests) == (0, 2)


@CALLER
@STREAM
async def test_a_key_that_is_limited_gives_way_to_the_other(
    gateway: GatewayProcess, providers: FakeProviders, caller: Dialect, stream: bool
) -> None:
    route = ROUTES[f"keys-{caller}-{stream}"]

    async def answered() -> tuple[str, str]:
        reply = await ask(gateway, caller, route.model, route.model, stream=stream)
        assert hear(caller, reply.status, reply.body, stream=stream) == Heard(FIRST_TEXT)
        bill = await asyncio.to_thread(providers.bill)
        return lines_of(bill, route)[-1].key, reply.headers.get("x-heliostat-decision", "")

    usual, decision = await answered()
    assert decision == "openai answered"
    providers.arm("429", model=route.first_model, key=usual, after=LIMIT)
    other, decision = await answered()
    assert {usual, other} == {"one", "two"}
    assert decision == "openai refused 429; openai answered"
    assert await answered() == (other, "openai rests; openai answered")
    await wait_for_equal_money(providers, [Booked(gateway, route.model, route)])


@STREAM
@pytest.mark.parametrize("field", list(ACTING))
async def test_an_uncertain_attempt_that_may_have_acted_is_not_repeated(
    gateway: GatewayProcess, providers: FakeProviders, field: str, stream: bool
) -> None:
    route = ROUTES[f"acts-{field}-{stream}"]
    more = {field: ACTING[field]}
    providers.arm("cut-before-first-byte", model=route.first_model)
    reply = await ask(gateway, Dialect.MESSAGES, route.model, route.model, stream=stream, **more)
    assert (reply.status, reply.error[0]) == (502, "api_error")
    assert reply.headers["x-heliostat-attempts"] == "1"
    bill = await wait_for_equal_money(providers, [Booked(gateway, route.model, route)])
    assert [line.model for line in lines_of(bill, route)] == [route.first_model]
    # One that was refused has not acted.
    providers.arm("529", model=route.first_model)
    reply = await ask(gateway, Dialect.MESSAGES, route.model, route.model, stream=stream, **more)
    assert hear(Dialect.MESSAGES, reply.status, reply.body, stream=stream) == Heard(SECOND_TEXT)


@CALLER
@STREAM
@pytest.mark.parametrize("first", list(Dialect))
async def test_what_was_used_is_charged_when_the_client_goes(
    gateway: GatewayProcess,
    providers: FakeProviders,
    caller: Dialect,
    stream: bool,
    first: Dialect,
) -> None:
    route = ROUTES[f"leave-{first}-{caller}-{stream}"]
    providers.arm("stall", model=route.first_model)
    seconds = await leave(gateway, caller, route, stream=stream, providers=providers)
    assert seconds < 5
    bill = await wait_for_equal_money(providers, [Booked(gateway, route.model, route)])
    (line,) = lines_of(bill, route)
    assert line.estimated


async def leave(
    gateway: GatewayProcess,
    caller: Dialect,
    route: Route,
    *,
    stream: bool,
    providers: FakeProviders,
) -> float:
    """Goes in the middle of the answer; seconds until the call is settled."""
    headers = {"x-api-key": gateway.key(route.model), "anthropic-version": "2023-06-01"}
    document = request_document(caller, route.model, stream=stream)
    url = f"{gateway.url}{PATHS[caller]}"

    async def listen() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=document, headers=headers) as answer,
        ):
            async for _ in answer.content.iter_any():
                spoke.set()

    spoke = asyncio.Event()
    client = asyncio.create_task(listen())
    async with asyncio.timeout(20):
        if stream:
            await spoke.wait()
        else:
            while not lines_of(await asyncio.to_thread(providers.bill), route):
                await asyncio.sleep(0.02)
    client.cancel()
    begin = time.monotonic()
    async with asyncio.timeout(20):
        while not (cost := await gateway.cost(route.model)).settled or not cost.cost_nanos:
            await asyncio.sleep(0.01)
    return time.monotonic() - begin


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway whose providers are all the same recording server."""
    address = f"http://127.0.0.1:{UPSTREAM_PORT}"
    settings = {f"{name}_API_KEY": "k" for name in ("ANTHROPIC", "OPENAI", "GEMINI")} | {
        f"HELIOSTAT_GATEWAY_{name}_BASE_URL": address for name in ("ANTHROPIC", "OPENAI", "GEMINI")
    }
    routes = [route for route in ROUTES.values() if route.model.startswith("leave-")]
    found = start_gateway(tmp_path_factory.mktemp("standing"), routes, settings)
    yield found
    found.kill()


@CALLER
@pytest.mark.parametrize("first", list(Dialect))
async def test_the_provider_is_cancelled_within_a_second(
    standing: GatewayProcess, caller: Dialect, first: Dialect
) -> None:
    pieces = 4 if first is Dialect.MESSAGES else 2  # with some text, and not the end
    speaker = PlayedProvider("p", first, "x", Behaviour(ending=Ending.STALL, pieces=pieces))
    route = ROUTES[f"leave-{first}-{caller}-True"]
    document = request_document(caller, route.model, stream=True)
    headers = {"x-api-key": standing.key(route.model)}
    async with upstream(UPSTREAM_PORT) as told:
        told.chunks = [piece.raw for piece in speaker.told(is_stream=True)]
        told.stand_still = True
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{standing.url}{PATHS[caller]}", json=document, headers=headers
            ) as answer,
        ):
            async with asyncio.timeout(20):
                await answer.content.readuntil(b"xx")
            begin = time.monotonic()
            answer.close()
        async with asyncio.timeout(20):
            await told.gone.wait()
        assert time.monotonic() - begin < 5


@CALLER
async def test_an_error_that_is_no_json_gets_the_callers_shape(
    standing: GatewayProcess, caller: Dialect
) -> None:
    route = ROUTES[f"leave-{caller}-{caller}-True"]
    async with upstream(UPSTREAM_PORT) as told:
        told.status, told.chunks = 502, [b"<html>Traceback of a proxy</html>"]
        told.headers = {"content-type": "text/html", "retry-after": "9", "request-id": "r"}
        reply = await ask(standing, caller, route.model, "html", stream=False)
    error = json.loads(reply.body)["error"]
    assert (reply.status, reply.headers["content-type"]) == (502, "application/json")
    assert error["message"] == "The provider answered with status 502."
    assert reply.headers["retry-after"] == "9"
