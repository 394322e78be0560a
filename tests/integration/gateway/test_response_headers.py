"""What an answer says of itself in its headers, and its final figures afterwards."""

import asyncio
import json
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from support.ports import free_port

from .gateway_process import GatewayProcess, Reply, small_request
from .real_world import World
from .upstream import STREAM, upstream

HELLO_NANOS = 2_400_000  # 100 x 4,000 + 20 x 20,000 + 1000 x 200 + 200 x 5,000 + 50 x 8,000


def told(reply: Reply) -> dict[str, str]:
    """The headers about the call, without their prefix."""
    prefix = "x-heliostat-"
    return {k.removeprefix(prefix): v for k, v in reply.headers.items() if k.startswith(prefix)}


async def figures(gateway: GatewayProcess, key: str, request: str) -> Reply:
    return await gateway.ask(
        f"/v1/heliostat/requests/{request}", method="GET", headers={"x-api-key": key}
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_a_plain_answer(world: World, stream: bool) -> None:
    key = world.gateway.key("plain")
    reply = await world.gateway.message(key, "messages/hello", stream=stream)
    headers = told(reply)
    assert float(headers.pop("overhead-ms")) >= 0
    assert headers.pop("request-id").startswith("req_")
    cost = int(headers.pop("cost"))
    assert cost > 0 if stream else cost == HELLO_NANOS  # of a stream, what was reserved
    assert headers == {
        "execution": "plain",
        "provider": "anthropic",
        "model": "messages/hello",
        "decision": "anthropic answered",
        "attempts": "1",
    }


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fallback_to_another_dialect_under_a_persona(world: World, stream: bool) -> None:
    world.providers.arm("529", model="default", dialect="messages")
    key = world.gateway.key("persona")
    reply = await world.gateway.message(key, "persona/zeitgeist", stream=stream)
    assert (reply.status, told(reply)["persona"]) == (529, "zeitgeist")
    assert told(reply)["decision"] == "anthropic refused 529"
    reply = await world.gateway.ask(
        "/v1/messages",
        document=small_request("fallback-chat/hello", stream=stream)
        | {"service_tier": "auto", "ünknown\r\nset-cookie: a=b": 1},
        headers={"x-api-key": key},
    )
    assert reply.status == 200
    headers = told(reply)
    assert headers["provider"] == "openai"
    assert headers["attempts"] == "2"
    assert headers["decision"] == "absent not_sent 502; openai answered"
    assert "service_tier" in headers["dropped"]
    assert "set-cookie" not in reply.headers


async def test_odd_names_stay_one_line_of_ascii(world: World) -> None:
    key = world.gateway.key("odd\nexecution: ü")
    reply = await world.gateway.message(key, "messages/hello", stream=False)
    assert told(reply)["execution"] == "odd?execution: ?"


async def test_a_key_without_an_execution_sends_no_empty_header(world: World) -> None:
    made = await world.gateway.ask(
        "/admin/keys",
        document={"name": "a program", "kind": "service"},
        headers=world.gateway.admin_headers(),
    )
    key = json.loads(made.body)["key"]
    reply = await world.gateway.message(key, "messages/hello", stream=False)
    assert reply.status == 200
    assert "execution" not in told(reply)
    found = json.loads((await figures(world.gateway, key, told(reply)["request-id"])).body)
    assert found["costNanos"] == HELLO_NANOS


async def test_a_refusal_says_what_is_known(world: World) -> None:
    reply = await world.gateway.message(world.gateway.key("capped", cap=0), "messages/hello")
    headers = told(reply)
    assert reply.status == 402
    assert (headers["attempts"], headers["model"]) == ("0", "messages/hello")
    assert (await figures(world.gateway, "none", headers["request-id"])).status == 401


@pytest.mark.parametrize("stream", [False, True])
async def test_final_figures_by_request_id(world: World, stream: bool) -> None:
    key = world.gateway.key("figures")
    world.providers.arm("cut-before-first-token", model="any-steps", dialect="gemini")
    reply = await world.gateway.message(key, "gemini/any-steps", stream=stream)
    assert reply.status == 502
    failed = json.loads((await figures(world.gateway, key, told(reply)["request-id"])).body)
    assert (failed["open"], failed["estimated"]) == (False, True)
    assert [part["outcome"] for part in failed["parts"]] == ["provider_cut"]
    reply = await world.gateway.message(key, "fallback-messages/kinds", stream=stream)
    found = json.loads((await figures(world.gateway, key, told(reply)["request-id"])).body)
    started, ended = (datetime.fromisoformat(found.pop(f"{at}Time")) for at in ("started", "ended"))
    assert started <= ended
    usage = {
        "inputTokens": 103,
        "outputTokens": 57,
        "cacheReadTokens": 1001,
        "cacheWrite5mTokens": 203,
        "cacheWrite1hTokens": 51,
        "thinkingTokens": 31,
        "webSearches": 2,
    }
    # 103 x 4,000 + 57 x 20,000 + 1001 x 200 + 203 x 5,000 + 51 x 8,000 + 2 x 10,000,000
    nanos = 23_175_200
    (part,) = found.pop("parts")
    assert part.pop("providerRequest").startswith("req_")
    assert part == {
        "part": 1,
        "provider": "anthropic",
        "model": "kinds",
        "outcome": "answered",
        "usage": usage,
        "costNanos": nanos,
        "estimated": False,
        "unpriced": [],
    }
    assert found == {
        "id": told(reply)["request-id"],
        "open": False,
        "usage": usage,
        "costNanos": nanos,
        "estimated": False,
    }


async def test_another_key_finds_nothing(world: World) -> None:
    reply = await world.gateway.message(world.gateway.key("mine"), "messages/hello", stream=False)
    request = told(reply)["request-id"]
    assert (await figures(world.gateway, world.gateway.key("mine"), request)).status == 200
    for key in (world.gateway.key("theirs"), world.gateway.key("mine", attempt=2)):
        found = await figures(world.gateway, key, request)
        assert (found.status, found.error[0]) == (404, "not_found_error")
    assert (await figures(world.gateway, world.gateway.key("mine"), "req_none")).status == 404


async def test_an_open_request_says_so(world: World) -> None:
    key = world.gateway.key("open")
    world.providers.arm("stall", model="any-steps", dialect="messages")
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{world.gateway.url}/v1/messages",
            json=small_request("messages/any-steps"),
            headers={"x-api-key": key, "anthropic-version": "2023-06-01"},
        ) as answer,
    ):
        request = answer.headers["x-heliostat-request-id"]
        found = json.loads((await figures(world.gateway, key, request)).body)
        assert (found["open"], found["endedTime"]) == (True, None)
        assert [part["outcome"] for part in found["parts"]] == ["open"]
        answer.close()
    async with asyncio.timeout(30):
        while json.loads((await figures(world.gateway, key, request)).body)["open"]:
            await asyncio.sleep(0.02)


async def test_a_provider_s_header_passes_in_the_bytes_it_came_in(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    port = free_port()
    gateway.start(
        ANTHROPIC_API_KEY="k", HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{port}"
    )
    try:
        async with upstream(port) as far:
            far.headers = {"content-type": "text/event-stream", "x-note": "naïve – Ωμέγα"}
            far.chunks = [STREAM]
            reply = await gateway.message(gateway.key("odd"), "claude-opus-5-5")
        assert reply.headers["x-note"] == "naïve – Ωμέγα"
        assert reply.body == STREAM
    finally:
        gateway.kill()
