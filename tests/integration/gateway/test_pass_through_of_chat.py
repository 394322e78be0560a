"""Traffic to `openai` passes byte for byte over real connections."""

import json
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from support.ports import free_port

from .gateway_process import GatewayProcess, Reply
from .upstream import upstream

PORT = free_port()
# As no serialiser of ours would write it.
BODY = (
    b'{ "stream" :true,"model":"gpt-6.1-sol",\n "messages":[{"role":"user","content":'
    b'"caf\\u00e9 \xc3\xa9"}],"x_new_field":{"b":1.50,"a":null}}'
)
TEXT = (
    b'data: {"id":"c1", "choices":[ '
    b'{"index":0,"delta":{"content":"Gr\xc3\xbc\xc3\x9fe"}} ]}\r\n\r\n'
)
STOP = b': a comment\n\ndata:{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50}}\n\n'
DONE = b"data: [DONE]\n\n"
NANOS = 100 * 2_000 + 50 * 10_000  # gpt-6.1-sol: 2 and 10 dollars per million


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path_factory.mktemp("passing-chat"))
    gateway.write_public_key()
    gateway.start(
        OPENAI_API_KEY="sk-of-the-gateway",
        HELIOSTAT_GATEWAY_OPENAI_BASE_URL=f"http://127.0.0.1:{PORT}/v1",
    )
    yield gateway
    gateway.kill()


async def send(gateway: GatewayProcess, execution: str, body: bytes) -> Reply:
    return await gateway.ask(
        "/v1/chat/completions?x=%2F",
        data=body,
        headers={
            "authorization": f"Bearer {gateway.key(execution)}",
            "content-type": "application/json",
            "openai-beta": "some",
            "x-stainless-lang": "python",
        },
    )


@pytest.mark.parametrize("asks", [False, True])
async def test_a_stream_however_it_is_cut(passing: GatewayProcess, asks: bool) -> None:
    chance = random.Random(11)
    whole = TEXT + STOP + USAGE + DONE
    option = b'"stream_options":{"include_usage":true}'
    body = BODY.replace(b'"x_new_field"', option + b',"x_new_field"') if asks else BODY
    async with upstream(PORT) as far:
        for number in range(4):
            marks = [0, *sorted(chance.sample(range(len(whole)), 6)), len(whole)]
            far.chunks = [whole[a:b] for a, b in pairwise(marks)]
            reply = await send(passing, f"chat-{asks}-{number}", body)
            assert reply.body == (whole if asks else TEXT + STOP + DONE)
            received = far.received.pop()
            assert received.body == (body if asks else b"{" + option + b"," + BODY[1:])
            assert received.path == "/v1/chat/completions?x=%2F"
            assert received.headers["authorization"] == "Bearer sk-of-the-gateway"
            assert (received.headers["openai-beta"], received.headers["x-stainless-lang"]) == (
                "some",
                "python",
            )
            cost = await passing.cost(f"chat-{asks}-{number}")
            assert (cost.cost_nanos, cost.estimated) == (NANOS, False)


async def test_a_whole_answer(passing: GatewayProcess) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 50}
    answer = json.dumps({"choices": [], "usage": usage, "x": 1.5}, indent=3).encode()
    async with upstream(PORT) as far:
        far.headers = {"content-type": "application/json", "x-request-id": "req_far"}
        far.chunks = [answer[:7], answer[7:]]
        reply = await send(passing, "chat-whole", BODY.replace(b"true", b"false"))
    assert (reply.body, reply.headers["x-request-id"]) == (answer, "req_far")
    assert (await passing.cost("chat-whole")).cost_nanos == NANOS
