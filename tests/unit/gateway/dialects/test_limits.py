"""What a target takes less of is mended where the meaning stays, else refused by its name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.limits import LIMITS, fit_name
from heliostat_gateway.dialects.translation import (
    stream_translation,
    translate_answer,
    translate_request,
)
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at

CHAT, MESSAGES, GEMINI = Dialect.CHAT, Dialect.MESSAGES, Dialect.GEMINI
HI: JsonObject = {"role": "user", "content": "hi"}
LONG = "mcp__" + "x" * 90 + ".search"


def chat(**fields: JsonValue) -> JsonObject:
    return {"model": "m", "messages": [HI], **fields}


def called(call_id: str, name: str) -> JsonObject:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def picture(url: str) -> JsonObject:
    part: JsonObject = {"type": "image_url", "image_url": {"url": url}}
    return {"role": "user", "content": [part]}


def function(name: str, **more: JsonValue) -> JsonObject:
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object"}},
        **more,
    }


@pytest.mark.parametrize(
    ("document", "source", "target", "field"),
    [
        (chat(stop=["x", " \n"]), CHAT, MESSAGES, "stop[1]"),
        (chat(stop=" "), CHAT, MESSAGES, "stop"),
        (chat(stop_sequences=[*"abcde"]), MESSAGES, CHAT, "stop_sequences"),
        (chat(stop_sequences=[*"abcdef"]), MESSAGES, GEMINI, "stop_sequences"),
        (chat(tools=[{"name": f"t{n}"} for n in range(129)]), MESSAGES, CHAT, "tools"),
        (
            chat(messages=[HI, picture("data:image/bmp;base64,AAAA")]),
            CHAT,
            MESSAGES,
            "messages[1].content[0].image_url.url",
        ),
        (
            chat(messages=[picture("data:image/gif;base64,AAAA")]),
            CHAT,
            GEMINI,
            "messages[0].content[0].image_url.url",
        ),
        (
            chat(messages=[picture("http://example.com/a.png")]),
            CHAT,
            MESSAGES,
            "messages[0].content[0].image_url.url",
        ),
    ],
)
def test_what_cannot_be_mended_is_refused_by_its_name(
    document: JsonObject, source: Dialect, target: Dialect, field: str
) -> None:
    with pytest.raises(UntranslatableError) as caught:
        translate_request(document, source, target, "m")
    assert caught.value.field == field


def test_servers_that_only_speak_like_openai_take_more() -> None:
    document = chat(stop_sequences=[*"abcde"], max_tokens=5)
    written = translate_request(document, MESSAGES, CHAT, "m", counts=False).document
    assert written["stop"] == [*"abcde"]


@pytest.mark.parametrize("kind", ["image/jpg", "image/JPG", "image/pjpeg"])
@pytest.mark.parametrize("target", [MESSAGES, GEMINI])
def test_a_jpg_is_a_jpeg(kind: str, target: Dialect) -> None:
    document = chat(messages=[picture(f"data:{kind};base64,AAAA")])
    written = dump_object(translate_request(document, CHAT, target, "m").document)
    assert b"image/jpeg" in written
    assert kind.encode() not in written


def test_an_empty_stop_sequence_stops_nothing() -> None:
    written = translate_request(chat(stop=["", "end"]), CHAT, MESSAGES, "m").document
    assert written["stop_sequences"] == ["end"]


@given(st.text(min_size=1, max_size=200), st.sampled_from(Dialect))
def test_a_name_is_taken_and_stays_the_same_each_time(name: str, target: Dialect) -> None:
    limits = LIMITS[target]
    fitted = fit_name(name, limits)
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}|[A-Za-z0-9_-]{1,128}", fitted)
    assert len(fitted) <= limits.longest_name
    assert fitted == fit_name(name, limits) == fit_name(fitted, limits)


def test_two_long_names_stay_two() -> None:
    names = {fit_name("x" * 100 + end, LIMITS[CHAT]) for end in "ab"}
    assert len(names) == 2


def test_a_name_that_openai_does_not_take_is_the_callers_own_again_in_the_answer() -> None:
    use: JsonObject = {"type": "tool_use", "id": "toolu_1", "name": LONG, "input": {}}
    result: JsonObject = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
    document = chat(
        max_tokens=9,
        tools=[{"name": LONG, "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": LONG},
        messages=[
            HI,
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result]},
        ],
    )
    written = translate_request(document, MESSAGES, CHAT, "m").document
    told = fit_name(LONG, LIMITS[CHAT])
    assert LONG.encode() not in dump_object(written)
    assert dump_object(written).count(told.encode()) == 3  # the tool, the choice, the history
    call: JsonObject = {
        "id": "c",
        "type": "function",
        "function": {"name": told, "arguments": "{}"},
    }
    message: JsonObject = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer: JsonObject = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    block = list_at(translate_answer(answer, CHAT, MESSAGES, document), "content")[0]
    assert isinstance(block, dict)
    assert block["name"] == LONG
    chunk: JsonObject = {"choices": [{"delta": {"tool_calls": [{**call, "index": 0}]}}]}
    stream = stream_translation(CHAT, MESSAGES, document)
    events = b"".join(stream.feed(Event(b"", "", dump_object(chunk))))
    assert LONG.encode() in events
    assert told.encode() not in events


def test_ids_of_calls_that_a_target_does_not_take_are_changed_alike_in_call_and_result() -> None:
    call = called("functions.get:0", "f")
    document = chat(
        messages=[
            HI,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "functions.get:0", "content": "x"},
        ]
    )
    messages = list_at(translate_request(document, CHAT, MESSAGES, "m").document, "messages")
    used, result = (object_at({"x": message}, "x")["content"] for message in messages[1:])
    assert isinstance(used, list)
    assert isinstance(result, list)
    one, other = used[0], result[0]
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert one["id"] == other["tool_use_id"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", str(one["id"]))


MARK: JsonObject = {"type": "ephemeral", "ttl": "1h"}


def part(text: str, *, marked: bool = True) -> JsonObject:
    return {"type": "text", "text": text, **({"cache_control": MARK} if marked else {})}


def test_marks_of_the_prompt_cache_are_carried_to_claude() -> None:
    call = called("c", "f")
    document = chat(
        messages=[
            {"role": "system", "content": [part("rules")]},
            {"role": "user", "content": "hi", "cache_control": MARK},
            {"role": "assistant", "content": "x", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": [part("found")]},
        ],
        tools=[function("f", cache_control=MARK)],
    )
    translated = translate_request(document, CHAT, MESSAGES, "m")
    written = translated.document
    assert written["system"] == [part("rules")]
    assert object_at({"x": list_at(written, "tools")[0]}, "x")["cache_control"] == MARK
    contents = [object_at({"x": each}, "x")["content"] for each in list_at(written, "messages")]
    assert contents[0] == [part("hi")]
    assert contents[2] == [
        {
            "type": "tool_result",
            "tool_use_id": "c",
            "content": [part("found", marked=False)],
            "cache_control": MARK,
        }
    ]
    assert translated.dropped == ()
    assert "tools[].cache_control" in translate_request(document, CHAT, GEMINI, "m").dropped


def test_anthropic_gets_the_last_four_marks() -> None:
    document = chat(messages=[{"role": "user", "content": [part(str(n)) for n in range(6)]}])
    message = list_at(translate_request(document, CHAT, MESSAGES, "m").document, "messages")[0]
    content = object_at({"x": message}, "x")["content"]
    assert content == [part(str(n), marked=n >= 2) for n in range(6)]
