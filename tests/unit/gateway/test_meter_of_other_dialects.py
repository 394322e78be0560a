"""Usage of chat and Gemini answers, in the ledger's kinds."""

import json

import pytest
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.meter import Meter, is_usage_chunk, new_meter
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject


def event(fields: JsonObject) -> Event:
    return Event(b"", "", json.dumps(fields).encode())


def meter_after(dialect: Dialect, *events: JsonObject, size: int = 401) -> Meter:
    meter = new_meter(dialect, size)
    for fields in events:
        meter.read_event(event(fields))
    return meter


def chunk(**delta: JsonValue) -> JsonObject:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}


CHAT_USAGE: JsonObject = {
    "prompt_tokens": 100,
    "completion_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 15},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
CHAT_SUM = Usage(input=25, output=40, cache_read=60, cache_write_5m=15, thinking=30)


def test_a_chat_stream_is_final_with_its_usage_chunk() -> None:
    meter = meter_after(
        Dialect.CHAT,
        chunk(role="assistant", content=""),
        chunk(content="hello"),
        {"choices": [], "usage": CHAT_USAGE},
    )
    assert (meter.usage(), meter.final, meter.stopped) == (CHAT_SUM, True, False)
    meter.read_event(Event(b"", "", b"[DONE]"))
    assert meter.stopped


def test_counts_that_grow_from_chunk_to_chunk_are_not_added_up() -> None:
    """As vLLM tells them with `continuous_usage_stats`; without a total beside them."""
    chunks: list[JsonObject] = [
        {
            "choices": [{"index": 0, "delta": {"content": "ab"}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": done},
        }
        for done in (1, 2, 3)
    ]
    usage = meter_after(Dialect.CHAT, *chunks).usage()
    assert (usage.input, usage.output, usage.total) == (100, 3, 103)


def test_a_chat_stream_without_usage_is_counted() -> None:
    meter = meter_after(
        Dialect.CHAT,
        chunk(content="äöü"),
        chunk(reasoning_content="12"),
        chunk(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": '{"a":1}'}}]),
    )
    assert meter.usage() == Usage(input=101, output=3)
    assert not meter.has_report


def test_a_chat_role_alone_is_nothing_to_see() -> None:
    assert not meter_after(Dialect.CHAT, chunk(role="assistant", content="")).visible
    assert meter_after(Dialect.CHAT, chunk(refusal="no")).visible
    assert meter_after(Dialect.CHAT, {"choices": [{"delta": {}, "finish_reason": "stop"}]}).visible


def test_a_chat_error_in_the_stream_is_told() -> None:
    meter = meter_after(Dialect.CHAT, {"error": {"type": "server_error", "message": "m"}})
    assert meter.error == ("server_error", "m")


def test_only_the_chunk_without_choices_is_the_usage_chunk() -> None:
    assert is_usage_chunk(event({"choices": [], "usage": CHAT_USAGE}))
    assert not is_usage_chunk(event(chunk(content='"usage" "choices":[]')))
    assert not is_usage_chunk(event({"choices": [{"delta": {}}], "usage": CHAT_USAGE}))
    assert not is_usage_chunk(Event(b"", "", b"[DONE]"))


def test_a_whole_chat_answer() -> None:
    meter = new_meter(Dialect.CHAT, 1)
    meter.read_message(json.dumps({"choices": [], "usage": CHAT_USAGE}).encode())
    assert meter.usage() == CHAT_SUM
    with pytest.raises(MalformedAnswerError):
        new_meter(Dialect.CHAT, 1).read_message(b'{"choices":[]}')


GEMINI_USAGE: JsonObject = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "toolUsePromptTokenCount": 5,
    "candidatesTokenCount": 10,
    "thoughtsTokenCount": 30,
}
GEMINI_SUM = Usage(input=45, output=40, cache_read=60, thinking=30)


def part(**fields: JsonValue) -> JsonObject:
    return {"candidates": [{"content": {"parts": [fields]}}]}


def test_a_gemini_stream_is_final_with_its_finish_reason() -> None:
    early: JsonObject = {"usageMetadata": {"promptTokenCount": 100}}
    meter = meter_after(Dialect.GEMINI, part(text="hell") | early)
    assert (meter.usage(), meter.final, meter.visible) == (Usage(input=100, output=1), False, True)
    meter.read_event(
        event({"candidates": [{"finishReason": "STOP"}], "usageMetadata": GEMINI_USAGE})
    )
    assert (meter.usage(), meter.final, meter.stopped) == (GEMINI_SUM, True, True)


def test_a_gemini_finish_without_usage_is_not_final() -> None:
    early: JsonObject = {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 1}}
    meter = meter_after(
        Dialect.GEMINI, part(text="hello") | early, {"candidates": [{"finishReason": "STOP"}]}
    )
    assert (meter.usage(), meter.final, meter.stopped) == (Usage(input=100, output=2), False, True)
    meter.read_event(event({"usageMetadata": GEMINI_USAGE}))  # it may come after the end
    assert (meter.usage(), meter.final) == (GEMINI_SUM, True)


def test_gemini_arguments_count_as_they_are_written_compactly() -> None:
    meter = meter_after(Dialect.GEMINI, part(functionCall={"name": "f", "args": {"a": "bcd"}}))
    assert meter.usage() == Usage(input=101, output=3)  # {"a":"bcd"}


def test_gemini_searches_are_billed_apart() -> None:
    answer: JsonObject = {
        "candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}],
        "usageMetadata": GEMINI_USAGE,
    }
    meter = new_meter(Dialect.GEMINI, 1)
    meter.read_message(json.dumps(answer).encode())
    assert meter.usage().web_searches == 2


def test_a_blocked_gemini_prompt_is_complete() -> None:
    meter = meter_after(
        Dialect.GEMINI,
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}},
    )
    assert (meter.final, meter.stopped, meter.usage().input) == (True, True, 9)


def test_whole_answers_without_usage_count_by_what_they_show() -> None:
    call: JsonObject = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    said: JsonObject = {"content": "12345", "reasoning_content": "6", "tool_calls": [call]}
    chat = new_meter(Dialect.CHAT, 4)
    chat.read_message(json.dumps({"choices": [{"message": said}]}).encode())
    parts: list[JsonObject] = [{"text": "12345"}, {"functionCall": {"args": {"a": 1}}}]
    gemini = new_meter(Dialect.GEMINI, 4)
    gemini.read_message(json.dumps({"candidates": [{"content": {"parts": [*parts]}}]}).encode())
    assert chat.usage() == Usage(input=1, output=2)  # 5 + 1 + 2 characters
    assert gemini.usage() == Usage(input=1, output=3)  # 5 + 7
    assert (chat.final, gemini.final) == (False, False)


def test_usage_before_the_end_of_a_gemini_stream_is_not_final() -> None:
    said: JsonObject = {"content": {"parts": [{"text": "12345"}]}}
    end: JsonObject = {"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}
    so_far: JsonObject = {"promptTokenCount": 7, "candidatesTokenCount": 1}
    meter = meter_after(
        Dialect.GEMINI,
        {"candidates": [said], "usageMetadata": so_far},
        {"candidates": [end]},
    )
    assert (meter.final, meter.stopped, meter.usage()) == (False, True, Usage(input=7, output=2))
    final: JsonObject = {"promptTokenCount": 7, "candidatesTokenCount": 3}
    meter.read_event(Event(b"", "", json.dumps({"usageMetadata": final}).encode()))
    assert (meter.final, meter.usage()) == (True, Usage(input=7, output=3))


def test_an_error_chunk_with_a_choice_beside_it_shows_nothing() -> None:
    """As OpenRouter sends it."""
    choice: JsonObject = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    error: JsonObject = {"code": 502, "message": "Provider disconnected"}
    meter = meter_after(Dialect.CHAT, {"error": error, "choices": [choice]})
    assert meter.error is not None
    assert not meter.visible
