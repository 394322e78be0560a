"""What is answered from the exact cache, under which key, and which answers are kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.caching.cache import CacheFlags, Recording, cache_key, is_cacheable
from heliostat_gateway.dialects import Dialect
from heliostat_json.objects import JsonObject

ON = CacheFlags(opted_in=True)
PLAIN: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def turn(**message: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", **message}]}


@pytest.mark.parametrize("dialect", [Dialect.MESSAGES, Dialect.CHAT])
@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (ON, True),
        (CacheFlags(opted_in=False), False),
        (CacheFlags(opted_in=True, masks=True), False),
        (CacheFlags(opted_in=True, personal=True), False),
    ],
)
def test_only_where_the_route_says_so(dialect: Dialect, flags: CacheFlags, wanted: bool) -> None:
    assert is_cacheable(PLAIN, dialect, flags) is wanted


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"name": "x"}]},
        {"functions": [{"name": "x"}]},
        {"mcp_servers": [{"url": "x"}]},
        {"container": "c"},
        {"web_search_options": {"a": 1}},
        turn(content=[{"type": "tool_use", "id": "1"}]),
        turn(content=[{"type": "text", "text": ""}, {"type": "server_tool_use"}]),
        turn(content=[{"type": "tool_result", "tool_use_id": "1"}]),
        turn(content=[{"type": "web_search_tool_result"}]),
        turn(tool_calls=[{"id": "1"}]),
        turn(function_call={"name": "x"}),
        {"messages": [{"role": "tool", "content": "x"}]},
    ],
)
def test_never_a_tool_turn(change: JsonObject) -> None:
    for dialect in (Dialect.MESSAGES, Dialect.CHAT):
        assert not is_cacheable(PLAIN | change, dialect, ON)


def caller(user: str = "", agent: str = "", key: str = "k") -> Caller:
    return Caller(key=key, kind=KeyKind.USER, account="a", user=user, agent=agent)


def key_of(
    who: Caller,
    body: bytes = b"{}",
    dialect: Dialect = Dialect.CHAT,
    *,
    stream: bool = False,
    versions: str = "",
) -> str:
    return cache_key(who, dialect, stream=stream, body=body, versions=versions)


def test_every_part_of_the_key_counts() -> None:
    keys = [
        key_of(caller(user="a")),
        key_of(caller(user="b")),
        key_of(caller(agent="a")),  # an agent of a user's name is somebody else
        key_of(caller(key="a")),
        key_of(caller(user="a"), b"{ }"),
        key_of(caller(user="a"), dialect=Dialect.MESSAGES),
        key_of(caller(user="a"), stream=True),
        key_of(caller(user="a"), versions="beta-1"),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(caller(user="a")) == key_of(caller(user="a", key="other", agent="other"))


def test_what_moves_from_one_part_of_the_key_to_the_next_is_another_request() -> None:
    who = caller(user="a")
    assert key_of(who, b"bc", versions="a") != key_of(who, b"c", versions="ab")


@given(st.text(), st.text(), st.binary(), st.binary())
def test_no_two_requests_share_a_key(one: str, two: str, first: bytes, second: bytes) -> None:
    same = (one, first) == (two, second)
    who = caller(user="a")
    assert (key_of(who, first, versions=one) == key_of(who, second, versions=two)) is same


def messages(reason: str, **more: object) -> bytes:
    document = {"type": "message", "role": "assistant", "content": [], "stop_reason": reason}
    return json.dumps(document | more).encode()


def chat(reason: str, **message: object) -> bytes:
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", **message}}
    return json.dumps({"choices": [choice]}).encode()


@pytest.mark.parametrize(
    ("dialect", "body", "wanted"),
    [
        (Dialect.MESSAGES, messages("end_turn"), True),
        (Dialect.MESSAGES, messages("stop_sequence"), True),
        (Dialect.MESSAGES, messages("max_tokens"), False),
        (Dialect.MESSAGES, messages("model_context_window_exceeded"), False),
        (Dialect.MESSAGES, messages("refusal"), False),
        (Dialect.MESSAGES, messages("pause_turn"), False),
        (Dialect.MESSAGES, messages("end_turn", content=[{"type": "tool_use"}]), False),
        (Dialect.MESSAGES, b'{"type":"error","error":{}}', False),
        (Dialect.MESSAGES, messages("end_turn")[:-1], False),
        (Dialect.CHAT, chat("stop", content="x"), True),
        (Dialect.CHAT, chat("length"), False),
        (Dialect.CHAT, chat("content_filter"), False),
        (Dialect.CHAT, chat("stop", tool_calls=[{"id": "1"}]), False),
        (Dialect.CHAT, b'{"choices":[]}', False),
        (Dialect.CHAT, b'{"error":{"message":"x"}}', False),
    ],
)
def test_which_whole_answers_are_kept(dialect: Dialect, body: bytes, wanted: bool) -> None:
    recording = Recording(dialect, stream=False, largest=1000)
    for at in range(0, len(body), 7):
        recording.add(body[at : at + 7])
    assert recording.whole() == ((body,) if wanted else None)


def event(name: str, **document: object) -> bytes:
    data = json.dumps({"type": name, **document})
    return f"event: {name}\ndata: {data}\n\n".encode()


def messages_stream(reason: str = "end_turn", kind: str = "text") -> list[bytes]:
    return [
        event("message_start", message={"usage": {}}),
        event("content_block_start", index=0, content_block={"type": kind}),
        event("ping"),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hi"}),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": reason}),
        event("message_stop"),
    ]


def chat_stream(reason: str = "stop", last: bytes = b"data: [DONE]\n\n") -> list[bytes]:
    deltas = [
        {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {"choices": [], "usage": {}},
    ]
    return [b"data: " + json.dumps(each).encode() + b"\n\n" for each in deltas] + [last]


def whole(dialect: Dialect, chunks: list[bytes], largest: int = 10_000) -> tuple[bytes, ...] | None:
    recording = Recording(dialect, stream=True, largest=largest)
    for chunk in chunks:
        recording.add(chunk)
    return recording.whole()


STREAMS = [(Dialect.MESSAGES, messages_stream()), (Dialect.CHAT, chat_stream())]


@pytest.mark.parametrize(("dialect", "events"), STREAMS)
def test_a_stream_is_kept_event_by_event(dialect: Dialect, events: list[bytes]) -> None:
    assert whole(dialect, events) == tuple(events)
    joined = b"".join(events)
    for size in (1, 3, 50, len(joined)):
        pieces = [joined[at : at + size] for at in range(0, len(joined), size)]
        assert whole(dialect, pieces) == tuple(events)


@pytest.mark.parametrize(("dialect", "events"), STREAMS)
def test_a_cut_stream_is_never_kept(dialect: Dialect, events: list[bytes]) -> None:
    joined = b"".join(events)
    for at in range(len(joined)):
        assert whole(dialect, [joined[:at]]) is None
    for missing in range(len(events)):
        rest = events[:missing]
        assert whole(dialect, rest) is None


@pytest.mark.parametrize(
    ("dialect", "events"),
    [
        (Dialect.MESSAGES, messages_stream("max_tokens")),
        (Dialect.MESSAGES, messages_stream("tool_use", "tool_use")),
        (Dialect.MESSAGES, messages_stream(kind="server_tool_use")),
        (Dialect.MESSAGES, [*messages_stream()[:-1], event("error", error={"type": "x"})]),
        (Dialect.MESSAGES, [*messages_stream(), event("error", error={"type": "x"})]),
        (Dialect.CHAT, chat_stream("length")),
        (Dialect.CHAT, chat_stream("tool_calls")),
        (Dialect.CHAT, [b'data: {"error": {"message": "x"}}\n\n', *chat_stream()]),
        (Dialect.CHAT, [b"data: [DONE]\n\n"]),
        (
            Dialect.CHAT,
            [b'data: {"choices": [{"index": 1, "delta": {"content": "x"}}]}\n\n', *chat_stream()],
        ),
    ],
)
def test_streams_that_are_not_kept(dialect: Dialect, events: list[bytes]) -> None:
    assert whole(dialect, events) is None


def test_what_is_too_long_is_let_go() -> None:
    events = chat_stream()
    size = len(b"".join(events))
    assert whole(Dialect.CHAT, events, size) is not None
    assert whole(Dialect.CHAT, events, size - 1) is None
