"""Answers that nobody writes any more are marked, so that their person can go on.

What their last writer still told the log is kept. Nothing is asked again. A lease tells of other
replicas: one that slept with its machine finds its own run out, and its answers go on.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from heliostat_api.base.person import Person
from heliostat_api.chat.journal import fields_of, folded, whole
from heliostat_api.chat.shelf import COLLECTION, Shelf, changed, later_than
from heliostat_api.chat.statuses import language_of, status
from heliostat_api.chat.views import StatusCode
from heliostat_api.chat.writing import fields_of_message
from heliostat_api.documents.port import ConflictError, Document, Put, Query, StoreError
from heliostat_api.documents.reading import text_in
from heliostat_api.records.conversations import (
    ConversationRecord,
    ConversationState,
    MessageRecord,
    MessageState,
    read_conversation,
    read_message,
)

SECONDS: Final = 20.0
_PAGE: Final = 100
_LAST_WORDS: Final = 2
"""Messages that one change makes: what was said, and its answer."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mending:
    """Any replica may do it at any time."""

    shelf: Shelf
    is_ours: Callable[[str], bool] = lambda _: False
    """Whether this replica writes that answer."""

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(SECONDS)
            try:
                await self.mend_all()
            except StoreError as error:
                _LOG.warning("interrupted answers are looked for later: %s", error)

    async def own(self, person: Person, conversation: str) -> Document:
        """A conversation of theirs as it is, mended. Raises NotFoundProblem."""
        document = await self.shelf.own(person, conversation)
        if await self.mend(document):
            return await self.shelf.own(person, conversation)
        return document

    async def mend_all(self, *, is_alone: bool = False) -> None:
        """Whatever is answered. `is_alone`: nobody else does, and we have not begun."""
        untold = Query(COLLECTION, None, {"untold": True}, limit=_PAGE)
        for document in (await self.shelf.documents.query(untold)).documents:
            await self._tell(document, is_alone=is_alone)
        answering = Query(
            COLLECTION, None, {"state": ConversationState.ANSWERING.value}, limit=_PAGE
        )
        for document in (await self.shelf.documents.query(answering)).documents:
            await self.mend(document, is_alone=is_alone)

    async def mend(self, document: Document, *, is_alone: bool = False) -> bool:
        """One conversation, if its answer has no writer any more; whether it was looked at so
        closely that it may have changed."""
        conversation = read_conversation(document)
        if conversation.deleting:
            await self.bury(conversation, is_alone=is_alone)
            return True
        is_answering = conversation.state is ConversationState.ANSWERING
        if not is_answering or self.is_ours(conversation.answer):
            return False
        found = await self.shelf.message(conversation.id, conversation.answer)
        message = read_message(found) if found else None
        if found is None or message is None or message.state is not MessageState.WRITING:
            await self._commit(document, settled(conversation, message))
        elif is_alone or not self._is_leased(message):
            await self._end(document, conversation, found, message)
        return True

    async def bury(self, conversation: ConversationRecord, *, is_alone: bool = False) -> None:
        """What is being deleted: at once, or by whoever writes in it, who is told to stop."""
        await self.shelf.tell_gone(conversation)
        if await self._is_written(conversation, is_alone=is_alone):
            await self.shelf.wish_stop(conversation.id, conversation.answer)
        else:
            await self.shelf.bury(conversation.id)

    async def _is_written(self, conversation: ConversationRecord, *, is_alone: bool) -> bool:
        if not conversation.answer or is_alone:
            return False
        found = await self.shelf.message(conversation.id, conversation.answer)
        if found is None or (message := read_message(found)).state is not MessageState.WRITING:
            return False
        return self.is_ours(conversation.answer) or self._is_leased(message)

    async def _tell(self, document: Document, *, is_alone: bool) -> None:
        """Whoever changed it may have died before anybody heard of it, or before it was gone."""
        record = read_conversation(document)
        if record.deleting:
            await self.bury(record, is_alone=is_alone)
            return
        for each in await self.shelf.latest(record.id, _LAST_WORDS):
            await self.shelf.say(record.id, whole(each))
        await self.shelf.tell(record)
        told = {**document.fields, **replace(record, untold=False).fields()}
        with suppress(ConflictError):
            await self.shelf.documents.commit(Put(document.path, told, document.version))

    def _is_leased(self, message: MessageRecord) -> bool:
        return message.lease_until is not None and self.shelf.clock() < message.lease_until

    async def _end(
        self,
        document: Document,
        conversation: ConversationRecord,
        found: Document,
        message: MessageRecord,
    ) -> None:
        heard = await self.shelf.heard(conversation.id, message.cursor)
        ended = given_up(folded(message, heard[0] if heard else ()))
        put = Put(found.path, fields_of_message(ended, found.fields), found.version)
        if await self._commit(document, settled(conversation, ended), put):
            await self.shelf.say(conversation.id, whole(ended))

    async def _commit(self, document: Document, after: ConversationRecord, *more: Put) -> bool:
        after = replace(after, changed_at=later_than(after, self.shelf.clock()))
        try:
            await self.shelf.documents.commit(changed(document, after), *more)
        except ConflictError:
            return False  # somebody else sees to it
        await self.shelf.tell(after)
        return True


def given_up(message: MessageRecord) -> MessageRecord:
    """After its writer went: interrupted, unless its last word was said. A new epoch begins, so
    that nothing counts that the old writer may still say."""
    ended = replace(message, epoch=message.epoch + 1, seq=1, lease_until=None)
    if message.state is not MessageState.WRITING:
        return ended
    language = language_of(text_in(message.context, "language"))
    part = fields_of(status(StatusCode.INTERRUPTED, language))
    return replace(ended, state=MessageState.INTERRUPTED, parts=(*message.parts, part))


def settled(conversation: ConversationRecord, message: MessageRecord | None) -> ConversationRecord:
    """The conversation once its answer is as it is."""
    is_interrupted = message is not None and message.state is MessageState.INTERRUPTED
    if is_interrupted:
        return replace(conversation, state=ConversationState.INTERRUPTED)
    return replace(conversation, state=ConversationState.IDLE, answer="")
