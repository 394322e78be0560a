"""The provider's own prompt cache: never broken by the gateway, and its savings shown by agent."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.calls.outgoing import build_outgoing
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers.credentials import NO_CREDENTIAL
from heliostat_gateway.providers.http import AnthropicProvider
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.routes.table import Persona, Timeouts
from heliostat_json.objects import JsonObject, parse_object
from support.ports import free_port
from support.routes import NoTransport

from .gateway_process import GatewayProcess
from .upstream import EXACT_NANOS, STREAM, Upstream, upstream

TURNS = 4
KEYS = {f"ANTHROPIC_API_KEY{end}": f"sk-of-the-gateway{end}" for end in ("", "_2", "_3")}
# claude-opus-5-5, dollars per million: 4 plain, 0.20 read, 5 and 8 written for 5 min and 1 h
SAVED = 5000 * (4_000 - 200) - 200 * (5_000 - 4_000) - 100 * (8_000 - 4_000)


@pytest.fixture
async def told() -> AsyncIterator[tuple[Upstream, int]]:
    port = free_port()
    async with upstream(port) as found:
        yield found, port


async def test_a_conversation_keeps_its_prefix_and_its_key_and_savings_are_shown(
    told: tuple[Upstream, int], tmp_path: Path
) -> None:
    provider, port = told
    provider.chunks = [STREAM]
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    gateway.start(HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{port}", **KEYS)
    try:
        # Spaces and escapes that no serialiser of ours would write.
        sent = [
            b'{"model": "claude-opus-5-5","stream":true, "max_tokens":9,"messages":['
            + b",".join([b'{"role": "user", "content":"caf\\u00e9 \xc3\xa9"}'] * (2 * turn + 1))
            + b"]}"
            for turn in range(TURNS)
        ]
        for body in sent:
            reply = await gateway.ask(
                "/v1/messages", data=body, headers={"x-api-key": gateway.key("talk")}
            )
            assert reply.status == 200
        assert [each.body for each in provider.received] == sent
        assert len({each.headers["x-api-key"] for each in provider.received}) == 1
        usage = json.loads(await gateway.get("/admin/usage?by=agent"))
        text = (await gateway.get("/metrics")).decode()
    finally:
        gateway.kill()
    (line,) = usage["lines"]
    assert line["key"] == {"agent": "default/tester"}
    assert line["costNanos"] == TURNS * EXACT_NANOS
    assert line["cacheHitBasisPoints"] == 5000 * 10_000 // (100 + 5000 + 300)
    assert line["cacheSavedNanos"] == TURNS * SAVED
    labels = 'kind="cache_read",model="claude-opus-5-5",provider="anthropic"'
    assert f"heliostat_gateway_tokens_total{{{labels}}} {TURNS * 5000}.0" in text


def forwarded(messages: list[str], persona: Persona | None) -> bytes:
    """What Anthropic gets of a conversation."""
    turns = ", ".join(json.dumps({"content": text, "role": "user"}) for text in messages)
    body = f'{{"max_tokens": 9,\n "system": "Be kind.", "messages": [{turns}'.encode()
    document = parse_object(body + b"]}")
    assert document is not None
    caller = Caller(key="k", kind=KeyKind.USER, account="k")
    ask = ModelRequest(Dialect.MESSAGES, "/v1/messages", "", [], body + b"]}", document, caller)
    provider = AnthropicProvider("https://x", NoTransport())
    candidate = Candidate(provider, NO_CREDENTIAL, "m", FlatRates({}), Timeouts())
    outgoing = build_outgoing(ask, Plan("m", (candidate,), persona), candidate, None)
    return outgoing.call.body


@settings(deadline=None)
@given(
    messages=st.lists(st.text(), min_size=2, max_size=6),
    system=st.text(min_size=1),
    more=st.booleans(),
)
def test_a_persona_keeps_the_prefix_of_a_growing_conversation(
    messages: list[str], system: str, *, more: bool
) -> None:
    defaults: JsonObject = {"temperature": 1} if more else {}
    persona = Persona("p", system, defaults)
    short = parse_object(forwarded(messages[:-1], persona))
    long = parse_object(forwarded(messages, persona))
    assert short is not None
    assert long is not None
    assert short["system"] == long["system"]
    before, after = short["messages"], long["messages"]
    assert isinstance(before, list)
    assert isinstance(after, list)
    assert after[: len(before)] == before
    # Byte by byte up to where the shorter one ends: providers hash what is before a breakpoint.
    one, two = forwarded(messages[:-1], persona), forwarded(messages, persona)
    assert two.startswith(one[: one.rindex(b"]")])


@settings(deadline=None)
@given(messages=st.lists(st.text(), min_size=1, max_size=6))
def test_the_same_is_forwarded_the_same(messages: list[str]) -> None:
    persona = Persona("p", "Be brief.", {"temperature": 1, "top_p": 1})
    assert forwarded(messages, persona) == forwarded(messages, persona)
