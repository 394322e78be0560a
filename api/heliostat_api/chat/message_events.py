"""Turns the changes of a message into events of the log, and the events into the message. Pure.

Changes are numbered by the writer of the message: a try to answer is an epoch, and a change has its
place in it. So a reader of the document as of one change knows which ones follow, and a writer that
lost its lease can't change what another one wrote after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from heliostat_api.base.views import ConversationView
from heliostat_api.chat.schemas import (
    CHANGE,
    PART,
    Change,
    DeltaFrame,
    MessageFrame,
    MessageView,
    Part,
    PartFrame,
    TextPart,
)
from heliostat_api.documents.port import Fields
from heliostat_api.documents.values import text_in
from heliostat_api.events.log import Report, ReportType
from heliostat_api.records.conversations import ConversationRecord, MessageRecord, Role
from heliostat_core.worlds import JsonObject

_EPOCH = datetime.fromtimestamp(0, UTC)
_NANOS_PER_MICRO = 1000


@dataclass(frozen=True)
class MessageEvent:
    """A change and its number. `cost_nanos` is what the message cost then, without the open
    request."""

    change: Change
    epoch: int
    seq: int
    cost_nanos: int = 0
    open_request: str = ""

    @property
    def message(self) -> str:
        """The id names the message that changed."""
        change = self.change
        return change.message.id if isinstance(change, MessageFrame) else change.message

    @property
    def key(self) -> str:
        """The key is the same however often the event is built."""
        return f"{self.message}#{self.epoch}.{self.seq}"

    def to_report(self, now: datetime) -> Report:
        """Builds the event's entry in the log."""
        payload: JsonObject = {
            "epoch": self.epoch,
            "seq": self.seq,
            "costNanos": self.cost_nanos,
            "openRequest": self.open_request,
            "change": self.change.model_dump(mode="json", by_alias=True),
        }
        return Report(ReportType.CHAT, now, payload)


def whole_message(record: MessageRecord) -> MessageEvent:
    """The event carries the message as a whole, under the number that the message has."""
    frame = MessageFrame(message=view_message(record))
    return MessageEvent(frame, record.epoch, record.seq, record.cost_nanos, record.open_request)


def conversation_topic(conversation: str) -> str:
    """The topic carries the events of a conversation to its clients."""
    return f"conversation:{conversation}"


def stop_topic(conversation: str) -> str:
    """The topic carries requests to stop to the replica that writes the answer."""
    return f"conversation:{conversation}:stop"


def read_event(report: Report) -> MessageEvent:
    """Reads what `MessageEvent.to_report` wrote."""
    payload = report.payload
    epoch, seq, cost = payload["epoch"], payload["seq"], payload["costNanos"]
    assert isinstance(epoch, int)
    assert isinstance(seq, int)
    assert isinstance(cost, int)
    change = CHANGE.validate_python(payload["change"])
    return MessageEvent(change, epoch, seq, cost, str(payload["openRequest"]))


def change_in(report: Report) -> JsonObject:
    """Clients get the change as the log has it."""
    change = report.payload["change"]
    assert isinstance(change, Mapping)
    return change


def apply_event(record: MessageRecord, event: MessageEvent) -> MessageRecord:
    """The message after an event; unchanged by one that it includes, or of another message."""
    is_newer = (event.epoch, event.seq) > (record.epoch, record.seq)
    if event.message != record.id or not is_newer:
        return record
    record = replace(
        record,
        epoch=event.epoch,
        seq=event.seq,
        cost_nanos=event.cost_nanos,
        open_request=event.open_request,
    )
    match event.change:
        case MessageFrame(message=view):
            return replace(record, state=view.state, parts=tuple(map(fields_of, view.parts)))
        case PartFrame(index=index, part=part):
            return with_part(record, index, fields_of(part))
        case DeltaFrame(index=index, text=text):
            return with_text(record, index, text)


def apply_events(record: MessageRecord, events: Iterable[MessageEvent]) -> MessageRecord:
    """The message after all of the events."""
    for each in events:
        record = apply_event(record, each)
    return record


def with_part(record: MessageRecord, index: int, part: Fields) -> MessageRecord:
    """The message has one more part at its end, or one that is replaced."""
    return replace(record, parts=(*record.parts[:index], part, *record.parts[index + 1 :]))


def with_text(record: MessageRecord, index: int, text: str) -> MessageRecord:
    """The text part at the index is longer by that text."""
    if index >= len(record.parts):
        return record
    part = record.parts[index]
    return with_part(record, index, {**part, "text": text_in(part, "text") + text})


def fields_of(part: Part) -> Fields:
    """A document keeps a part as these fields."""
    fields: Fields = part.model_dump(mode="json", by_alias=True)
    return fields


def view_message(record: MessageRecord) -> MessageView:
    """People see the message like this; its cost is rounded up."""
    return MessageView(
        id=record.id,
        role=record.role.value,
        state=record.state,
        parts=tuple(map(view_part, record.parts)),
        time=record.timestamp or _EPOCH,
        cost_micros=-(-record.cost_nanos // _NANOS_PER_MICRO),
    )


def view_part(fields: Fields) -> Part:
    """People see a part of a document like this; a part of an unknown kind shows its text."""
    try:
        return PART.validate_python(fields)
    except ValidationError:
        return TextPart(text=text_in(fields, "text"))


def view_conversation(record: ConversationRecord) -> ConversationView:
    """People see a conversation in their list like this."""
    created = record.created_at or _EPOCH
    return ConversationView(
        id=record.id,
        title=record.title,
        agent_id=record.agent_id or None,
        created_time=created,
        changed_time=record.changed_at or created,
        state=record.state.value,
    )


def text_of(record: MessageRecord) -> str:
    """The text joins all text parts, as the earlier platform kept a message."""
    texts = (text_in(each, "text") for each in record.parts if each.get("type") == "text")
    return "\n\n".join(texts)


def is_answer(record: MessageRecord) -> bool:
    return record.role is Role.ASSISTANT
