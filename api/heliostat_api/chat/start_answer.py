"""Starts an answer: to something that a person said, or to an interrupted answer.

The store decides who answers: one commit creates the answer's document, or takes it over, and
records that in the conversation's. A second replica finds it there.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.answer_writer import LEASE, fields_of_message, message_path
from heliostat_api.chat.conversation_repository import (
    ConversationRepository,
    new_conversation_id,
    new_message_id,
    next_change_time,
    path_of,
    put_conversation,
)
from heliostat_api.chat.message_events import apply_events, fields_of, whole_message
from heliostat_api.chat.schemas import Say, TextPart
from heliostat_api.chat.toolbox import ReadAgent
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
class StartedAnswer:
    """An answer that this replica has to write."""

    person: Person
    conversation: str
    answer: str


@dataclass(frozen=True)
class StartAnswer:
    """Starts answers, each in one replica only."""

    repository: ConversationRepository
    recovery: AnswerRecovery
    idempotency: Idempotency
    read_agent: ReadAgent

    async def start(
        self, person: Person, said: Say, digest: str
    ) -> tuple[str, StartedAnswer | None]:
        """Returns the conversation, and the answer unless the same was said before. Raises
        problems."""
        asked = IdempotencyKey(f"say {said.id}", digest)
        while True:
            if made := await self.idempotency.before(person, asked):
                return made["conversation"], None
            if said.agent is not None:
                await self.read_agent(person, said.agent)
            document = await self._idle_conversation(person, said.conversation)
            try:
                return await self._create(person, said, asked, document)
            except ConflictError:
                continue

    async def resume(self, person: Person, conversation: str, message: str) -> StartedAnswer | None:
        """Returns None when another replica continues it already. Raises problems."""
        while True:
            document = await self.recovery.get_owned(person, conversation)
            record = read_conversation(document)
            if record.answer == message and record.state is ConversationState.ANSWERING:
                return None
            found = await self.repository.get_message(conversation, message)
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
                await self._take_over(document, record, found)
            except ConflictError:
                continue
            return StartedAnswer(person, conversation, message)

    async def _idle_conversation(self, person: Person, conversation: str | None) -> Document | None:
        """Returns the conversation once no answer is written in it; None for a new one. Raises
        problems."""
        if conversation is None:
            return None
        for _ in range(_TRIES):
            document = await self.repository.get_owned(person, conversation)
            if not _is_answering(document):
                return document
            if await self.recovery.recover(document):
                document = await self.repository.get_owned(person, conversation)
            if not _is_answering(document):
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
        """Whether the end was published: the documents follow in a moment."""
        found = await self.repository.get_message(conversation.id, conversation.answer)
        if found is None:
            return True
        message = read_message(found)
        events = await self.repository.events_after(conversation.id, message.cursor)
        return apply_events(message, events[0] if events else ()).state is not MessageState.WRITING

    async def _create(
        self, person: Person, said: Say, asked: IdempotencyKey, document: Document | None
    ) -> tuple[str, StartedAnswer | None]:
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
            cursor=await self.repository.log.end(),
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
            put_conversation(document, record)
            if document
            else Put(path_of(record.id), replace(record, untold=True).fields(), Expected.ABSENT)
        )
        decided = await self.idempotency.once(
            person, asked, made, put, *(_new(record.id, each) for each in (words, answer))
        )
        if decided["answer"] != answer.id:
            return decided["conversation"], None
        await self._publish(record, words, answer)
        return record.id, StartedAnswer(person, record.id, answer.id)

    def _now(self, document: Document | None) -> datetime:
        """The time is later than every message in it, whatever another replica's clock said."""
        changed_at = read_conversation(document).changed_at if document else None
        now = self.repository.clock()
        return max(now, changed_at + 2 * _AFTER) if changed_at else now

    async def _take_over(
        self, document: Document, record: ConversationRecord, found: Document
    ) -> None:
        message = read_message(found)
        taken = replace(
            message,
            state=MessageState.WRITING,
            epoch=message.epoch + 1,
            seq=1,
            cursor=await self.repository.log.end(),
            lease_until=self.repository.clock() + LEASE,
        )
        answering = replace(
            record,
            state=ConversationState.ANSWERING,
            changed_at=next_change_time(record, self.repository.clock()),
        )
        await self.repository.documents.commit(
            put_conversation(document, answering),
            Put(found.path, fields_of_message(taken, found.fields), found.version),
        )
        await self._publish(answering, taken)

    async def _publish(self, record: ConversationRecord, *messages: MessageRecord) -> None:
        for each in messages:
            await self.repository.publish(record.id, whole_message(each))
        await self.repository.publish_change(record)


def _is_answering(document: Document) -> bool:
    return read_conversation(document).state is ConversationState.ANSWERING


def title_of(text: str) -> str:
    """A conversation is called by the beginning of its first message."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def context_of(said: Say) -> Fields:
    """The message keeps what the client says of itself."""
    return {"timeZone": said.time_zone, "language": said.language}


def _new(conversation: str, record: MessageRecord) -> Put:
    return Put(
        message_path(conversation, record.id), fields_of_message(record, {}), Expected.ABSENT
    )
