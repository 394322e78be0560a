"""Nonsense of any kind is refused in one of the declared ways, or what comes of it has the shape of
its dialect; never a traceback, and never a change to what was given."""

import copy
import json
import re
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import (
    CHAT_OF_KIND,
    MalformedAnswerError,
    StreamFaultError,
    translate_error,
)
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.translation import (
    stream_translation,
    translate_answer,
    translate_request,
)
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at, text_at
from support.golden import DIRECTIONS, PROVIDERS, asked_by
from support.hearing import hear
from support.nonsense import inputs, spoiled, streams
from support.streams import objects_of

ROLES: Final = {
    Dialect.MESSAGES: {"user", "assistant", "system"},
    Dialect.CHAT: {"system", "developer", "user", "assistant", "tool"},
    Dialect.GEMINI: {"user", "model"},
}
TOP_LEVEL: Final = re.compile(r"[.\[]")
STOP_REASONS: Final = {
    Dialect.MESSAGES: {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
    },
    Dialect.CHAT: {"stop", "length", "tool_calls", "content_filter", "function_call"},
}


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_request(caller: Dialect, provider: Dialect, data: st.DataObject) -> None:
    document = data.draw(spoiled(inputs("requests", caller)))
    before = copy.deepcopy(document)
    refusal: UntranslatableError | None = None
    try:
        sent = translate_request(document, caller, provider, "m").document
        check_request(provider, sent)
    except UntranslatableError as error:
        refusal = error
    assert document == before
    if refusal is not None:
        assert TOP_LEVEL.split(refusal.field)[0] in document, "it names what the caller sent"
        assert refusal.message.removeprefix(f"{refusal.field}: ").strip()


def check_request(provider: Dialect, sent: JsonObject) -> None:
    """Model, turns and their roles: the rest may be the caller's own nonsense, for the provider to
    refuse."""
    assert json.loads(dump_object(sent)) == sent
    turns = list_at(sent, "contents" if provider is Dialect.GEMINI else "messages")
    assert turns
    assert {text_at(turn, "role") for turn in map(as_object, turns)} <= ROLES[provider]
    if provider is Dialect.GEMINI:
        assert all(list_at(as_object(turn), "parts") for turn in turns)
    else:
        assert sent["model"] == "m"


def as_object(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_answer(caller: Dialect, provider: Dialect, data: st.DataObject) -> None:
    asked = data.draw(spoiled(inputs("requests", caller)))
    answer = data.draw(spoiled(inputs("answers", provider, "answer")))
    before = copy.deepcopy((asked, answer))
    said = "whole"
    try:
        check_answer(caller, translate_answer(answer, provider, caller, asked))
    except MalformedAnswerError as error:
        said = str(error)
    assert said.strip()
    assert (asked, answer) == before


def check_answer(caller: Dialect, told: JsonObject) -> None:
    assert json.loads(dump_object(told)) == told
    counts = object_at(told, "usage")
    if caller is Dialect.MESSAGES:
        assert (told["type"], told["role"]) == ("message", "assistant")
        assert all(text_at(as_object(block), "type") for block in list_at(told, "content"))
        reasons, names = [told["stop_reason"]], ("input_tokens", "output_tokens")
    else:
        assert told["object"] == "chat.completion"
        choices = [as_object(choice) for choice in list_at(told, "choices")]
        assert [text_at(object_at(each, "message"), "role") for each in choices] == ["assistant"]
        reasons, names = [choices[0]["finish_reason"]], ("prompt_tokens", "completion_tokens")
    assert set(reasons) <= STOP_REASONS[caller]
    assert all(is_count(counts, name) for name in names)


def is_count(counts: Mapping[str, JsonValue], name: str) -> bool:
    value = counts.get(name)
    return type(value) is int and value >= 0


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_stream(caller: Dialect, provider: Dialect, data: st.DataObject) -> None:
    events = objects_of(data.draw(st.sampled_from(streams(provider))))
    translation = stream_translation(provider, caller, asked_by(caller))
    at = data.draw(st.integers(0, len(events) - 1))
    events[at] = data.draw(spoiled([events[at]]))
    told: list[bytes] = []
    failure = ""
    try:
        for document in events:
            told += translation.feed(Event(b"", "", json.dumps(document).encode()))
        told += translation.finish()
    except (MalformedAnswerError, StreamFaultError) as error:
        failure = str(error) or "nothing is said"
    if told:
        heard = hear(caller, 200, b"".join(told), stream=True)
        assert (heard.is_complete, heard.error) == (not failure, "")
    assert told or failure
    assert failure != "nothing is said"


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=30, deadline=None)
@given(data=st.data(), status=st.integers(0, 600))
def test_an_error(provider: Dialect, data: st.DataObject, status: int) -> None:
    document = data.draw(spoiled(inputs("faults", provider, "document")))
    before = copy.deepcopy(document)
    fault = translate_error(status, document, provider)
    said = text_at(object_at(document, "error"), "type")
    assert fault.kind in CHAT_OF_KIND or (provider, fault.kind) == (Dialect.MESSAGES, said)
    assert fault.message.strip()
    assert document == before


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@pytest.mark.parametrize("message", [{}, {"role": "user", "content": ""}, {"role": "user"}])
def test_a_request_that_says_nothing(
    caller: Dialect, provider: Dialect, message: JsonObject
) -> None:
    """A provider would refuse it in words about a list that the caller never sent."""
    with pytest.raises(UntranslatableError, match=r"^messages"):
        translate_request({"model": "x", "messages": [message]}, caller, provider, "m")


def test_half_a_surrogate_pair_is_written_escaped() -> None:
    assert dump_object({"text": "ä\ud800"}) == b'{"text":"\\u00e4\\ud800"}'
