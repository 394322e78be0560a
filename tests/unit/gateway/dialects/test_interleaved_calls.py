"""Parallel calls whose arguments come interleaved are told one after the other, whole."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.events import fold
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.dialects.translation import stream_translation
from heliostat_gateway.sse import Event, EventReader
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at, parse_object

CALLS: tuple[JsonObject, ...] = ({"city": "Seoul"}, {"city": "Bern", "days": 3}, {})


def delta(**fields: object) -> JsonObject:
    found = parse_object(
        json.dumps({"id": "c", "choices": [{"index": 0, "delta": fields}]}).encode()
    )
    assert found is not None
    return found


def opening(index: int, arguments: str = "") -> JsonObject:
    function = {"name": f"tool_{index}", "arguments": arguments}
    return delta(
        tool_calls=[
            {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        ]
    )


def more(index: int, arguments: str) -> JsonObject:
    return delta(tool_calls=[{"index": index, "function": {"arguments": arguments}}])


def finish(reason: str) -> JsonObject:
    return {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def told(chunks: list[JsonObject]) -> list[JsonObject]:
    """The events that the caller gets."""
    translation = stream_translation(Dialect.CHAT, Dialect.MESSAGES, {"messages": []})
    raw = b"".join(
        piece for chunk in chunks for piece in translation.feed(Event(b"", "", dump_object(chunk)))
    )
    raw += b"".join(translation.finish())
    return [found for event in EventReader().feed(raw) if (found := parse_object(event.data))]


def inputs(events: list[JsonObject]) -> list[tuple[object, object]]:
    blocks = list_at(fold(events), "content")
    return [(each["name"], each["input"]) for each in blocks if isinstance(each, dict)]


def are_in_order(events: list[JsonObject]) -> bool:
    """Blocks are open one at a time, with indices that go up."""
    is_open, last = False, -1
    for event in events:
        match event["type"]:
            case "content_block_start":
                if is_open or event["index"] != last + 1:
                    return False
                is_open, last = True, last + 1
            case "content_block_delta" if not is_open or event["index"] != last:
                return False
            case "content_block_stop":
                is_open = False
    return True


@st.composite
def interleavings(draw: st.DrawFn) -> list[JsonObject]:
    """Calls that are opened in order, and pieces of their arguments in any order of calls."""
    queues: list[Iterator[str]] = []
    chunks: list[JsonObject] = []
    for index, arguments in enumerate(CALLS):
        size = draw(st.integers(1, 8))
        text = json.dumps(arguments)
        queues.append(iter([text[at : at + size] for at in range(0, len(text), size)]))
        chunks.append(opening(index))
        for each in draw(st.lists(st.integers(0, index), max_size=4)):
            if piece := next(queues[each], ""):
                chunks.append(more(each, piece))
    order = draw(st.permutations([*range(len(CALLS))] * 60))
    chunks += [more(each, piece) for each in order if (piece := next(queues[each], ""))]
    return [*chunks, finish("tool_calls")]


@settings(max_examples=200, deadline=None)
@given(interleavings())
def test_interleaved_calls_are_whole_and_in_order(chunks: list[JsonObject]) -> None:
    events = told(chunks)
    assert are_in_order(events)
    assert inputs(events) == [(f"tool_{n}", arguments) for n, arguments in enumerate(CALLS)]
    assert object_at(events[-2], "delta")["stop_reason"] == "tool_use"


def test_calls_that_follow_each_other_are_streamed_as_they_come() -> None:
    translation = stream_translation(Dialect.CHAT, Dialect.MESSAGES, {"messages": []})

    def feed(chunk: JsonObject) -> bytes:
        return b"".join(translation.feed(Event(b"", "", dump_object(chunk))))

    assert b"tool_0" in feed(opening(0))
    assert b"input_json_delta" in feed(more(0, '{"city": 1}'))
    assert b"tool_1" in feed(opening(1))
    assert b"input_json_delta" in feed(more(1, "{"))


def test_held_calls_come_before_the_text_that_follows_them() -> None:
    chunks = [opening(0), opening(1), more(1, "{}"), more(0, "{}"), delta(content="done")]
    events = told([*chunks, finish("stop")])
    content = list_at(fold(events), "content")
    assert [each["type"] for each in content if isinstance(each, dict)] == [
        "tool_use",
        "tool_use",
        "text",
    ]


def test_an_answer_that_was_cut_may_leave_any_call_half_written() -> None:
    chunks = [opening(0, '{"a'), opening(1, '{"b'), finish("length")]
    events = told(chunks)
    assert are_in_order(events)
    assert object_at(events[-2], "delta")["stop_reason"] == "max_tokens"


def test_more_of_a_call_that_is_over_is_out_of_order() -> None:
    with pytest.raises(MalformedAnswerError):
        told([opening(0, "{}"), delta(content="x"), more(0, "{}"), finish("stop")])
