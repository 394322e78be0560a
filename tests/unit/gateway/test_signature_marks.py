"""Signatures of thinking through fallback and back: no provider gets one that it would refuse, and
each gets its own as it made it. The providers are played at the transport, and check signatures."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.types import Message

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.breakers import BreakerPolicy, LocalBreakers
from heliostat_gateway.calls.chain import Allowance, Chain
from heliostat_gateway.calls.lifecycle import CallDependencies, CallLifecycle
from heliostat_gateway.calls.replies import StreamReply, WholeReply
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.signature_marks import (
    give_back_signatures,
    mark_event,
    mark_message,
)
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import objects
from heliostat_gateway.dialects.events import fold
from heliostat_gateway.dialects.gemini_turns import FOREIGN_CALL
from heliostat_gateway.dialects.signatures import ZAI_MARK
from heliostat_gateway.main import build_gateway
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.providers.catalog import BUILT_IN
from heliostat_gateway.providers.credentials import NO_CREDENTIAL
from heliostat_gateway.providers.http import Outgoing
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.routes.table import Timeouts
from heliostat_gateway.settings import Settings
from heliostat_gateway.sse import EventReader
from heliostat_json.objects import (
    JsonObject,
    dump_object,
    list_at,
    object_at,
    parse_object,
    text_at,
)
from support.streams import objects_of
from support.sums_of_streams import added_up, whole_answer, without_index

MODELS = {
    "anthropic": "claude-opus-5-5",
    "zai": "glm-5",
    "gemini": "gemini-4-argon",
    "openrouter": "google/gemini-4-argon",
}
PATHS = {Dialect.MESSAGES: "/v1/messages", Dialect.CHAT: "/v1/chat/completions"}
CALLERS = list(PATHS)


@dataclass
class PlayedApis:
    """Signs each thought, calls a tool in each answer, and answers 400 as the real APIs do."""

    made: dict[str, list[str]] = field(default_factory=dict)
    came: dict[str, list[str]] = field(default_factory=dict)  # with the last request

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        name = outgoing.provider
        request = parse_object(outgoing.body)
        assert request is not None
        came = self.came[name] = list(signatures_to(name, request))
        own = self.made.setdefault(name, [])
        # Z.AI reads what others signed; nobody else does.
        if name != "zai" and any(each not in (*own, FOREIGN_CALL) for each in came):
            error: JsonObject = {"type": "invalid_request_error", "message": "Invalid `signature`"}
            return played(400, "application/json", dump_object({"type": "error", "error": error}))
        own.append(base64.b64encode(f"{name} {len(own)}".encode()).decode())
        raw = stream_of(name, own[-1], f"call_{name}_{len(own)}")
        if request.get("stream") is True or "streamGenerateContent" in outgoing.url:
            return played(200, "text/event-stream", raw)
        return played(
            200, "application/json", dump_object(whole_answer(raw.decode(), DIALECTS[name]))
        )


def played(status: int, kind: str, body: bytes) -> ProviderAnswer:
    async def chunks() -> AsyncGenerator[bytes, None]:
        for place in range(0, len(body), 100):
            yield body[place : place + 100]

    return ProviderAnswer(status, [("content-type", kind)], chunks())


PROVIDERS = {each.name: each for each in BUILT_IN}
DIALECTS = {name: PROVIDERS[name].dialect for name in MODELS}


def signatures_to(name: str, request: JsonObject) -> Iterator[str]:
    """Every signature in a request to a provider."""
    if name == "gemini":
        for content in objects(list_at(request, "contents")):
            for part in objects(list_at(content, "parts")):
                if "thoughtSignature" in part or "thought" in part:
                    yield text_at(part, "thoughtSignature")
        return
    for message in objects(list_at(request, "messages")):
        for detail in objects(list_at(message, "reasoning_details")):
            yield text_at(detail, "signature")
        for block in objects(list_at(message, "content")):
            if block.get("type") == "thinking":
                yield text_at(block, "signature")


def stream_of(name: str, signature: str, call: str) -> bytes:
    """A signed thought and a tool call, in the provider's dialect."""
    match DIALECTS[name]:
        case Dialect.MESSAGES:
            return messages_stream(signature, call)
        case Dialect.CHAT:
            return chat_stream(signature, call)
        case Dialect.GEMINI:
            return gemini_stream(signature, call)


def messages_stream(signature: str, call: str) -> bytes:
    blocks: list[tuple[JsonObject, list[JsonObject]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "Hm"},
                {"type": "signature_delta", "signature": signature},
            ],
        ),
        (
            {"type": "tool_use", "id": call, "name": "sign", "input": {}},
            # A tool's own field of that name is nobody's signature.
            [{"type": "input_json_delta", "partial_json": '{"signature":"mine"}'}],
        ),
    ]
    message: JsonObject = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    message |= {"content": [], "stop_reason": None, "usage": {"input_tokens": 1}}
    events: list[JsonObject] = [{"type": "message_start", "message": message}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    delta: JsonObject = {"stop_reason": "tool_use", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}})
    events.append({"type": "message_stop"})
    return b"".join(
        f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events
    )


def chat_stream(signature: str, call: str) -> bytes:
    detail: JsonObject = {
        "type": "reasoning.text",
        "text": "Hm",
        "signature": signature,
        "index": 0,
    }
    function: JsonObject = {"name": "sign", "arguments": '{"signature":"mine"}'}
    tool: JsonObject = {"index": 0, "id": call, "type": "function", "function": function}
    deltas: list[JsonObject] = [
        {"role": "assistant", "content": "", "reasoning": "Hm", "reasoning_details": [detail]},
        {"tool_calls": [tool]},
    ]
    choices: list[list[JsonObject]] = [
        [{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas
    ]
    choices.append([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}])
    head: JsonObject = {
        "id": "gen-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
    }
    usage: JsonObject = {"prompt_tokens": 1, "completion_tokens": 5}
    chunks: list[JsonObject] = [{**head, "choices": [*each]} for each in choices]
    chunks.append({**head, "choices": [], "usage": usage})
    return (
        b"".join(f"data: {json.dumps(each)}\n\n".encode() for each in chunks) + b"data: [DONE]\n\n"
    )


def gemini_stream(signature: str, call: str) -> bytes:
    function: JsonObject = {"id": call, "name": "sign", "args": {"signature": "mine"}}
    parts: list[JsonObject] = [{"functionCall": function, "thoughtSignature": signature}]
    candidate: JsonObject = {"content": {"role": "model", "parts": [*parts]}, "index": 0}
    candidate["finishReason"] = "STOP"
    usage: JsonObject = {"promptTokenCount": 1, "candidatesTokenCount": 5, "totalTokenCount": 6}
    response: JsonObject = {"candidates": [candidate], "usageMetadata": usage, "responseId": "r"}
    return f"data: {json.dumps(response)}\n\n".encode()


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallDependencies]:
    gateway = build_gateway(Settings(data_dir=tmp_path_factory.mktemp("data"), keys_dir=Path("x")))
    yield gateway.handler.dependencies
    gateway.storage.close()


@dataclass
class Conversation:
    """A caller that answers each tool call and sends all back as it came."""

    dependencies: CallDependencies
    apis: PlayedApis
    caller: Dialect
    stream: bool
    messages: list[JsonObject] = field(default_factory=list)

    async def turn(self, provider: str) -> int:
        """One answer of that provider; the status."""
        document: JsonObject = {"model": "m", "stream": self.stream, "messages": [*self.messages]}
        document["max_tokens"] = 100
        body = json.dumps(document).encode()
        parsed = parse_object(body)
        assert parsed is not None
        caller = Caller("k", KeyKind.SERVICE, "k")
        request = ModelRequest(self.caller, PATHS[self.caller], "", [], body, parsed, caller)
        speaker = PROVIDERS[provider]("https://provider.test", self.apis)
        rates = FlatRates({})
        way = Candidate(speaker, NO_CREDENTIAL, MODELS[provider], rates, Timeouts())
        told = {"x-heliostat-request-id": "req_1"}
        lifecycle = CallLifecycle(self.dependencies, request, Plan("m", (way,)), told)
        chain = Chain(lifecycle, LocalBreakers(BreakerPolicy(minimum=10**6)), Allowance())
        reply = StreamReply(lifecycle, chain, 1000) if self.stream else WholeReply(lifecycle, chain)
        client = Client()
        await reply({"type": "http"}, client.receive, client.send)
        if client.status == 200:
            self.go_on(client.body)
        return client.status

    def go_on(self, body: bytes) -> None:
        if self.caller is Dialect.MESSAGES:
            events = objects_of(body.decode()) if self.stream else []
            message = fold(events) if self.stream else parse_object(body) or {}
            blocks = objects(list_at(message, "content"))
            results: list[JsonObject] = [
                {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
                for block in blocks
                if block["type"] == "tool_use"
            ]
            assert len(results) == 1
            self.messages.append({"role": "assistant", "content": [*blocks]})
            self.messages.append({"role": "user", "content": [*results]})
            return
        if self.stream:
            answer = without_index(added_up(objects_of(body.decode()))[0])
        else:
            (choice,) = objects(list_at(parse_object(body) or {}, "choices"))
            answer = object_at(choice, "message")
        (call,) = objects(list_at(answer, "tool_calls"))
        self.messages.append(answer)
        self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": "done"})


class Client:
    """The other end of the connection."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message["body"]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("other", ["zai", "gemini", "openrouter"])
async def test_a_tool_loop_goes_to_another_provider_and_back(
    dependencies: CallDependencies, caller: Dialect, other: str, stream: bool
) -> None:
    apis = PlayedApis()
    conversation = Conversation(dependencies, apis, caller, stream)
    conversation.messages.append({"role": "user", "content": "Sign it, again and again."})
    for turn, name in enumerate(["anthropic", "anthropic", other, other, "anthropic", other]):
        before = list(apis.made.get(name, []))
        assert await conversation.turn(name) == 200, (turn, name)
        if name != "openrouter" or caller is not Dialect.CHAT:
            assert [each for each in apis.came[name] if each in before] == before, (turn, name)
        assert not [each for each in apis.came[name] if "|" in each]


def test_of_an_answer_nothing_but_the_signature_is_changed() -> None:
    raw = messages_stream("c2ln", "call_1")
    events = list(EventReader().feed(raw))
    marked = b"".join(mark_event(each, ZAI_MARK).raw for each in events)
    assert marked == raw.replace(b'"c2ln"', b'"zai|c2ln"')
    assert [mark_event(each, "") for each in events] == events
    whole = dump_object(whole_answer(raw.decode(), Dialect.MESSAGES))
    message = parse_object(whole) or {}
    assert mark_message(whole, message, ZAI_MARK) == whole.replace(b'"c2ln"', b'"zai|c2ln"')
    assert mark_message(whole, message, "") == whole


def test_of_a_request_nothing_but_the_mark_of_a_signature_is_taken() -> None:
    """Neither what a text quotes nor what another provider signed."""
    body = (
        rb'{"messages":[{"role":"user","content":"\"signature\":\"zai|a\" zai|b"},'
        rb'{"role":"assistant","content":[{"type":"thinking","thinking":"","signature" : "zai|c"},'
        rb'{"type":"thinking","thinking":"","signature":"ZA=="}]}],"x":1.50}'
    )
    caller = Caller("k", KeyKind.SERVICE, "k")
    asked = ModelRequest(Dialect.MESSAGES, "", "", [], body, parse_object(body) or {}, caller)
    given = give_back_signatures(asked, ZAI_MARK)
    assert given.body == body.replace(b'"zai|c"', b'"c"')
    assert given.document == parse_object(given.body)
    assert give_back_signatures(asked, "") is asked
