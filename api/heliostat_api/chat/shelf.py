"""The documents of conversations, and who hears that one changed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from heliostat_api.chat.journal import (
    Entry,
    audience_of,
    read_entry,
    stop_audience_of,
    view_conversation,
)
from heliostat_api.chat.writing import message_path
from heliostat_api.documents.conversations import (
    ConversationRecord,
    MessageRecord,
    read_conversation,
    read_message,
)
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Put,
    Query,
)
from heliostat_api.events.audiences import audiences_of_owner_field
from heliostat_api.events.log import EventLog
from heliostat_api.events.reports import Report, ReportType
from heliostat_api.people.person import Person
from heliostat_api.serving.problems import NotFoundProblem
from heliostat_api.views import GoneConversationView

COLLECTION: Final = "conversations"
SHOWN: Final = 100
"""Messages of a snapshot, and at most of what a model is told."""
_RANDOM_BYTES: Final = 12
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
    """The write of a changed conversation, unless somebody else wrote since it was read."""
    return Put(document.path, {**document.fields, **record.fields()}, document.version)


@dataclass(frozen=True)
class Shelf:
    """Reads and writes them; owners are checked by `own`."""

    documents: Documents
    log: EventLog
    clock: Callable[[], datetime]

    async def own(self, person: Person, conversation: str) -> Document:
        """Raises NotFoundProblem, for somebody else's too."""
        document = await self.documents.get(path_of(conversation))
        if document is None or document.fields.get(OWNER) != person.id:
            raise NotFoundProblem("conversation")
        return document

    async def change(self, conversation: str, change: Change) -> ConversationRecord | None:
        """As it is then, told where it changed; None when it is gone."""
        while (document := await self.documents.get(path_of(conversation))) is not None:
            before = read_conversation(document)
            after = change(before)
            if after == before:
                return before
            now = max(self.clock(), before.changed_at or self.clock())
            after = replace(after, changed_at=now)
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
        """The person's lists."""
        payload = view_conversation(record).model_dump(mode="json", by_alias=True)
        report = Report(ReportType.CONVERSATION_CHANGED, self.clock(), payload)
        for audience in audiences_of_owner_field(record.user_id):
            await self.log.append(audience, report)

    async def tell_gone(self, person: Person, conversation: str) -> None:
        """The same of one that was deleted."""
        payload = GoneConversationView(id=conversation).model_dump(by_alias=True)
        report = Report(ReportType.CONVERSATION_DELETED, self.clock(), payload)
        for audience in audiences_of_owner_field(person.id):
            await self.log.append(audience, report, f"{path_of(conversation)}#gone")
