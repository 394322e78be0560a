"""The journal of a message: its changes in the event log, and what they make of it. Pure.

Changes are numbered by who writes the message: a try to answer is an epoch, and a change has its
place in it. So a reader that has the document as of one change can tell which ones follow, and a
writer that was given up can't change what another one wrote after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from heliostat_api.base.views import ConversationView
from heliostat_api.chat.frames import CHANGE, Change, DeltaFrame, MessageFrame, PartFrame
from heliostat_api.chat.views import PART, MessageView, Part, TextPart
from heliostat_api.documents.port import Fields
from heliostat_api.documents.reading import text_in
from heliostat_api.events.reports import Report, ReportType
from heliostat_api.records.conversations import ConversationRecord, MessageRecord, Role
from heliostat_core.worlds import JsonObject

_EPOCH = datetime.fromtimestamp(0, UTC)
_NANOS_PER_MICRO = 1000


@dataclass(frozen=True)
class Entry:
    """A change, its number, and what the message cost then but for the open request."""

    change: Change
    epoch: int
    seq: int
    cost_nanos: int = 0
    open_request: str = ""

    @property
    def message(self) -> str:
        """The id of the message that it is about."""
        change = self.change
        return change.message.id if isinstance(change, MessageFrame) else change.message

    @property
    def key(self) -> str:
        """The same however often the entry is made."""
        return f"{self.message}#{self.epoch}.{self.seq}"

    def report(self, now: datetime) -> Report:
        """As the log keeps it."""
        payload: JsonObject = {
            "epoch": self.epoch,
            "seq": self.seq,
            "costNanos": self.cost_nanos,
            "openRequest": self.open_request,
            "change": self.change.model_dump(mode="json", by_alias=True),
        }
        return Report(ReportType.CHAT, now, payload)


def whole(record: MessageRecord) -> Entry:
    """The message as a whole, under the number that it has."""
    frame = MessageFrame(message=view_message(record))
    return Entry(frame, record.epoch, record.seq, record.cost_nanos, record.open_request)


def audience_of(conversation: str) -> str:
    """Who hears what is said in a conversation."""
    return f"conversation:{conversation}"


def stop_audience_of(conversation: str) -> str:
    """Where a wish to stop is heard by who answers, on whatever replica."""
    return f"conversation:{conversation}:stop"


def read_entry(report: Report) -> Entry:
    """What `Entry.report` wrote."""
    payload = report.payload
    epoch, seq, cost = payload["epoch"], payload["seq"], payload["costNanos"]
    assert isinstance(epoch, int)
    assert isinstance(seq, int)
    assert isinstance(cost, int)
    change = CHANGE.validate_python(payload["change"])
    return Entry(change, epoch, seq, cost, str(payload["openRequest"]))


def change_in(report: Report) -> JsonObject:
    """The change as clients get it, which is as the log has it."""
    change = report.payload["change"]
    assert isinstance(change, Mapping)
    return change


def applied(record: MessageRecord, entry: Entry) -> MessageRecord:
    """The message after a change; the same for one that is in it already, or of another message."""
    is_newer = (entry.epoch, entry.seq) > (record.epoch, record.seq)
    if entry.message != record.id or not is_newer:
        return record
    record = replace(
        record,
        epoch=entry.epoch,
        seq=entry.seq,
        cost_nanos=entry.cost_nanos,
        open_request=entry.open_request,
    )
    match entry.change:
        case MessageFrame(message=view):
            return replace(record, state=view.state, parts=tuple(map(fields_of, view.parts)))
        case PartFrame(index=index, part=part):
            return with_part(record, index, fields_of(part))
        case DeltaFrame(index=index, text=text):
            return with_text(record, index, text)


def folded(record: MessageRecord, entries: Iterable[Entry]) -> MessageRecord:
    """The message after all of them."""
    for each in entries:
        record = applied(record, each)
    return record


def with_part(record: MessageRecord, index: int, part: Fields) -> MessageRecord:
    """A part added at the end, or replaced."""
    return replace(record, parts=(*record.parts[:index], part, *record.parts[index + 1 :]))


def with_text(record: MessageRecord, index: int, text: str) -> MessageRecord:
    """Text appended to a text part."""
    if index >= len(record.parts):
        return record
    part = record.parts[index]
    return with_part(record, index, {**part, "text": text_in(part, "text") + text})


def fields_of(part: Part) -> Fields:
    """A part as a document keeps it."""
    fields: Fields = part.model_dump(mode="json", by_alias=True)
    return fields


def view_message(record: MessageRecord) -> MessageView:
    """What people see; the cost is rounded up."""
    return MessageView(
        id=record.id,
        role=record.role.value,
        state=record.state,
        parts=tuple(map(view_part, record.parts)),
        time=record.timestamp or _EPOCH,
        cost_micros=-(-record.cost_nanos // _NANOS_PER_MICRO),
    )


def view_part(fields: Fields) -> Part:
    """A part of a document; one that is none of ours shows its text."""
    try:
        return PART.validate_python(fields)
    except ValidationError:
        return TextPart(text=text_in(fields, "text"))


def view_conversation(record: ConversationRecord) -> ConversationView:
    """What people see."""
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
    """All its texts, as the earlier platform kept a message."""
    texts = (text_in(each, "text") for each in record.parts if each.get("type") == "text")
    return "\n\n".join(texts)


def is_answer(record: MessageRecord) -> bool:
    return record.role is Role.ASSISTANT
