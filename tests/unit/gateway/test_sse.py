"""The incremental event reader: whole events, every byte kept, wherever the bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.sse import Event, EventReader, EventTooLongError

STREAM = (
    b'event: message_start\ndata: {"type":"message_start"}\n\n'
    b": a comment\n\n"
    b"event: ping\r\ndata: {}\r\n\r\n"
    b"data: one\ndata:two\n\n"
    b'event: x\ndata: {"text":"\xc3\xa4\xe2\x82\xac"}\n\n'
)


def read(*chunks: bytes) -> list[Event]:
    reader = EventReader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


def test_names_and_data_are_read() -> None:
    assert [(event.name, event.data) for event in read(STREAM)] == [
        ("message_start", b'{"type":"message_start"}'),
        ("", b""),
        ("ping", b"{}"),
        ("", b"one\ntwo"),
        ("x", '{"text":"ä€"}'.encode()),
    ]


def test_every_byte_is_kept_at_every_cut() -> None:
    whole = read(STREAM)
    assert b"".join(event.raw for event in whole) == STREAM
    for cut in range(len(STREAM) + 1):
        assert read(STREAM[:cut], STREAM[cut:]) == whole


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_number_of_cuts_changes_nothing(cuts: list[int]) -> None:
    marks = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in pairwise(marks)]
    assert read(*chunks) == read(STREAM)


def test_an_unfinished_event_is_held_back() -> None:
    reader = EventReader()
    assert list(reader.feed(b"data: 1\n\ndata: 2\n")) == [Event(b"data: 1\n\n", "", b"1")]
    assert reader.held == b"data: 2\n"


def test_a_carriage_return_waits_for_the_byte_behind_it() -> None:
    reader = EventReader()
    assert list(reader.feed(b"data: 1\r\n\r")) == []
    assert [event.raw for event in reader.feed(b"\n")] == [b"data: 1\r\n\r\n"]


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(EventTooLongError, match="longer than 100 bytes"):
        list(EventReader(longest=100).feed(b"data: " + b"x" * 200))
