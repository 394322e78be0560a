"""What begins an answer: something is said, or an interrupted answer is gone on with.

Who answers is decided in the store: one commit makes the answer's document, or takes it up again,
and says so in the conversation's. Whoever comes second finds it there.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from heliostat_api.agents.drafts import Drafts
from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.chat.frames import Say
from heliostat_api.chat.journal import fields_of, folded, whole
from heliostat_api.chat.mending import Mending
from heliostat_api.chat.shelf import (
    Shelf,
    changed,
    later_than,
    new_conversation_id,
    new_message_id,
    path_of,
)
from heliostat_api.chat.views import TextPart
from heliostat_api.chat.writing import LEASE, fields_of_message, message_path
from heliostat_api.documents.port import ConflictError, Document, Expected, Fields, Put
from heliostat_api.records.conversations import (
    ConversationRecord,
    ConversationState,
    MessageRecord,
    MessageState,
    Role,
    read_conversation,
    read_message,
)
from heliostat_api.web.idempotency import Idempotency, IdempotencyKey
from heliostat_api.web.problems import NotFoundProblem, ProblemError

_LONGEST_TITLE: Final = 80
_TRIES: Final = 40
_PAUSE_SECONDS: Final = 0.05
_AFTER: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Begun:
    """An answer that is ours to write."""

    person: Person
    conversation: str
    answer: str


@dataclass(frozen=True)
class Saying:
    """Begins answers."""

    shelf: Shelf
    mending: Mending
    idempotency: Idempotency
    drafts: Drafts

    async def say(self, person: Person, said: Say, digest: str) -> tuple[str, Begun | None]:
        """The conversation, and the answer unless this was said before. Raises problems."""
        asked = IdempotencyKey(f"say {said.id}", digest)
        while True:
            if made := await self.idempotency.before(person, asked):
                return made["conversation"], None
            if said.agent is not None:
                await self.drafts.read(person, said.agent)
            document = await self._free(person, said.conversation)
            try:
                return await self._begin(person, said, asked, document)
            except ConflictError:
                continue

    async def go_on(self, person: Person, conversation: str, message: str) -> Begun | None:
        """None when somebody goes on with it already. Raises problems."""
        while True:
            document = await self.mending.own(person, conversation)
            record = read_conversation(document)
            if record.answer == message and record.state is ConversationState.ANSWERING:
                return None
            found = await self.shelf.message(conversation, message)
            if found is None:
                raise NotFoundProblem("message")
            if record.answer != message or record.state is not ConversationState.INTERRUPTED:
                raise ProblemError(
                    HTTPStatus.CONFLICT,
                    bilingual(
                        en="Only the last answer can be continued, after an interruption: say "
                        "what you want instead.",
                        ko="중단된 마지막 답변만 이어서 쓸 수 있습니다. 대신 원하는 것을 말해 "
                        "주세요.",
                    ),
                )
            try:
                await self._take_up(document, record, found)
            except ConflictError:
                continue
            return Begun(person, conversation, message)

    async def _free(self, person: Person, conversation: str | None) -> Document | None:
        """The conversation when nobody answers in it; None for a new one. Raises problems."""
        if conversation is None:
            return None
        for _ in range(_TRIES):
            document = await self.mending.own(person, conversation)
            if read_conversation(document).state is not ConversationState.ANSWERING:
                return document
            if not await self._has_ended(read_conversation(document)):
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        raise ProblemError(
            HTTPStatus.CONFLICT,
            bilingual(
                en="It is still answering: wait for the end of the answer, or stop it.",
                ko="아직 답하는 중입니다. 끝날 때까지 기다리거나 멈추세요.",
            ),
        )

    async def _has_ended(self, conversation: ConversationRecord) -> bool:
        """Whether the last word was heard: the documents follow in a moment."""
        found = await self.shelf.message(conversation.id, conversation.answer)
        if found is None:
            return True
        message = read_message(found)
        heard = await self.shelf.heard(conversation.id, message.cursor)
        return folded(message, heard[0] if heard else ()).state is not MessageState.WRITING

    async def _begin(
        self, person: Person, said: Say, asked: IdempotencyKey, document: Document | None
    ) -> tuple[str, Begun | None]:
        now = self._now(document)
        record = (
            read_conversation(document)
            if document
            else ConversationRecord(
                new_conversation_id(), person.id, title=title_of(said.text), created_at=now
            )
        )
        context = context_of(said)
        words = MessageRecord(
            new_message_id(),
            parts=(fields_of(TextPart(text=said.text)),),
            timestamp=now,
            context=context,
        )
        answer = MessageRecord(
            new_message_id(),
            role=Role.ASSISTANT,
            timestamp=now + _AFTER,
            state=MessageState.WRITING,
            context=context,
            epoch=1,
            cursor=await self.shelf.log.end(),
            lease_until=now + LEASE,
        )
        record = replace(
            record,
            agent_id=said.agent or record.agent_id,
            changed_at=now,
            state=ConversationState.ANSWERING,
            answer=answer.id,
        )
        made = {"conversation": record.id, "answer": answer.id}
        put = (
            changed(document, record)
            if document
            else Put(path_of(record.id), replace(record, untold=True).fields(), Expected.ABSENT)
        )
        decided = await self.idempotency.once(
            person, asked, made, put, *(_new(record.id, each) for each in (words, answer))
        )
        if decided["answer"] != answer.id:
            return decided["conversation"], None
        await self._announce(record, words, answer)
        return record.id, Begun(person, record.id, answer.id)

    def _now(self, document: Document | None) -> datetime:
        """Later than all that was said in it, whatever another replica's clock said."""
        changed_at = read_conversation(document).changed_at if document else None
        now = self.shelf.clock()
        return max(now, changed_at + 2 * _AFTER) if changed_at else now

    async def _take_up(
        self, document: Document, record: ConversationRecord, found: Document
    ) -> None:
        message = read_message(found)
        taken = replace(
            message,
            state=MessageState.WRITING,
            epoch=message.epoch + 1,
            seq=1,
            cursor=await self.shelf.log.end(),
            lease_until=self.shelf.clock() + LEASE,
        )
        answering = replace(
            record,
            state=ConversationState.ANSWERING,
            changed_at=later_than(record, self.shelf.clock()),
        )
        await self.shelf.documents.commit(
            changed(document, answering),
            Put(found.path, fields_of_message(taken, found.fields), found.version),
        )
        await self._announce(answering, taken)

    async def _announce(self, record: ConversationRecord, *messages: MessageRecord) -> None:
        for each in messages:
            await self.shelf.say(record.id, whole(each))
        await self.shelf.tell(record)


def title_of(text: str) -> str:
    """The beginning of what was said first."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def context_of(said: Say) -> Fields:
    """What the person's side tells of itself."""
    return {"timeZone": said.time_zone, "language": said.language}


def _new(conversation: str, record: MessageRecord) -> Put:
    return Put(
        message_path(conversation, record.id), fields_of_message(record, {}), Expected.ABSENT
    )
