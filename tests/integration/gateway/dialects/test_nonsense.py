"""What comes of a provider's nonsense is read by the caller's SDK, or is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError, StreamFaultError
from heliostat_gateway.dialects.translation import stream_translation, translate_answer
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject
from support.golden import DIRECTIONS, asked_by
from support.nonsense import inputs, spoiled, streams
from support.sdk_types import check_answer, check_event
from support.streams import objects_of


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_callers_sdk_reads_the_answer(
    caller: Dialect, provider: Dialect, data: st.DataObject
) -> None:
    answer = data.draw(spoiled(inputs("answers", provider, "answer")))
    told: JsonObject | None = None
    try:
        told = translate_answer(answer, provider, caller, asked_by(caller))
    except MalformedAnswerError:
        return
    check_answer(caller, told)


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_callers_sdk_reads_each_event(
    caller: Dialect, provider: Dialect, data: st.DataObject
) -> None:
    events = objects_of(data.draw(st.sampled_from(streams(provider))))
    at = data.draw(st.integers(0, len(events) - 1))
    events[at] = data.draw(spoiled([events[at]]))
    translation = stream_translation(provider, caller, asked_by(caller))
    told: list[bytes] = []
    try:
        for document in events:
            told += translation.feed(Event(b"", "", json.dumps(document).encode()))
        told += translation.finish()
    except (MalformedAnswerError, StreamFaultError):
        pass  # what came before is read all the same
    for document in objects_of(b"".join(told).decode()):
        check_event(caller, document)
