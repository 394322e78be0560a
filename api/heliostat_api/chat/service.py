"""What a person does with their conversations: list, read, rename, stop, delete."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from heliostat_api.base.person import Person
from heliostat_api.base.views import ConversationView
from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.conversation_repository import (
    COLLECTION,
    ConversationRepository,
    path_of,
    put_conversation,
)
from heliostat_api.chat.message_events import (
    MessageEvent,
    apply_event,
    apply_events,
    view_conversation,
    view_message,
)
from heliostat_api.chat.schemas import ConversationPage, MessageFrame, MessagePage, Snapshot
from heliostat_api.documents.port import ConflictError, Query
from heliostat_api.records.conversations import (
    ConversationState,
    MessageRecord,
    MessageState,
    Role,
    read_conversation,
    read_message,
)
from heliostat_api.web.problems import NotFoundProblem


@dataclass(frozen=True)
class ConversationReader:
    """Reads what one person may see. An answer without a writer is marked as such first."""

    repository: ConversationRepository
    recovery: AnswerRecovery

    async def page(self, person: Person, cursor: str | None, limit: int) -> ConversationPage:
        """Returns a page of the person's conversations. Raises CursorError."""
        query = Query(COLLECTION, person.id, limit=limit, after=cursor)
        page = await self.repository.documents.query(query)
        found = map(read_conversation, page.documents)
        views = tuple(view_conversation(each) for each in found if not each.deleting)
        return ConversationPage(items=views, next=page.next)

    async def get(self, person: Person, conversation: str) -> ConversationView:
        """Returns one conversation. Raises NotFoundProblem."""
        return view_conversation(
            read_conversation(await self.recovery.get_owned(person, conversation))
        )

    async def messages(
        self, person: Person, conversation: str, cursor: str | None, limit: int
    ) -> MessagePage:
        """Returns a page of messages. Raises NotFoundProblem, CursorError."""
        await self.get(person, conversation)
        query = Query(
            f"{path_of(conversation)}/messages",
            None,
            order="timestamp",
            limit=limit,
            after=cursor,
        )
        page = await self.repository.documents.query(query)
        found = [read_message(each) for each in reversed(page.documents)]
        events = await self._events_since(conversation, found)
        items = tuple(view_message(apply_events(each, events)) for each in found)
        return MessagePage(items=items, next=page.next)

    async def _events_since(
        self, conversation: str, messages: Sequence[MessageRecord]
    ) -> Sequence[MessageEvent]:
        """Returns what the log has beyond those documents, of answers that are still written."""
        open_ = [each.cursor for each in messages if each.state is MessageState.WRITING]
        found = await self.repository.events_after(conversation, min(open_)) if open_ else None
        return found[0] if found else ()

    async def snapshot(self, person: Person, conversation: str) -> Snapshot:
        """Returns the conversation as it is now. Raises NotFoundProblem.

        Documents are read first, then the log from where they were written. Writers do it the
        other way round, so everything up to `cursor` is in it, and nothing that follows.
        """
        cursor = await self.repository.log.end()
        view = await self.get(person, conversation)
        messages = await self.repository.latest_messages(conversation)
        open_ = [each.cursor for each in messages if each.state is MessageState.WRITING]
        found = await self.repository.events_after(conversation, min([cursor, *open_]))
        events, cursor = found if found else ([], cursor)
        return Snapshot(
            cursor=cursor,
            conversation=view,
            messages=tuple(map(view_message, caught_up(messages, events))),
        )


@dataclass(frozen=True)
class ConversationCommands:
    """Changes a conversation as a whole. Raises NotFoundProblem for one of another person."""

    repository: ConversationRepository
    recovery: AnswerRecovery

    async def rename(self, person: Person, conversation: str, title: str) -> ConversationView:
        """Gives the conversation another title."""
        await self.repository.get_owned(person, conversation)
        renamed = await self.repository.update(
            conversation, lambda each: replace(each, title=title)
        )
        if renamed is None:
            raise NotFoundProblem("conversation")
        return view_conversation(renamed)

    async def stop(self, person: Person, conversation: str) -> None:
        """Ends the answer at once, whichever replica writes it; does nothing without an answer."""
        document = await self.repository.get_owned(person, conversation)
        record = read_conversation(document)
        if record.state is ConversationState.ANSWERING:
            await self.repository.request_stop(conversation, record.answer)
            await self.recovery.recover(document)

    async def delete(self, person: Person, conversation: str) -> None:
        """Deletes a conversation with its messages, as soon as no answer is written in it. Its
        agent stays. Everyone loses sight of it with the first write."""
        while True:
            document = await self.repository.get_owned(person, conversation)
            deleted = replace(read_conversation(document), deleting=True)
            try:
                await self.repository.documents.commit(put_conversation(document, deleted))
            except ConflictError:
                continue
            return await self.recovery.purge(deleted)


def caught_up(
    messages: Sequence[MessageRecord], events: Sequence[MessageEvent]
) -> tuple[MessageRecord, ...]:
    """The messages include all events since they were read, and messages that are new."""
    known = {each.id: each for each in messages}
    for event in events:
        if event.message in known:
            known[event.message] = apply_event(known[event.message], event)
        elif isinstance(event.change, MessageFrame):
            known[event.message] = new_message(event, event.change)
    return tuple(known.values())


def new_message(event: MessageEvent, frame: MessageFrame) -> MessageRecord:
    """The message is in the log only: its document is not there yet."""
    view = frame.message
    blank = MessageRecord(view.id, Role(view.role), timestamp=view.time, epoch=-1)
    return apply_event(blank, event)
