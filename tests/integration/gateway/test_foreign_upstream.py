"""llmock, an upstream that others made, fails in its own ways: no answer ends in silence.

Every answer says how it ended: with the last word of the dialect, an HTTP error, or an error event.
"""

import asyncio
import json
from collections.abc import Iterator
from itertools import product
from typing import Final, Literal

import pytest
from llmock.scenarios import Behavior, Fail, Match, SlowFirstToken, StreamFault
from llmock.testing import LLMockServer

from .gateway_process import GatewayProcess, Reply
from .real_world import DIALECTS, PROVIDERS

CALLERS = ("messages", "chat")
_Kind = Literal["disconnect", "truncate", "malformed", "stall"]
_KINDS: Final[tuple[_Kind, ...]] = ("disconnect", "truncate", "malformed", "stall")
FAULTS = (
    "rate_limit",
    "outage",
    "slow_first_token",
    *(f"{kind}-0" for kind in _KINDS),
    *(f"{kind}-3" for kind in _KINDS),
)
_PRICE = {"input": "4", "output": "20"}


@pytest.fixture(scope="module")
def far() -> Iterator[LLMockServer]:
    with LLMockServer() as server:
        server.state.scenarios.add(*(behavior(fault) for fault in FAULTS))
        yield server


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, far: LLMockServer
) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("llmock")
    models: dict[str, object] = {}
    for dialect, provider in PROVIDERS.items():
        for number, fault in enumerate(FAULTS):
            hop = {"provider": provider, "model": f"broken-{number}"}
            well = {"provider": provider, "model": "well"}
            models[f"{dialect}/{fault}"] = {"chain": [hop]}
            models[f"fallback-{dialect}/{fault}"] = {"chain": [hop, well]}
    routes = {
        "defaultPrice": _PRICE,
        "timeouts": {"firstTokenSeconds": 2, "idleSeconds": 2, "totalSeconds": 12},
        "models": models,
    }
    (folder / "routes.yaml").write_text(json.dumps(routes))
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    gateway.start(
        ANTHROPIC_API_KEY="k",
        OPENAI_API_KEY="k",
        GEMINI_API_KEY="k",
        HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=far.base_url("anthropic"),
        HELIOSTAT_GATEWAY_OPENAI_BASE_URL=far.base_url("openai"),
        HELIOSTAT_GATEWAY_GEMINI_BASE_URL=far.base_url("gemini"),
        HELIOSTAT_GATEWAY_ROUTES_FILE=str(folder / "routes.yaml"),
        HELIOSTAT_GATEWAY_BREAKER_MINIMUM="1000",
    )
    yield gateway
    gateway.kill()


def behavior(fault: str) -> Behavior:
    """The fault, always, for the model that is broken so."""
    match = Match(model=f"broken-{FAULTS.index(fault)}")
    if fault == "rate_limit":
        return Fail(429, retry_after=0, times=None, match=match)
    if fault == "outage":
        return Fail(503, times=None, match=match)
    if fault == "slow_first_token":
        return SlowFirstToken(5, times=None, match=match)
    name, _, after = fault.partition("-")
    kind = next(kind for kind in _KINDS if kind == name)
    return StreamFault(kind, after_chunks=int(after), stall_seconds=5, times=None, match=match)


async def ask(gateway: GatewayProcess, caller: str, model: str, *, stream: bool) -> Reply:
    said = [{"role": "user", "content": "Tell me of the sun, in some sentences."}]
    document = {"model": model, "max_tokens": 500, "stream": stream, "messages": said}
    path = "/v1/messages" if caller == "messages" else "/v1/chat/completions"
    headers = {"x-api-key": gateway.key("llmock"), "anthropic-version": "2023-06-01"}
    return await gateway.ask(path, document=document, headers=headers)


def ending(reply: Reply, caller: str, *, stream: bool) -> str:
    """How an answer ended: well, error, or silent."""
    if reply.status != 200:
        assert reply.error[1]
        return "error"
    if not stream:
        document = json.loads(reply.body)
        whole = document if caller == "messages" else document["choices"][0]
        reason = whole["stop_reason" if caller == "messages" else "finish_reason"]
        return "well" if reason else "silent"
    lines = [line for line in reply.text.splitlines() if line.startswith("data: {")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    if "error" in events[-1]:
        return "error"
    if caller == "messages":
        return "well" if events[-1]["type"] == "message_stop" else "silent"
    is_done = reply.text.rstrip().endswith("data: [DONE]")
    reasons = [c["finish_reason"] for event in events for c in event["choices"]]
    return "well" if is_done and reasons[-1] else "silent"


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_answer_ends_in_silence(gateway: GatewayProcess, fault: str) -> None:
    """Faults of streams are none of whole answers; the rest fails either way."""

    async def see(caller: str, dialect: str, stream: bool) -> None:
        reply = await ask(gateway, caller, f"{dialect}/{fault}", stream=stream)
        is_hit = stream or fault in ("rate_limit", "outage")
        found = ending(reply, caller, stream=stream)
        assert found == ("error" if is_hit else "well"), (caller, dialect, stream, reply.text)

    await asyncio.gather(*(see(*each) for each in product(CALLERS, DIALECTS, (True, False))))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.endswith("-3")])
async def test_the_next_of_the_chain_answers(gateway: GatewayProcess, fault: str) -> None:
    """Nothing was to be seen yet."""

    async def see(caller: str, dialect: str) -> None:
        reply = await ask(gateway, caller, f"fallback-{dialect}/{fault}", stream=True)
        assert (reply.status, ending(reply, caller, stream=True)) == (200, "well"), reply.text
        # One that said when to come back is believed, also by the other callers here.
        rested = " rests" in reply.headers["x-heliostat-decision"]
        assert reply.headers["x-heliostat-attempts"] == ("1" if rested else "2")

    await asyncio.gather(*(see(*each) for each in product(CALLERS, DIALECTS)))
