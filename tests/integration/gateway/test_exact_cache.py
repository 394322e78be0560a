"""The exact cache on routes: a hit costs nothing, nobody sees another's, only good answers stay."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from heliostat_gateway.sse import EventReader
from support.fake_provider import FakeProviders, run_fake_providers
from support.redis_server import RedisServer

from .gateway_process import GatewayProcess, Reply

DEADLINE_SECONDS = 30
SCENARIOS = (
    "hello",
    "slow",
    "cut",
    "overloaded",
    "error-event",
    "refusal",
    "tools",
    "brief",
    "pausing",
)
PRICE = '{input: "4", output: "20", cacheRead: "0.20", cacheWrite5m: "5", cacheWrite1h: "8"}'
HELLO_NANOS = 2_400_000
MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
BRIEF = f"""
description: An answer of a few words.
prices: {PRICE}
turns: [{{steps: [{{text: "<<said>> and much more that is cut off"}}]}}]
"""

PAUSING = f"""
description: Says something, thinks for a while, and goes on.
prices: {PRICE}
turns: [{{steps: [{{text: First.}}, {{delay: 3}}, {{text: Then.}}]}}]
"""


def write_routes(folder: Path) -> Path:
    lines = ["prices:"]
    for name in SCENARIOS:
        lines += [f"  {each}/{name}: {PRICE}" for each in ("anthropic", "openai")]
    lines.append("models:")
    for name in SCENARIOS:
        lines += [f"  {name}:", f"    chain: [{{provider: anthropic, model: {name}}}]"]
        lines.append("    cache: {exact: true, ttlSeconds: 600}")
    lines += [
        "  crossed:",
        "    chain: [{provider: openai, model: hello}]",
        "    cache: {exact: true, ttlSeconds: 600}",
        "  fleeting:",
        "    chain: [{provider: anthropic, model: hello}]",
        "    cache: {exact: true, ttlSeconds: 1}",
        "  plain: {chain: [{provider: anthropic, model: hello}]}",
    ]
    file = folder / "routes.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def settings(folder: Path, providers: FakeProviders) -> dict[str, str]:
    return {
        "HELIOSTAT_GATEWAY_ROUTES_FILE": str(write_routes(folder)),
        "HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL": providers.messages_url,
        "HELIOSTAT_GATEWAY_OPENAI_BASE_URL": providers.chat_url,
        "HELIOSTAT_GATEWAY_BREAKER_MINIMUM": "1000",
        "ANTHROPIC_API_KEY": providers.key,
        "OPENAI_API_KEY": providers.key,
    }


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProviders]:
    folder = tmp_path_factory.mktemp("providers")
    (folder / "brief.yaml").write_text(BRIEF)
    (folder / "pausing.yaml").write_text(PAUSING)
    with run_fake_providers(folder, scenarios=folder) as found:
        yield found


@pytest.fixture(scope="module")
def caching(
    tmp_path_factory: pytest.TempPathFactory, providers: FakeProviders
) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path_factory.mktemp("caching"))
    gateway.write_public_key()
    gateway.start(**settings(gateway.folder, providers))
    yield gateway
    gateway.kill()
    assert "Traceback" not in gateway.log.read_text()


def request(model: str, text: str, *, stream: bool = False, **fields: object) -> dict[str, object]:
    messages = [{"role": "user", "content": text}]
    asked = {"model": model, "max_tokens": 1000, "stream": stream, "messages": messages}
    return {**asked, **fields}


async def ask(
    gateway: GatewayProcess, key: str, document: dict[str, object], path: str = MESSAGES
) -> Reply:
    headers = {"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
    return await gateway.ask(path, document=document, headers=headers)


async def user_key(gateway: GatewayProcess, user: str) -> str:
    document = {"name": f"key of {user}", "kind": "user", "user": user}
    reply = await gateway.ask("/admin/keys", document=document, headers=gateway.admin_headers())
    assert reply.status == 201, reply.text
    made: dict[str, str] = json.loads(reply.body)
    return made["key"]


@pytest.fixture
def run(request: pytest.FixtureRequest) -> str:
    """An execution, and a text that no other test says."""
    return re.sub(r"\W+", "-", request.node.name)


def names_of(body: bytes) -> list[str]:
    return [event.name or event.data.decode()[:6] for event in EventReader().feed(body)]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", [MESSAGES, CHAT])
@pytest.mark.parametrize("model", ["hello", "crossed"])
async def test_a_hit_is_the_same_answer_and_costs_nothing(
    caching: GatewayProcess, providers: FakeProviders, run: str, *, stream: bool, path: str,
    model: str,
) -> None:  # fmt: skip
    key = caching.key(run)
    before = len(providers.bill())
    first, second = [
        await ask(caching, key, request(model, run, stream=stream), path) for _ in range(2)
    ]
    assert (first.status, second.status) == (200, 200)
    assert len(providers.bill()) == before + 1
    assert first.body == second.body
    assert [each.headers["x-heliostat-cache"] for each in (first, second)] == ["miss", "hit"]
    assert int(first.headers["x-heliostat-cost"]) >= (0 if stream else 1)
    assert second.headers["x-heliostat-cost"] == "0"
    assert int(second.headers["age"]) < DEADLINE_SECONDS
    for name in ("content-type", "x-heliostat-provider", "x-heliostat-model"):
        assert first.headers[name] == second.headers[name]
    assert first.headers["x-heliostat-request-id"] != second.headers["x-heliostat-request-id"]
    cost = await caching.cost(run)
    assert (cost.requests, cost.cost_nanos) == (1, providers.bill()[-1].cost_nanos)
    if stream and path == MESSAGES:
        names = names_of(second.body)
        assert (names[0], names[-1]) == ("message_start", "message_stop")
    elif stream:
        assert names_of(second.body)[-1] == "[DONE]"


async def test_two_users_never_share_but_two_keys_of_one_do(
    caching: GatewayProcess, run: str
) -> None:
    keys = [await user_key(caching, user) for user in ("ann", "bob", "ann")]
    told = [(await ask(caching, key, request("hello", run))).headers for key in keys]
    told.append((await ask(caching, caching.key(run), request("hello", run))).headers)
    assert [each["x-heliostat-cache"] for each in told] == ["miss", "miss", "hit", "miss"]


async def test_streams_dialects_versions_and_bodies_are_apart(
    caching: GatewayProcess, run: str
) -> None:
    key = caching.key(run)
    whole, streamed = request("hello", run), request("hello", run, stream=True)
    other = request("hello", run, temperature=0.5)
    for document, path in ((whole, MESSAGES), (streamed, MESSAGES), (whole, CHAT), (other, CHAT)):
        reply = await ask(caching, key, document, path)
        assert (reply.status, reply.headers["x-heliostat-cache"]) == (200, "miss"), reply.text
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01", "anthropic-beta": "new"}
    reply = await caching.ask(MESSAGES, document=whole, headers=headers)
    assert reply.headers["x-heliostat-cache"] == "miss"


async def test_a_route_without_a_cache_has_none(caching: GatewayProcess, run: str) -> None:
    for _ in range(2):
        reply = await ask(caching, caching.key(run), request("plain", run))
        assert reply.headers.get("x-heliostat-cache", "off") == "off"
    assert (await caching.cost(run)).requests == 2


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("model", "most", "status"),
    [
        ("cut", 1000, None),
        ("overloaded", 1000, 529),
        ("error-event", 1000, None),
        ("refusal", 1000, 200),
        ("brief", 3, 200),
    ],
)
async def test_what_is_no_whole_good_answer_is_not_kept(
    caching: GatewayProcess, run: str, model: str, most: int, status: int | None, *, stream: bool
) -> None:
    document = request(model, f"{run} " * 9, stream=stream, max_tokens=most)
    for _ in range(3):
        reply = await ask(caching, caching.key(run), document)
        assert reply.headers["x-heliostat-cache"] in ("miss", "off")
        assert reply.status == status or (status is None and "error" in reply.text), reply.text


@pytest.mark.parametrize("stream", [True, False])
async def test_a_tool_turn_is_never_answered_from_the_cache(
    caching: GatewayProcess, providers: FakeProviders, run: str, *, stream: bool
) -> None:
    tool = {"name": "Bash", "description": "runs", "input_schema": {"type": "object"}}
    document = request("tools", run, stream=stream, tools=[tool])
    before = len(providers.bill())
    for _ in range(2):
        reply = await ask(caching, caching.key(run), document)
        assert (reply.status, reply.headers["x-heliostat-cache"]) == (200, "off"), reply.text
    assert len(providers.bill()) == before + 2


@pytest.mark.parametrize("stream", [True, False])
async def test_twenty_at_once_are_one_call(
    caching: GatewayProcess, providers: FakeProviders, run: str, *, stream: bool
) -> None:
    before = len(providers.bill())
    document = request("slow", run, stream=stream)
    asked = [ask(caching, caching.key(run), document) for _ in range(20)]
    replies = await asyncio.gather(*asked)
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    results = sorted(reply.headers["x-heliostat-cache"] for reply in replies)
    assert results == ["hit"] * 19 + ["miss"]
    assert len(providers.bill()) == before + 1
    assert (await caching.cost(run)).requests == 1


async def test_a_leader_whose_client_goes_hands_over(
    caching: GatewayProcess, providers: FakeProviders, run: str
) -> None:
    before = len(providers.bill())
    document = request("pausing", run, stream=True)
    async with aiohttp.ClientSession() as session:
        leader = await session.post(
            f"{caching.url}{MESSAGES}",
            json=document,
            headers={"x-api-key": caching.key(run), "anthropic-version": "2023-06-01"},
        )
        assert leader.status == 200
        await leader.content.readany()
        others = [
            asyncio.create_task(ask(caching, caching.key(f"{run}-{n}"), document)) for n in range(3)
        ]
        await until_open(caching, 4)
        leader.close()
        replies = await asyncio.gather(*others)
    assert [reply.status for reply in replies] == [200] * 3
    assert {names_of(reply.body)[-1] for reply in replies} == {"message_stop"}
    results = sorted(reply.headers["x-heliostat-cache"] for reply in replies)
    assert results == ["hit", "hit", "miss"]
    assert len(providers.bill()) == before + 2
    cost = await caching.cost(run)
    assert (cost.requests, cost.estimated, cost.settled) == (1, True, True)


async def test_an_answer_lives_as_long_as_the_route_says(caching: GatewayProcess, run: str) -> None:
    key = caching.key(run)
    results: list[str] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while results.count("miss") < 2:
            reply = await ask(caching, key, request("fleeting", run))
            results.append(reply.headers["x-heliostat-cache"])
            await asyncio.sleep(0.05)
    assert results[:2] == ["miss", "hit"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_cap_that_is_reached_refuses_calls_but_no_hits(
    caching: GatewayProcess, run: str, *, stream: bool
) -> None:
    key = caching.key(run, cap=HELLO_NANOS)
    document = request("hello", run, stream=stream)
    told = [await ask(caching, key, document) for _ in range(2)]
    assert [reply.status for reply in told] == [200, 200]
    refused = await ask(caching, key, request("hello", f"{run} again", stream=stream))
    assert (refused.status, refused.error[0]) == (402, "billing_error")
    assert refused.headers["x-should-retry"] == "false"
    assert (await caching.cost(run)).requests == 1


async def test_hits_and_misses_are_counted(caching: GatewayProcess, run: str) -> None:
    for _ in range(2):
        await ask(caching, caching.key(run), request("hello", run))
    text = (await caching.get("/metrics")).decode()
    for result in ("hit", "miss"):
        assert f'heliostat_gateway_answer_cache_total{{result="{result}"}}' in text
    assert "heliostat_gateway_open_calls 0.0" in text


async def test_replicas_share_answers_and_calls(
    redis_server: RedisServer, tmp_path: Path, providers: FakeProviders, run: str
) -> None:
    gateways: list[GatewayProcess] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        gateway = GatewayProcess(tmp_path / name)
        if gateways:
            gateway.private = gateways[0].private
        gateway.write_public_key()
        gateway.start(REDIS_URL=redis_server.url, **settings(gateway.folder, providers))
        gateways.append(gateway)
    try:
        before = len(providers.bill())
        document = request("slow", run, stream=True)
        key = gateways[0].key(run)
        asked = [ask(gateway, key, document) for gateway in gateways for _ in range(10)]
        replies = await asyncio.gather(*asked)
        assert {reply.status for reply in replies} == {200}
        assert len({reply.body for reply in replies}) == 1
        assert len(providers.bill()) == before + 1
        for gateway in gateways:
            again = await ask(gateway, key, document)
            assert again.headers["x-heliostat-cache"] == "hit"
            assert again.body == replies[0].body
        redis_server.kill()
        alone = await ask(gateways[1], key, document)
        assert (alone.status, alone.headers["x-heliostat-cache"]) == (200, "off")
    finally:
        for gateway in gateways:
            gateway.kill()


async def until_open(gateway: GatewayProcess, calls: int) -> None:
    wanted = f"heliostat_gateway_open_calls {calls}.0".encode()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while wanted not in await gateway.get("/metrics"):
            await asyncio.sleep(0.02)
