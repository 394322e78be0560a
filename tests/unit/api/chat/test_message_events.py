"""The events of a message: whatever is read of document and log, in whatever order, fits."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.chat.answer_recovery import close_abandoned
from heliostat_api.chat.answer_writer import fields_of_message
from heliostat_api.chat.message_events import (
    MessageEvent,
    apply_event,
    apply_events,
    read_event,
    view_message,
    view_part,
    whole_message,
)
from heliostat_api.chat.schemas import Change, DeltaFrame, PartFrame, TextPart, ToolCallPart
from heliostat_api.documents.port import Document
from heliostat_api.records.conversations import MessageRecord, MessageState, Role, read_message

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = MessageRecord("m", Role.ASSISTANT, timestamp=NOW, state=MessageState.WRITING, epoch=1)
WORDS = st.sampled_from(["a", "나", " ", "\n", "b c"])


@st.composite
def event_lists(draw: st.DrawFn) -> list[MessageEvent]:
    """Texts that grow, and other parts, as a writer numbers them."""
    events: list[MessageEvent] = []
    parts = 0
    for seq in range(1, draw(st.integers(1, 12))):
        change: Change
        if parts and draw(st.booleans()):
            change = DeltaFrame(message="m", index=parts - 1, text=draw(WORDS))
        else:
            change = PartFrame(message="m", index=parts, part=TextPart(text=draw(WORDS)))
            parts += 1
        events.append(MessageEvent(change, 1, seq, cost_nanos=seq * 7, open_request=f"r{seq}"))
    return events


@given(event_lists(), st.data())
def test_a_checkpoint_and_the_log_from_anywhere_before_it_make_the_whole(
    events: list[MessageEvent], data: st.DataObject
) -> None:
    saved = data.draw(st.integers(0, len(events)))
    read_from = data.draw(st.integers(0, saved))
    fields = fields_of_message(apply_events(START, events[:saved]), {})
    checkpoint = read_message(Document("conversations/c/messages/m", fields, "1"))
    final = apply_events(checkpoint, events[read_from:])
    assert view_message(final) == view_message(apply_events(START, events))
    assert final.open_request == apply_events(START, events).open_request


@given(event_lists(), st.data())
def test_a_writer_that_was_given_up_changes_nothing_any_more(
    events: list[MessageEvent], data: st.DataObject
) -> None:
    known = data.draw(st.integers(0, len(events)))
    ended = close_abandoned(apply_events(START, events[:known]))
    assert ended.state is MessageState.INTERRUPTED
    assert apply_events(ended, events) == ended
    assert apply_event(apply_events(START, events), whole_message(ended)).parts == ended.parts


@given(event_lists())
def test_an_event_comes_back_from_the_log_as_it_was(events: list[MessageEvent]) -> None:
    for each in events:
        assert read_event(each.to_report(NOW)) == each


def test_a_last_word_that_only_the_log_knows_counts() -> None:
    done = replace(START, state=MessageState.DONE, seq=5)
    assert close_abandoned(apply_events(START, [whole_message(done)])).state is MessageState.DONE


def test_a_change_of_another_message_is_none_of_this_one() -> None:
    other = MessageEvent(PartFrame(message="other", index=0, part=TextPart(text="x")), 1, 1)
    assert apply_event(START, other) == START


def test_a_part_of_an_unknown_kind_shows_its_text() -> None:
    assert view_part({"type": "drawing", "text": "a house"}) == TextPart(text="a house")
    call = ToolCallPart(id="1", name="save_agent", input={"name": "x"})
    assert view_part(call.model_dump(by_alias=True)) == call


def test_a_cost_is_rounded_up() -> None:
    assert view_message(replace(START, cost_nanos=1001)).cost_micros == 2
