"""Traffic to `anthropic` passes byte for byte; usage is read and priced on its way."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from support.ports import free_port

from .gateway_process import GatewayProcess, Reply
from .upstream import (
    END,
    EXACT_NANOS,
    INPUT_NANOS,
    START,
    STREAM,
    TEXT,
    USAGE,
    Upstream,
    event,
    upstream,
)

# As no serialiser of ours would write it: order, spaces, escapes, unknown fields, a float.
BODY = (
    b'{ "stream" :true,"model":"claude-opus-5-5",\n "messages":[{"role":"user","content":'
    b'"caf\\u00e9 \xc3\xa9"}],"x_new_field":{"b":1.50,"a":null},"max_tokens":32000}'
)
PORT = free_port()


@pytest.fixture
async def told() -> AsyncIterator[Upstream]:
    async with upstream(PORT) as found:
        yield found


@pytest.fixture
def run(request: pytest.FixtureRequest) -> str:
    """An execution of the test's own."""
    return str(request.node.name)


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path_factory.mktemp("passing"))
    gateway.write_public_key()
    gateway.start(
        ANTHROPIC_API_KEY="sk-of-the-gateway",
        HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{PORT}",
        HELIOSTAT_GATEWAY_BREAKER_MINIMUM="1000",  # the failures of one test are not another's
    )
    yield gateway
    gateway.kill()


async def send(gateway: GatewayProcess, execution: str, body: bytes = BODY) -> Reply:
    return await gateway.ask(
        "/v1/messages?beta=true&x=%2F",
        data=body,
        headers={
            "x-api-key": gateway.key(execution),
            "content-type": "application/json",
            "anthropic-version": "2026-10-21",
            "anthropic-beta": "some-beta,other",
            "x-claude-code-session-id": "session-1",
            "x-heliostat-anything": "ours",
            "connection": "keep-alive, x-for-this-hop",
            "x-for-this-hop": "1",
            "x-unknown": "kept",
            "accept-encoding": "gzip, br",
        },
    )


async def test_the_request_passes_unchanged_but_for_the_key(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks = [STREAM]
    await send(passing, run)
    (received,) = told.received
    assert received.body == BODY
    assert received.path == "/v1/messages?beta=true&x=%2F"
    assert received.headers["x-api-key"] == "sk-of-the-gateway"
    kept = {"anthropic-version", "anthropic-beta", "x-claude-code-session-id", "x-unknown"}
    assert {name: received.headers.get(name) for name in kept} == {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "some-beta,other",
        "x-claude-code-session-id": "session-1",
        "x-unknown": "kept",
    }
    assert received.headers["accept-encoding"] == "identity"
    assert not {"authorization", "x-heliostat-anything", "x-for-this-hop"} & set(received.headers)


async def test_the_answer_passes_unchanged_however_it_is_cut(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    chance = random.Random(7)
    for number in range(12):
        cuts = sorted(chance.sample(range(len(STREAM)), number * 3))
        marks = [0, *cuts, len(STREAM)]
        told.chunks = [STREAM[a:b] for a, b in pairwise(marks)]
        told.headers = {"content-type": "text/event-stream", "request-id": "req_up", "x-new": "1"}
        answer = await send(passing, f"{run}-{number}")
        assert answer.body == STREAM
        assert (answer.headers["request-id"], answer.headers["x-new"]) == ("req_up", "1")
        cost = await passing.cost(f"{run}-{number}")
        assert (cost.cost_nanos, cost.estimated, cost.provider) == (EXACT_NANOS, False, "anthropic")


async def test_a_whole_answer_passes_and_is_priced(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    body = json.dumps({"type": "message", "usage": USAGE | {"output_tokens": 50}}, indent=3)
    told.chunks = [body[:20].encode(), body[20:].encode()]
    told.headers = {"content-type": "application/json"}
    answer = await send(passing, run, BODY.replace(b'"stream" :true', b'"stream" :false'))
    assert answer.body == body.encode()
    assert (await passing.cost(run)).cost_nanos == EXACT_NANOS


@pytest.mark.parametrize("status", [400, 402, 500, 529])
async def test_an_error_of_the_provider_passes_and_is_free(
    passing: GatewayProcess, told: Upstream, run: str, status: int
) -> None:
    told.status = status
    told.chunks = [b'{"type":"error",  "error":{"type":"x_error","message":"m"}}']
    # A stated time opens the breaker at once, also after a 529: 0 says nothing of the future.
    told.headers = {"content-type": "application/json", "retry-after": "0", "request-id": "r"}
    answer = await send(passing, run)
    assert (answer.status, answer.body) == (status, told.chunks[0])
    assert (answer.headers["retry-after"], answer.headers["request-id"]) == ("0", "r")
    cost = await passing.cost(run)
    assert (cost.cost_nanos, cost.settled, cost.estimated, cost.requests) == (0, True, False, 1)


async def test_a_refused_credential_is_told_without_the_providers_words(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.status, told.headers = 401, {"content-type": "application/json", "request-id": "r"}
    told.chunks = [b'{"error":{"type":"authentication_error","message":"bad key sk-of-the-gat"}}']
    answer = await send(passing, run)
    assert (answer.status, answer.error[0]) == (401, "authentication_error")
    assert "sk-of" not in answer.text
    assert answer.headers["request-id"] == "r"


async def test_a_limit_is_believed_until_it_is_over(
    told: Upstream, run: str, tmp_path: Path
) -> None:
    told.status, told.chunks = 429, [b'{"error":{"type":"rate_limit_error","message":"m"}}']
    told.headers = {"content-type": "application/json", "retry-after": "700", "request-id": "r"}
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    gateway.start(
        ANTHROPIC_API_KEY="sk-of-the-gateway",
        HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{PORT}",
    )
    try:
        first, second = await send(gateway, run), await send(gateway, run)
    finally:
        gateway.kill()
    assert (first.status, first.body) == (429, told.chunks[0])
    assert (first.headers["retry-after"], first.headers["request-id"]) == ("700", "r")
    assert (second.status, second.error[0]) == (429, "rate_limit_error")
    assert 690 <= int(second.headers["retry-after"]) <= 701
    assert len(told.received) == 1


async def test_a_cut_before_the_first_event_is_no_200(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks, told.cut = [b"event: ping\ndata: {}\n\n", START[:30]], True
    answer = await send(passing, run)
    assert (answer.status, answer.error[0]) == (502, "api_error")
    assert (await passing.cost(run)).estimated


@pytest.mark.parametrize("cut", [True, False], ids=["connection", "clean-end"])
async def test_an_answer_that_ends_early_ends_in_an_error_event(
    passing: GatewayProcess, told: Upstream, run: str, cut: bool
) -> None:
    told.chunks, told.cut = [START + TEXT, END[:40]], cut
    answer = await send(passing, run)
    whole = START + TEXT + END[: END.index(b"\n\n") + 2]
    assert whole.startswith(answer.body[: answer.body.index(b"event: error")])
    assert json.loads(answer.text.rstrip().split("data: ")[-1])["error"]["type"] == "api_error"
    cost = await passing.cost(run)
    assert (cost.cost_nanos, cost.estimated) == (INPUT_NANOS + 4 * 20_000, True)


async def test_an_end_after_the_final_usage_is_still_exact(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks = [STREAM[: STREAM.index(b"event: message_stop")]]
    answer = await send(passing, run)
    assert b"event: error" in answer.body
    cost = await passing.cost(run)
    assert (cost.cost_nanos, cost.estimated) == (EXACT_NANOS, False)


async def test_an_error_event_before_any_answer_is_an_http_error(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks = [event("error", error={"type": "overloaded_error", "message": "Overloaded"})]
    answer = await send(passing, run)
    assert (answer.status, answer.error) == (529, ("overloaded_error", "Overloaded"))
    assert (await passing.cost(run)).cost_nanos == 0


async def test_a_wrong_content_type_is_told(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks, told.headers = [b"<html>"], {"content-type": "text/html"}
    answer = await send(passing, run)
    assert (answer.status, answer.error[0]) == (502, "api_error")


async def test_a_compressed_answer_is_told(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks = [b"\x1f\x8b"]
    told.headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    assert (await send(passing, run)).status == 502


async def test_a_provider_that_can_not_be_reached_costs_nothing(tmp_path: Path, run: str) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    gateway.start(
        ANTHROPIC_API_KEY="k",
        HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{free_port()}",
    )
    try:
        answer = await send(gateway, run)
        assert (answer.status, answer.error[0]) == (502, "api_error")
        cost = await gateway.cost(run)
        assert (cost.cost_nanos, cost.settled, cost.estimated) == (0, True, False)
    finally:
        gateway.kill()


async def test_a_client_that_goes_cancels_the_provider_at_once(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks, told.stand_still = [START + TEXT], True
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{passing.url}/v1/messages", data=BODY, headers={"x-api-key": passing.key(run)}
        ) as answer,
    ):
        await answer.content.readuntil(b"Gr")
        answer.close()
    async with asyncio.timeout(30):
        await told.gone.wait()
        while not (cost := await passing.cost(run)).settled:
            await asyncio.sleep(0.02)
    assert (cost.cost_nanos, cost.estimated) == (INPUT_NANOS + 4 * 20_000, True)


async def test_count_tokens_passes_and_costs_nothing(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks, told.headers = [b'{"input_tokens": 12}'], {"content-type": "application/json"}
    answer = await passing.ask(
        "/v1/messages/count_tokens?beta=true",
        data=BODY,
        headers={"authorization": f"Bearer {passing.key('run')}"},
    )
    assert answer.body == told.chunks[0]
    assert told.received[0].path == "/v1/messages/count_tokens?beta=true"
    assert (await passing.cost(run)).requests == 0


async def test_the_keys_never_reach_the_log(
    passing: GatewayProcess, told: Upstream, run: str
) -> None:
    told.chunks, told.cut = [START], True
    await send(passing, run)
    key = passing.key(run)
    assert "sk-of-the-gateway" not in passing.log.read_text()
    assert key.split(".")[2] not in passing.log.read_text()
