"""Conversations as a person reads them: lists, pages, and the snapshot of a socket."""

from collections.abc import Sequence
from dataclasses import dataclass

from heliostat_api.base.person import Person
from heliostat_api.base.views import ConversationView
from heliostat_api.chat.frames import MessageFrame, Snapshot
from heliostat_api.chat.journal import (
    Entry,
    applied,
    folded,
    view_conversation,
    view_message,
)
from heliostat_api.chat.mending import Mending
from heliostat_api.chat.shelf import COLLECTION, Shelf, path_of
from heliostat_api.chat.views import ConversationPage, MessagePage
from heliostat_api.documents.port import Query
from heliostat_api.records.conversations import (
    MessageRecord,
    MessageState,
    Role,
    read_conversation,
    read_message,
)


@dataclass(frozen=True)
class Reading:
    """What one person may see of them. An answer that nobody writes any more is marked first."""

    shelf: Shelf
    mending: Mending

    async def page(self, person: Person, cursor: str | None, limit: int) -> ConversationPage:
        """Raises CursorError."""
        query = Query(COLLECTION, person.id, limit=limit, after=cursor)
        page = await self.shelf.documents.query(query)
        found = map(read_conversation, page.documents)
        views = tuple(view_conversation(each) for each in found if not each.deleting)
        return ConversationPage(items=views, next=page.next)

    async def get(self, person: Person, conversation: str) -> ConversationView:
        """Raises NotFoundProblem."""
        return view_conversation(read_conversation(await self.mending.own(person, conversation)))

    async def messages(
        self, person: Person, conversation: str, cursor: str | None, limit: int
    ) -> MessagePage:
        """Raises NotFoundProblem, CursorError."""
        await self.get(person, conversation)
        query = Query(
            f"{path_of(conversation)}/messages",
            None,
            order="timestamp",
            limit=limit,
            after=cursor,
        )
        page = await self.shelf.documents.query(query)
        found = [read_message(each) for each in reversed(page.documents)]
        entries = await self._heard_since(conversation, found)
        items = tuple(view_message(folded(each, entries)) for each in found)
        return MessagePage(items=items, next=page.next)

    async def _heard_since(
        self, conversation: str, messages: Sequence[MessageRecord]
    ) -> Sequence[Entry]:
        """What the log has beyond those documents, of answers that are still written."""
        open_ = [each.cursor for each in messages if each.state is MessageState.WRITING]
        heard = await self.shelf.heard(conversation, min(open_)) if open_ else None
        return heard[0] if heard else ()

    async def snapshot(self, person: Person, conversation: str) -> Snapshot:
        """Raises NotFoundProblem.

        Documents first, then the log from where they were written: writers do it the other way
        round, so everything up to `cursor` is in it, and nothing that follows.
        """
        cursor = await self.shelf.log.end()
        view = await self.get(person, conversation)
        messages = await self.shelf.latest(conversation)
        open_ = [each.cursor for each in messages if each.state is MessageState.WRITING]
        heard = await self.shelf.heard(conversation, min([cursor, *open_]))
        entries, cursor = heard if heard else ([], cursor)
        return Snapshot(
            cursor=cursor,
            conversation=view,
            messages=tuple(map(view_message, brought_up(messages, entries))),
        )


def brought_up(
    messages: Sequence[MessageRecord], entries: Sequence[Entry]
) -> tuple[MessageRecord, ...]:
    """The messages after what was said since they were read, new ones included."""
    known = {each.id: each for each in messages}
    for entry in entries:
        if entry.message in known:
            known[entry.message] = applied(known[entry.message], entry)
        elif isinstance(entry.change, MessageFrame):
            known[entry.message] = newcomer(entry, entry.change)
    return tuple(known.values())


def newcomer(entry: Entry, frame: MessageFrame) -> MessageRecord:
    """A message that only the log tells of yet."""
    view = frame.message
    blank = MessageRecord(view.id, Role(view.role), timestamp=view.time, epoch=-1)
    return applied(blank, entry)
