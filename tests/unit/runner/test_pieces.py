"""Pieces of an answer: trimmed, joined, bounded, and never with the secret."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_runner.jsonvalue import JsonObject, load, objects_at, text_at
from heliostat_runner.pieces import MOST_BYTES, Pieces

SECRET = "eyJhbGci.secret"


def piece(event: JsonObject) -> JsonObject:
    return {"type": "stream_event", "event": event, "parent_tool_use_id": None, "uuid": "u"}


def start(index: int = 0) -> JsonObject:
    block: JsonObject = {"type": "text", "text": ""}
    return piece({"type": "content_block_start", "index": index, "content_block": block})


def delta(text: str, index: int = 0) -> JsonObject:
    said: JsonObject = {"type": "text_delta", "text": text}
    return piece({"type": "content_block_delta", "index": index, "delta": said})


BEGIN = piece({"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 9}}})
WHOLE: JsonObject = {"type": "assistant", "message": {"id": "msg_1"}}


def taken(pieces: Pieces) -> list[JsonObject]:
    body = pieces.take()
    return objects_at(load(body), "events") if body is not None else []


def said(events: list[JsonObject]) -> str:
    return "".join(text_at(each, "event", "delta", "text") for each in events)


def test_neighbouring_pieces_of_a_block_are_one() -> None:
    pieces = Pieces("")
    for event in (BEGIN, start(), delta("Hel"), delta("lo"), start(1), delta("!", 1)):
        pieces.hear(event)
    kinds = [(text_at(each, "event", "type"), said([each])) for each in taken(pieces)]
    assert kinds == [
        ("message_start", ""),
        ("content_block_start", ""),
        ("content_block_delta", "Hello"),
        ("content_block_start", ""),
        ("content_block_delta", "!"),
    ]
    assert pieces.take() is None


def test_a_block_that_is_whole_needs_no_pieces() -> None:
    pieces = Pieces("")
    for event in (BEGIN, start(), delta("Hello"), WHOLE, start(1)):
        pieces.hear(event)
    assert [text_at(each, "event", "type") for each in taken(pieces)] == [
        "message_start",
        "content_block_start",
    ]


def test_too_much_is_left_out_until_the_next_answer() -> None:
    pieces = Pieces("")
    for event in (BEGIN, start(), delta("x" * MOST_BYTES), delta("more")):
        pieces.hear(event)
    assert not pieces.is_waiting
    pieces.hear(BEGIN)
    pieces.hear(delta("again"))
    assert said(taken(pieces)) == "again"


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 12), max_size=12),
    st.lists(st.sampled_from(["a ", "ey", SECRET, "eyJhbGci."]), max_size=6),
    st.booleans(),
)
def test_the_secret_never_shows_however_it_is_cut(
    cuts: list[int], words: list[str], take_each: bool
) -> None:
    text, shown = "".join(words), ""
    pieces = Pieces(SECRET)
    for length in [*cuts, len(text) + 1]:
        pieces.hear(delta(text[:length]))
        text = text[length:]
        if take_each:
            shown += said(taken(pieces))
    shown += said(taken(pieces))
    assert SECRET not in shown
    whole = "".join(words).replace(SECRET, "[execution key]")
    assert whole.startswith(shown)
    assert len(whole) - len(shown) < len(SECRET)
