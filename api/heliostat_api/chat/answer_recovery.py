"""Marks answers whose writer is gone as interrupted, so that their person can continue them.

What the last writer published is kept. No model call is repeated. A lease tells whether another
replica still writes; a replica that slept with its machine finds its own lease run out, and its
answers continue.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from heliostat_api.base.person import Person
from heliostat_api.chat.answer_writer import build_status, fields_of_message, language_of
from heliostat_api.chat.conversation_repository import (
    COLLECTION,
    ConversationRepository,
    next_change_time,
    put_conversation,
    settle_conversation,
)
from heliostat_api.chat.message_events import apply_events, fields_of, whole_message
from heliostat_api.chat.schemas import StatusCode
from heliostat_api.documents.port import ConflictError, Document, Put, Query, StoreError
from heliostat_api.documents.values import text_in
from heliostat_api.records.conversations import (
    ConversationRecord,
    ConversationState,
    MessageRecord,
    MessageState,
    read_conversation,
    read_message,
)
from heliostat_api.web.background import repeat

SECONDS: Final = 20.0
_PAGE: Final = 100
_NEWEST: Final = 2
"""Messages that one change adds: what the person said, and its answer."""


@dataclass(frozen=True)
class AnswerRecovery:
    """Recovers conversations; any replica may do it at any time."""

    repository: ConversationRepository
    is_ours: Callable[[str], bool] = lambda _: False
    """Whether this replica writes that answer."""

    async def run(self) -> None:
        """Recovers all conversations every 20 seconds, until it is cancelled."""
        await asyncio.sleep(SECONDS)
        later = "interrupted answers are looked for later"
        await repeat(self.recover_all, SECONDS, StoreError, later)

    async def get_owned(self, person: Person, conversation: str) -> Document:
        """Returns a conversation of the person, recovered. Raises NotFoundProblem."""
        document = await self.repository.get_owned(person, conversation)
        if await self.recover(document):
            return await self.repository.get_owned(person, conversation)
        return document

    async def recover_all(self, *, is_alone: bool = False) -> None:
        """Recovers every conversation that is being answered. `is_alone`: no other replica writes,
        and this one has not begun."""
        unpublished = Query(COLLECTION, None, {"untold": True}, limit=_PAGE)
        for document in (await self.repository.documents.query(unpublished)).documents:
            await self._publish(document, is_alone=is_alone)
        answering = Query(
            COLLECTION, None, {"state": ConversationState.ANSWERING.value}, limit=_PAGE
        )
        for document in (await self.repository.documents.query(answering)).documents:
            await self.recover(document, is_alone=is_alone)

    async def recover(self, document: Document, *, is_alone: bool = False) -> bool:
        """Recovers one conversation if its answer has no writer any more; returns whether it may
        have changed, so that it must be read again."""
        conversation = read_conversation(document)
        if conversation.deleting:
            await self.purge(conversation, is_alone=is_alone)
            return True
        is_answering = conversation.state is ConversationState.ANSWERING
        if not is_answering or self.is_ours(conversation.answer):
            return False
        found = await self.repository.get_message(conversation.id, conversation.answer)
        message = read_message(found) if found else None
        if found is None or message is None or message.state is not MessageState.WRITING:
            await self._commit(document, settle_conversation(conversation, message))
        elif is_alone or not self._is_leased(message):
            await self._end(document, conversation, found, message)
        return True

    async def purge(self, conversation: ConversationRecord, *, is_alone: bool = False) -> None:
        """Removes a conversation that is being deleted: at once, or else its writer is asked to
        stop and removes it."""
        await self.repository.publish_deletion(conversation)
        if await self._is_written(conversation, is_alone=is_alone):
            await self.repository.request_stop(conversation.id, conversation.answer)
        else:
            await self.repository.purge(conversation.id)

    async def _is_written(self, conversation: ConversationRecord, *, is_alone: bool) -> bool:
        if not conversation.answer or is_alone:
            return False
        found = await self.repository.get_message(conversation.id, conversation.answer)
        if found is None or (message := read_message(found)).state is not MessageState.WRITING:
            return False
        return self.is_ours(conversation.answer) or self._is_leased(message)

    async def _publish(self, document: Document, *, is_alone: bool) -> None:
        """Publishes a change whose replica may have died before it could, or before it removed
        what it deleted."""
        record = read_conversation(document)
        if record.deleting:
            await self.purge(record, is_alone=is_alone)
            return
        for each in await self.repository.latest_messages(record.id, _NEWEST):
            await self.repository.publish(record.id, whole_message(each))
        await self.repository.publish_change(record)
        published = {**document.fields, **replace(record, untold=False).fields()}
        with suppress(ConflictError):
            await self.repository.documents.commit(Put(document.path, published, document.version))

    def _is_leased(self, message: MessageRecord) -> bool:
        return message.lease_until is not None and self.repository.clock() < message.lease_until

    async def _end(
        self,
        document: Document,
        conversation: ConversationRecord,
        found: Document,
        message: MessageRecord,
    ) -> None:
        events = await self.repository.events_after(conversation.id, message.cursor)
        ended = close_abandoned(apply_events(message, events[0] if events else ()))
        put = Put(found.path, fields_of_message(ended, found.fields), found.version)
        if await self._commit(document, settle_conversation(conversation, ended), put):
            await self.repository.publish(conversation.id, whole_message(ended))

    async def _commit(self, document: Document, after: ConversationRecord, *more: Put) -> bool:
        after = replace(after, changed_at=next_change_time(after, self.repository.clock()))
        try:
            await self.repository.documents.commit(put_conversation(document, after), *more)
        except ConflictError:
            return False  # another replica recovers it
        await self.repository.publish_change(after)
        return True


def close_abandoned(message: MessageRecord) -> MessageRecord:
    """The message ends without its writer: as interrupted, unless its end was published. A new
    epoch begins, so that nothing counts that the old writer may still publish."""
    ended = replace(message, epoch=message.epoch + 1, seq=1, lease_until=None)
    if message.state is not MessageState.WRITING:
        return ended
    language = language_of(text_in(message.context, "language"))
    part = fields_of(build_status(StatusCode.INTERRUPTED, language))
    return replace(ended, state=MessageState.INTERRUPTED, parts=(*message.parts, part))
