"""Nonsense of any kind is refused in one of the declared ways, never with a traceback."""

import contextlib
import copy
import json
from collections.abc import Sequence
from functools import cache
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import (
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
from heliostat_json.objects import JsonObject, dump_object, object_at
from support.golden import DIRECTIONS, PROVIDERS, asked_by, find_cases, read_object
from support.streams import objects_of

TOLD = (UntranslatableError, MalformedAnswerError, StreamFaultError)
WORDS: Final = ["", "x", "{}", "[1]", "tool_use", "http://[", "data:,", "gemini|call|x|y", "\ud800"]
LEAVES = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(0, 1) | st.sampled_from(WORDS)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@cache
def inputs(kind: str, source: Dialect, name: str = "") -> tuple[JsonObject, ...]:
    """The inputs of golden cases, or one field of each: what makes sense, before it is spoiled."""
    found = (read_object(path) for path in find_cases(kind, source))
    return tuple(object_at(each, name) if name else each for each in found)


@cache
def streams(source: Dialect) -> tuple[str, ...]:
    return tuple(path.read_text() for path in find_cases("streams", source, ".sse"))


@st.composite
def spoiled(draw: st.DrawFn, documents: Sequence[JsonObject]) -> JsonObject:
    """One of the documents, with up to three values in it replaced by nonsense."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        spoil(draw, document)
    return document


def spoil(draw: st.DrawFn, value: JsonValue) -> None:
    """Walks down by chance and replaces what it finds there."""
    while isinstance(value, dict | list) and value:
        key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        inner = value[key]  # type: ignore[index, call-overload]
        if not (isinstance(inner, dict | list) and inner) or draw(st.integers(0, 3)) == 0:
            value[key] = draw(VALUES)  # type: ignore[index, call-overload]
            return
        value = inner


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_request(caller: Dialect, provider: Dialect, data: st.DataObject) -> None:
    document = data.draw(spoiled(inputs("requests", caller)))
    with contextlib.suppress(*TOLD):
        dump_object(translate_request(document, caller, provider, "m").document)


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_answer(caller: Dialect, provider: Dialect, data: st.DataObject) -> None:
    answers = inputs("answers", provider, "answer")
    asked = data.draw(spoiled(inputs("requests", caller)))
    with contextlib.suppress(*TOLD):
        dump_object(translate_answer(data.draw(spoiled(answers)), provider, caller, asked))


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_stream(caller: Dialect, provider: Dialect, data: st.DataObject) -> None:
    events = objects_of(data.draw(st.sampled_from(streams(provider))))
    translation = stream_translation(provider, caller, asked_by(caller))
    at = data.draw(st.integers(0, len(events) - 1))
    events[at] = data.draw(spoiled([events[at]]))
    with contextlib.suppress(*TOLD):
        for document in events:
            translation.feed(Event(b"", "", json.dumps(document).encode()))
        translation.finish()


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=30, deadline=None)
@given(data=st.data(), status=st.integers(0, 600))
def test_an_error(provider: Dialect, data: st.DataObject, status: int) -> None:
    documents = inputs("faults", provider, "document")
    fault = translate_error(status, data.draw(spoiled(documents)), provider)
    assert fault.kind
    assert fault.message


def test_half_a_surrogate_pair_is_written_escaped() -> None:
    assert dump_object({"text": "ä\ud800"}) == b'{"text":"\\u00e4\\ud800"}'
