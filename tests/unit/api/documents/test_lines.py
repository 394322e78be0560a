"""What arrives as JSON lines."""

import json

import pytest

from heliostat_api.documents.lines import Line, read_lines


def test_events_stay_as_they_were_written() -> None:
    body = '{"a": 1}\n{"text":"한국 \u2028"}\n'.encode()
    assert read_lines(body) == (
        Line('{"a": 1}', {"a": 1}),
        Line('{"text":"한국 \u2028"}', {"text": "한국 \u2028"}),
    )


def test_a_last_line_needs_no_end_and_nothing_is_no_line() -> None:
    assert [line.event for line in read_lines(b'{"a":1}\n{"b":2}')] == [{"a": 1}, {"b": 2}]
    assert read_lines(b"") == ()


def test_a_large_number_in_a_text_is_a_text() -> None:
    [line] = read_lines(b'{"a":"1e999"}')
    assert line.event == {"a": "1e999"}


def test_half_a_character_becomes_a_mark() -> None:
    [line] = read_lines(b'{"text":"cut \\ud83d","n":1}')
    assert line.event == {"text": "cut ?", "n": 1}
    assert json.loads(line.text) == line.event


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1e999}',
        b'{"a":-1' + b"0" * 400 + b".5}",
        b"",
        b"no json",
        b"[1]",
        b"7",
        b"\xff\xfe",
        b'{"a":NaN}',
        b"[" * 100_000,
        b'{"a":1} {"b":2}',
    ],
)
def test_what_is_no_event_keeps_its_place_and_says_so(raw: bytes) -> None:
    before, line, after = read_lines(b"{}\n" + raw + b"\n{}\n")
    assert (before.event, after.event) == ({}, {})
    assert line.event["subtype"] == "unreadable"
    assert line.event["bytes"] == len(raw)
    assert json.loads(line.text) == line.event
    assert len(line.text) < 8000
