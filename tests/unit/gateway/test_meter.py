"""Usage as the meter reads it: reported, final, or counted by the documented rule."""

import json

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.meter import Meter, new_meter
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.reported_usage import read_usage
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject


def event(fields: JsonObject) -> Event:
    return Event(b"", "", json.dumps(fields).encode())


def meter_after(*events: JsonObject, size: int = 401) -> Meter:
    meter = new_meter(Dialect.MESSAGES, size)
    for fields in events:
        meter.read_event(event(fields))
    return meter


START: JsonObject = {
    "type": "message_start",
    "message": {
        "usage": {
            "input_tokens": 7,
            "output_tokens": 3,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 11,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        }
    },
}


def text(words: str) -> JsonObject:
    return {"type": "content_block_delta", "delta": {"type": "text_delta", "text": words}}


def test_before_any_report_the_input_is_counted() -> None:
    meter = meter_after()
    assert meter.usage() == Usage(input=101)
    assert not meter.has_report


def test_after_message_start_input_is_reported_and_output_counted() -> None:
    meter = meter_after(START, text("äöüß!"), text("abc"))
    assert meter.usage() == Usage(7, 2, 11, 20, 10)
    assert not meter.final


def test_thinking_and_tool_arguments_count_and_signatures_do_not() -> None:
    meter = meter_after(
        START,
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "1234"}},
        {
            "type": "content_block_delta",
            "delta": {"type": "signature_delta", "signature": "9" * 99},
        },
        {"type": "content_block_delta", "delta": {"partial_json": '{"a":'}},
    )
    assert meter.usage().output == 3


def test_the_final_delta_is_the_bill_and_its_nulls_say_nothing() -> None:
    final: JsonObject = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"input_tokens": None, "output_tokens": 50, "cache_read_input_tokens": None},
    }
    meter = meter_after(START, text("ab"), final)
    assert meter.final
    assert meter.usage() == Usage(7, 50, 11, 20, 10)


def test_cache_writes_that_grow_without_a_split_are_five_minute_ones() -> None:
    before = read_usage(
        Usage(),
        {
            "input_tokens": 1,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        },
    )
    after = read_usage(before, {"cache_creation_input_tokens": 45})
    assert (after.cache_write_5m, after.cache_write_1h) == (35, 10)


def test_cache_writes_without_any_split_are_five_minute_ones() -> None:
    assert read_usage(Usage(), {"cache_creation_input_tokens": 9}).cache_write_5m == 9


def test_searches_and_speed_are_kept() -> None:
    usage = read_usage(Usage(), {"server_tool_use": {"web_search_requests": 2}, "speed": "fast"})
    assert read_usage(usage, {"output_tokens": 5}) == Usage(output=5, web_searches=2, speed="fast")


@pytest.mark.parametrize("value", [-5, "7", 1.5, True, [3]])
def test_nonsense_counts_nothing(value: int | str | float | list[int]) -> None:
    assert read_usage(Usage(), {"input_tokens": value}) == Usage()  # type: ignore[dict-item]


def test_an_event_that_is_no_json_object_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError):
        new_meter(Dialect.MESSAGES, 1).read_event(Event(b"", "", b'{"type": "content_bl'))


def test_a_whole_message_is_final() -> None:
    meter = new_meter(Dialect.MESSAGES, 1)
    meter.read_message(b'{"type":"message","usage":{"input_tokens":3,"output_tokens":4}}')
    assert meter.final
    assert meter.usage() == Usage(3, 4)


def test_a_message_with_neither_output_nor_usage_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError):
        new_meter(Dialect.MESSAGES, 1).read_message(b'{"type":"message"}')


def test_a_message_without_usage_counts_by_what_it_shows() -> None:
    blocks = [
        {"type": "thinking", "thinking": "äöü", "signature": "s"},
        {"type": "text", "text": "12"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},  # {"a": 1}
    ]
    meter = new_meter(Dialect.MESSAGES, 401)
    meter.read_message(json.dumps({"type": "message", "content": blocks}).encode())
    assert meter.usage() == Usage(input=101, output=4)  # 3 + 2 + 8 characters
    assert (meter.final, meter.stopped) == (False, True)


def test_pings_and_errors_are_no_beginning() -> None:
    meter = new_meter(Dialect.MESSAGES, 1)
    meter.read_event(Event(b"", "ping", b'{"type":"ping"}'))
    meter.read_event(Event(b"", "error", b'{"type":"error","error":{"type":"overloaded_error"}}'))
    assert not meter.began
