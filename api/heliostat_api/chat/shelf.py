"""The documents of conversations, and who hears that one changed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.base.person import Person
from heliostat_api.base.views import GoneConversationView
from heliostat_api.chat.journal import (
    Entry,
    audience_of,
    read_entry,
    stop_audience_of,
    view_conversation,
)
from heliostat_api.chat.writing import message_path
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Put,
    Query,
)
from heliostat_api.events.log import EventLog
from heliostat_api.events.reports import Report, ReportType
from heliostat_api.people.topics import topics_of_owner_field
from heliostat_api.records.conversations import (
    ConversationRecord,
    MessageRecord,
    read_conversation,
    read_message,
)
from heliostat_api.web.problems import NotFoundProblem

COLLECTION: Final = "conversations"
SHOWN: Final = 100
"""Messages of a snapshot, and at most of what a model is told."""
_RANDOM_BYTES: Final = 12
_MOMENT: Final = timedelta(microseconds=1)
Change = Callable[[ConversationRecord], ConversationRecord]


def new_conversation_id() -> str:
    """96 random bits."""
    return f"conversation-{secrets.token_hex(_RANDOM_BYTES)}"


def new_message_id() -> str:
    """96 random bits."""
    return f"message-{secrets.token_hex(_RANDOM_BYTES)}"


def path_of(conversation: str) -> str:
    """Of its document."""
    return f"{COLLECTION}/{conversation}"


def changed(document: Document, record: ConversationRecord) -> Put:
    """The write of a changed conversation, unless somebody else wrote since it was read. Lists are
    still to hear of it."""
    fields = {**document.fields, **replace(record, untold=True).fields()}
    return Put(document.path, fields, document.version)


def later_than(before: ConversationRecord, now: datetime) -> datetime:
    """When it changed: no two changes have one instant, whatever a clock says."""
    return max(now, before.changed_at + _MOMENT) if before.changed_at else now


@dataclass(frozen=True)
class Shelf:
    """Reads and writes them; owners are checked by `own`."""

    documents: Documents
    log: EventLog
    clock: Callable[[], datetime]

    async def own(self, person: Person, conversation: str) -> Document:
        """Raises NotFoundProblem, for somebody else's too, and for one that is being deleted."""
        document = await self.documents.get(path_of(conversation))
        is_own = document is not None and document.fields.get(OWNER) == person.id
        if document is None or not is_own or read_conversation(document).deleting:
            raise NotFoundProblem("conversation")
        return document

    async def change(self, conversation: str, change: Change) -> ConversationRecord | None:
        """As it is then, told where it changed; None when it is gone."""
        while (document := await self.documents.get(path_of(conversation))) is not None:
            before = read_conversation(document)
            if before.deleting:
                return None
            after = change(before)
            if after == before:
                return before
            after = replace(after, changed_at=later_than(before, self.clock()))
            try:
                await self.documents.commit(changed(document, after))
            except ConflictError:
                continue
            await self.tell(after)
            return after
        return None

    async def message(self, conversation: str, message: str) -> Document | None:
        """Of this conversation."""
        return await self.documents.get(message_path(conversation, message))

    async def latest(self, conversation: str, limit: int = SHOWN) -> tuple[MessageRecord, ...]:
        """Its last messages, oldest first."""
        collection = f"{path_of(conversation)}/messages"
        query = Query(collection, None, order="timestamp", limit=limit)
        page = await self.documents.query(query)
        return tuple(map(read_message, reversed(page.documents)))

    async def heard(self, conversation: str, after: int) -> tuple[list[Entry], int] | None:
        """What was said since, and the cursor behind it; None where the log does not reach back."""
        audience, entries = audience_of(conversation), list[Entry]()
        while True:
            found = await self.log.read([audience], after)
            if found.has_gap:
                return None
            if not found.reports:
                return entries, after
            entries += [read_entry(each.report) for each in found.reports]
            after = found.end

    async def say(self, conversation: str, entry: Entry) -> None:
        """To all who watch; once, however often."""
        report = entry.report(self.clock())
        await self.log.append(audience_of(conversation), report, entry.key)

    async def wish_stop(self, conversation: str, answer: str) -> None:
        """Heard by whoever writes the answer, on whatever replica."""
        report = Report(ReportType.CHAT, self.clock(), {"stop": answer})
        await self.log.append(stop_audience_of(conversation), report)

    async def tell(self, record: ConversationRecord) -> None:
        """The person's lists, each change once."""
        payload = view_conversation(record).model_dump(mode="json", by_alias=True)
        report = Report(ReportType.CONVERSATION_CHANGED, self.clock(), payload)
        for audience in topics_of_owner_field(record.user_id):
            await self.log.append(audience, report, f"{path_of(record.id)}@{record.changed_at}")

    async def is_going(self, conversation: str) -> bool:
        """Whether it is being deleted, or gone."""
        document = await self.documents.get(path_of(conversation))
        return document is None or read_conversation(document).deleting

    async def tell_gone(self, record: ConversationRecord) -> None:
        """The person's lists, once, that it is being deleted."""
        payload = GoneConversationView(id=record.id).model_dump(by_alias=True)
        report = Report(ReportType.CONVERSATION_DELETED, self.clock(), payload)
        for audience in topics_of_owner_field(record.user_id):
            await self.log.append(audience, report, f"{path_of(record.id)}#gone")

    async def bury(self, conversation: str) -> None:
        """What is being deleted goes, once nobody writes in it any more; its document last, so that
        a crash before is mended by it."""
        for audience in (audience_of(conversation), stop_audience_of(conversation)):
            await self.log.forget(audience)
        await self.documents.delete_tree(path_of(conversation))
