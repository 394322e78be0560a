"""Same dialect: the provider gets the caller's bytes but for the edits, the caller the provider's.

In one process, without sockets: the application as a server calls it, and a transport that answers
what it is told.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, SecretStr
from starlette.types import Message

from heliostat_core.keys import new_private_key, public_pem
from heliostat_gateway.access.keyring import KeyRing, Revocations
from heliostat_gateway.breakers import BreakerPolicy, LocalBreakers
from heliostat_gateway.caching.answers import AnswerCache, MemoryAnswers
from heliostat_gateway.calls.chain import AdmissionControl
from heliostat_gateway.calls.handler import ModelCallHandler
from heliostat_gateway.calls.lifecycle import CallDependencies, OpenCalls
from heliostat_gateway.limits.restrictions import StoredRestrictions
from heliostat_gateway.money.costs import OutputHistory
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.providers.catalog import BUILT_IN, build_offers, server_offer
from heliostat_gateway.providers.credentials import EnvironmentKeys
from heliostat_gateway.providers.http import Outgoing
from heliostat_gateway.routes.reading import parse_routes
from heliostat_gateway.routes.routing import FixedRoutes, Router
from heliostat_gateway.serving.endpoints import Calls
from heliostat_gateway.serving.failures import Failures
from heliostat_gateway.storage import Storage
from support.routes import KNOWN, NOW

from .gateway_process import GatewayProcess

ROUTES = """
models:
  fast-messages: {chain: [{provider: anthropic, model: claude-opus-5-5}]}
  fast-chat: {chain: [{provider: openai, model: gpt-6.1-sol}]}
personas:
  messages: {system: P, model: fast-messages}
  chat: {system: P, model: fast-chat}
"""
REAL = {"messages": "claude-opus-5-5", "chat": "gpt-6.1-sol"}
PATHS = {"messages": "/v1/messages", "chat": "/v1/chat/completions"}
ASKS_USAGE = b'{"include_usage":true}'


@dataclass
class Far:
    """A transport that answers `pieces`, whatever is asked, and keeps the body that it got."""

    pieces: Sequence[bytes] = ()
    content_type: str = "text/event-stream"
    got: list[bytes] = field(default_factory=list)

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        self.got.append(outgoing.body)
        return ProviderAnswer(200, [("content-type", self.content_type)], self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        for piece in self.pieces:
            yield piece


@dataclass
class Near:
    """The gateway in this process."""

    app: FastAPI
    far: Far
    key: str
    runner: asyncio.Runner

    def ask(self, dialect: str, pieces: Sequence[bytes]) -> tuple[int, bytes]:
        """Status and body of the answer to a request whose body comes in `pieces`."""
        return self.runner.run(self._ask(dialect, pieces))

    async def _ask(self, dialect: str, pieces: Sequence[bytes]) -> tuple[int, bytes]:
        incoming = [*pieces]
        sent: list[Message] = []

        async def receive() -> Message:
            if not incoming:
                await asyncio.Event().wait()  # the client stays
            body = incoming.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(incoming)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATHS[dialect],
            "raw_path": PATHS[dialect].encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"x-api-key", self.key.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Near]:
    folder: Path = tmp_path_factory.mktemp("near")
    signer = GatewayProcess(folder, port=0, private=new_private_key())
    (folder / "operator.pem").write_text(public_pem(signer.private))
    far, storage, metrics, calls = Far(), Storage(folder / "data"), Metrics(), OpenCalls()
    ledger = SqliteLedger(storage)
    history = OutputHistory()
    admission = AdmissionControl(ledger, history, StoredRestrictions(storage, slow_seconds=0))
    router = Router(
        offers=build_offers({each.name: "http://far" for each in BUILT_IN}, far),
        server_offer=lambda server: server_offer(server, far),
        keys=EnvironmentKeys(
            {name: SecretStr("k") for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")}
        ),
        routes=FixedRoutes(parse_routes(ROUTES, KNOWN, NOW)),
        known=KNOWN,
    )
    handler = ModelCallHandler(
        keys=KeyRing(folder),
        revocations=Revocations(storage),
        router=router,
        admission=admission,
        breakers=LocalBreakers(BreakerPolicy()),
        dependencies=CallDependencies(ledger, calls, metrics, history),
        answers=AnswerCache(MemoryAnswers()),
        ping_seconds=60,
    )
    app = FastAPI()
    app.include_router(Calls(handler).endpoints())
    Failures(metrics).add_to(app)
    with asyncio.Runner() as runner:
        yield Near(app, far, signer.key("near"), runner)
    storage.close()


texts = st.text(max_size=8)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
spaces = st.sampled_from([b"", b" ", b"\n", b"\t ", b"\r\n  "])
RESERVED = {"model", "stream", "stream_options", "messages", "max_tokens", "tools", "mcp_servers"}
RESERVED |= {"system", "container", "n", "max_completion_tokens"}


def written(value: JsonValue, style: int) -> bytes:
    """JSON as somebody may write it."""
    separators = [(",", ":"), (", ", ": "), (" ,", " :\n")][style % 3]
    return json.dumps(value, ensure_ascii=style % 2 == 0, separators=separators).encode(
        "utf-8", "surrogatepass"
    )


@dataclass(frozen=True)
class Body:
    """A request as bytes: what surrounds each member, its name, and its value."""

    members: Sequence[tuple[bytes, str, bytes, bytes]]  # before the name, name, colon, value
    end: bytes

    def bytes_with(self, values: dict[str, bytes]) -> bytes:
        """The body with some values replaced; new ones are put first, as the gateway does."""
        known = [name for _, name, _, _ in self.members]
        new = [json.dumps(n).encode() + b":" + v for n, v in values.items() if n not in known]
        old = [
            before + json.dumps(name).encode() + colon + values.get(name, value)
            for before, name, colon, value in self.members
        ]
        return b"{" + b",".join([*new, *old]) + self.end


def spoken_first(dialect: str, messages: bytes) -> dict[str, bytes]:
    """What a persona's system text changes."""
    if dialect == "messages":
        return {"system": b'"P"'}
    return {"messages": b'[{"role":"system","content":"P"},' + messages.removeprefix(b"[")}


@st.composite
def bodies(draw: st.DrawFn, dialect: str, *, stream: bool) -> tuple[Body, dict[str, bytes]]:
    """A request, and the values that the gateway must change."""
    asked = draw(st.sampled_from([REAL[dialect], f"fast-{dialect}", f"persona/{dialect}"]))
    document: dict[str, JsonValue] = {
        **draw(
            st.dictionaries(texts.filter(lambda name: name not in RESERVED), values, max_size=4)
        ),
        "model": asked,
        "messages": [{"role": "user", "content": draw(texts), "extra": draw(values)}],
    }
    if stream or draw(st.booleans()):
        document["stream"] = stream
    changed = {} if asked == REAL[dialect] else {"model": json.dumps(REAL[dialect]).encode()}
    if dialect == "chat" and stream:
        options = draw(st.sampled_from([None, {}, {"include_usage": False}, {"x": 1}]))
        if draw(st.booleans()):
            document["stream_options"] = {"include_usage": True, "x": draw(values)}
        else:
            if options is not None:
                document["stream_options"] = {**options}
            wanted = {**(options or {}), "include_usage": True}
            changed["stream_options"] = json.dumps(wanted, separators=(",", ":")).encode()
    names = draw(st.permutations(list(document)))
    style = draw(st.integers(0, 5))
    if asked.startswith("persona/"):
        changed |= spoken_first(dialect, written(document["messages"], style))
    members = [
        (draw(spaces), name, draw(spaces) + b":" + draw(spaces), written(document[name], style))
        for name in names
    ]
    return Body(members, draw(spaces) + b"}" + draw(spaces)), changed


@st.composite
def cuts(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """`whole` in pieces."""
    marks = draw(st.lists(st.integers(0, len(whole)), max_size=8))
    return [whole[a:b] for a, b in pairwise([0, *sorted(marks), len(whole)])]


@dataclass(frozen=True)
class Stream:
    """A provider's stream, and what of it the caller shall see."""

    whole: bytes
    seen: bytes


def sse(data: JsonValue, style: int, end: bytes, name: str = "") -> bytes:
    event = b"event: " + name.encode() + end if name else b""
    return event + b"data:" + b" " * (style % 2) + json.dumps(data).encode() + end + end


@st.composite
def streams(draw: st.DrawFn, dialect: str, *, hides: bool) -> Stream:
    """Events with comments, unknown fields and either line end."""
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    style = draw(st.integers(0, 1))
    said = draw(st.lists(st.text(max_size=6), min_size=1, max_size=4))
    extra = draw(values)
    events: list[tuple[bytes, bool]] = []

    def add(data: JsonValue, name: str = "", *, hidden: bool = False) -> None:
        events.append((sse(data, style, end, name), hidden))
        if draw(st.booleans()):
            events.append((b": a comment" + end + end, False))

    if dialect == "messages":
        usage: dict[str, JsonValue] = {"input_tokens": 3, "output_tokens": 1, "new": extra}
        add({"type": "message_start", "message": {"usage": usage}}, "message_start")
        block: JsonValue = {"type": "text", "text": ""}
        add({"type": "content_block_start", "index": 0, "content_block": block})
        for text in said:
            add({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}})
        add({"type": "something_new", "x": extra}, "something_new")
        add({"type": "content_block_stop", "index": 0})
        stop: JsonValue = {"stop_reason": "end_turn"}
        add({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}})
        add({"type": "message_stop"}, "message_stop")
    else:
        for text in said:
            add({"choices": [{"index": 0, "delta": {"content": text}}], "x": extra})
        add({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None})
        add({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}, hidden=hides)
        events.append((b"data: [DONE]" + end + end, False))
    rest = draw(st.sampled_from([b"", end]))
    return Stream(
        b"".join(raw for raw, _ in events) + rest,
        b"".join(raw for raw, hidden in events if not hidden) + rest,
    )


fast = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("dialect", REAL)
def test_streams(near: Near, dialect: str) -> None:
    @fast
    @given(st.data())
    def passes(data: st.DataObject) -> None:
        body, changed = data.draw(bodies(dialect, stream=True))
        stream = data.draw(streams(dialect, hides="stream_options" in changed))
        near.far.got.clear()
        near.far.content_type = "text/event-stream"
        near.far.pieces = data.draw(cuts(stream.whole))
        found = near.ask(dialect, data.draw(cuts(body.bytes_with({}))))
        assert near.far.got == [body.bytes_with(changed)]
        assert found == (200, stream.seen)

    passes()


@pytest.mark.parametrize("dialect", REAL)
def test_whole_answers(near: Near, dialect: str) -> None:
    usages: dict[str, JsonValue] = {
        "messages": {"input_tokens": 3, "output_tokens": 5},
        "chat": {"prompt_tokens": 3, "completion_tokens": 5},
    }

    @fast
    @given(st.data())
    def passes(data: st.DataObject) -> None:
        body, changed = data.draw(bodies(dialect, stream=False))
        document = {**data.draw(st.dictionaries(texts, values)), "usage": usages[dialect]}
        answer = data.draw(spaces) + written(document, data.draw(st.integers(0, 5)))
        near.far.got.clear()
        near.far.content_type = "application/json"
        near.far.pieces = data.draw(cuts(answer))
        found = near.ask(dialect, data.draw(cuts(body.bytes_with({}))))
        assert near.far.got == [body.bytes_with(changed)]
        assert found == (200, answer)

    passes()


@pytest.mark.parametrize("dialect", REAL)
def test_a_stream_cut_at_every_position(near: Near, dialect: str) -> None:
    if dialect == "messages":
        events: list[JsonValue] = [
            {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
            {"type": "content_block_start", "content_block": {"type": "text"}},
            {"type": "message_delta", "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
        whole = b"".join(
            sse(data, 1, b"\r\n" if place % 2 else b"\n", "x") for place, data in enumerate(events)
        )
        seen = whole
    else:
        first = sse({"choices": [{"delta": {"content": "é"}}]}, 0, b"\r\n")
        hidden = sse({"choices": [], "usage": {"completion_tokens": 1}}, 1, b"\n")
        whole = first + hidden + b"data: [DONE]\n\n"
        seen = first + b"data: [DONE]\n\n"
    document = {"model": REAL[dialect], "stream": True, "messages": []}
    body = json.dumps(document).encode()
    near.far.content_type = "text/event-stream"
    for position in range(len(whole)):
        near.far.pieces = [whole[:position], whole[position:]]
        assert near.ask(dialect, [body]) == (200, seen), position
