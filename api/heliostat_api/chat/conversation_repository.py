"""Reads and writes conversations and their messages, and publishes every change in the log."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.base.person import Person
from heliostat_api.base.views import GoneConversationView
from heliostat_api.chat.answer_writer import message_path
from heliostat_api.chat.message_events import (
    MessageEvent,
    conversation_topic,
    read_event,
    stop_topic,
    view_conversation,
)
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Put,
    Query,
)
from heliostat_api.events.log import EventLog, Report, ReportType
from heliostat_api.people.topics import topics_of_owner_field
from heliostat_api.records.conversations import (
    ConversationRecord,
    ConversationState,
    MessageRecord,
    MessageState,
    read_conversation,
    read_message,
)
from heliostat_api.web.problems import NotFoundProblem

COLLECTION: Final = "conversations"
SHOWN: Final = 100
"""Messages of a snapshot, and at most of what a model gets."""
_RANDOM_BYTES: Final = 12
_MOMENT: Final = timedelta(microseconds=1)
ConversationChange = Callable[[ConversationRecord], ConversationRecord]


def new_conversation_id() -> str:
    """The id has 96 random bits."""
    return f"conversation-{secrets.token_hex(_RANDOM_BYTES)}"


def new_message_id() -> str:
    """The id has 96 random bits."""
    return f"message-{secrets.token_hex(_RANDOM_BYTES)}"


def path_of(conversation: str) -> str:
    """The path names the document of a conversation."""
    return f"{COLLECTION}/{conversation}"


def put_conversation(document: Document, record: ConversationRecord) -> Put:
    """The write replaces a conversation, unless another writer changed it since it was read. The
    record is marked: lists have yet to be notified."""
    fields = {**document.fields, **replace(record, untold=True).fields()}
    return Put(document.path, fields, document.version)


def next_change_time(before: ConversationRecord, now: datetime) -> datetime:
    """A change is later than the one before it, whatever a clock says: no two have one instant."""
    return max(now, before.changed_at + _MOMENT) if before.changed_at else now


def settle_conversation(
    conversation: ConversationRecord, message: MessageRecord | None
) -> ConversationRecord:
    """The conversation follows its answer: interrupted with it, else idle."""
    is_interrupted = message is not None and message.state is MessageState.INTERRUPTED
    if is_interrupted:
        return replace(conversation, state=ConversationState.INTERRUPTED)
    return replace(conversation, state=ConversationState.IDLE, answer="")


@dataclass(frozen=True)
class ConversationRepository:
    """Reads and writes conversations; only `get_owned` checks who owns them."""

    documents: Documents
    log: EventLog
    clock: Callable[[], datetime]

    async def get_owned(self, person: Person, conversation: str) -> Document:
        """Raises NotFoundProblem, also for another person's and for one that is being deleted."""
        document = await self.documents.get(path_of(conversation))
        is_own = document is not None and document.fields.get(OWNER) == person.id
        if document is None or not is_own or read_conversation(document).deleting:
            raise NotFoundProblem("conversation")
        return document

    async def update(
        self, conversation: str, change: ConversationChange
    ) -> ConversationRecord | None:
        """Returns the conversation after the change, which is published if there was any; None
        when the conversation is gone."""
        while (document := await self.documents.get(path_of(conversation))) is not None:
            before = read_conversation(document)
            if before.deleting:
                return None
            after = change(before)
            if after == before:
                return before
            after = replace(after, changed_at=next_change_time(before, self.clock()))
            try:
                await self.documents.commit(put_conversation(document, after))
            except ConflictError:
                continue
            await self.publish_change(after)
            return after
        return None

    async def get_message(self, conversation: str, message: str) -> Document | None:
        """Returns the document of one message; None when it is gone."""
        return await self.documents.get(message_path(conversation, message))

    async def latest_messages(
        self, conversation: str, limit: int = SHOWN
    ) -> tuple[MessageRecord, ...]:
        """Returns the last messages, oldest first."""
        collection = f"{path_of(conversation)}/messages"
        query = Query(collection, None, order="timestamp", limit=limit)
        page = await self.documents.query(query)
        return tuple(map(read_message, reversed(page.documents)))

    async def events_after(
        self, conversation: str, after: int
    ) -> tuple[list[MessageEvent], int] | None:
        """Returns the events since a cursor, and the cursor behind them; None where the log does
        not reach back so far."""
        topic, events = conversation_topic(conversation), list[MessageEvent]()
        while True:
            found = await self.log.read([topic], after)
            if found.has_gap:
                return None
            if not found.reports:
                return events, after
            events += [read_event(each.report) for each in found.reports]
            after = found.end

    async def publish(self, conversation: str, event: MessageEvent) -> None:
        """Sends an event to every client that watches; once, however often it is published."""
        report = event.to_report(self.clock())
        await self.log.append(conversation_topic(conversation), report, event.key)

    async def request_stop(self, conversation: str, answer: str) -> None:
        """Asks the replica that writes the answer to stop, whichever it is."""
        report = Report(ReportType.CHAT, self.clock(), {"stop": answer})
        await self.log.append(stop_topic(conversation), report)

    async def publish_change(self, record: ConversationRecord) -> None:
        """Sends a change to the person's lists, each change once."""
        payload = view_conversation(record).model_dump(mode="json", by_alias=True)
        report = Report(ReportType.CONVERSATION_CHANGED, self.clock(), payload)
        for audience in topics_of_owner_field(record.user_id):
            await self.log.append(audience, report, f"{path_of(record.id)}@{record.changed_at}")

    async def is_deleted(self, conversation: str) -> bool:
        """Whether the conversation is being deleted, or gone."""
        document = await self.documents.get(path_of(conversation))
        return document is None or read_conversation(document).deleting

    async def publish_deletion(self, record: ConversationRecord) -> None:
        """Tells the person's lists, once, that the conversation is being deleted."""
        payload = GoneConversationView(id=record.id).model_dump(by_alias=True)
        report = Report(ReportType.CONVERSATION_DELETED, self.clock(), payload)
        for audience in topics_of_owner_field(record.user_id):
            await self.log.append(audience, report, f"{path_of(record.id)}#gone")

    async def purge(self, conversation: str) -> None:
        """Removes what is being deleted, once no answer is written in it any more. Its document
        goes last, so that recovery finds it after a crash."""
        for topic in (conversation_topic(conversation), stop_topic(conversation)):
            await self.log.forget(topic)
        await self.documents.delete_tree(path_of(conversation))
