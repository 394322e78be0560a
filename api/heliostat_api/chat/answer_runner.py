"""Runs the answers that this replica writes: keeps their leases, stops and ends them."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from heliostat_api.chat.answer_attempt import AnswerAttempt, AnswerDependencies
from heliostat_api.chat.answer_writer import (
    LEASE,
    RENEWAL_SECONDS,
    AnswerWriter,
    LostError,
    build_status,
)
from heliostat_api.chat.conversation_repository import settle_conversation
from heliostat_api.chat.message_events import stop_topic
from heliostat_api.chat.schemas import StatusCode
from heliostat_api.chat.start_answer import StartedAnswer
from heliostat_api.documents.port import StoreError
from heliostat_api.records.conversations import (
    ConversationRecord,
    ConversationState,
    MessageState,
)

_WAIT_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = 0.5
_LOG = logging.getLogger(__name__)


@dataclass
class AnswerRunner:
    """Runs answers in the background, each in a task of its own."""

    dependencies: AnswerDependencies
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _warming: asyncio.Task[None] | None = None

    def start(self, started: StartedAnswer) -> None:
        """Begins to write an answer."""
        task = asyncio.create_task(self._run(started))
        self._tasks[started.answer] = task
        task.add_done_callback(lambda done: self._forget(started.answer, done))

    def is_writing(self, answer: str) -> bool:
        """Whether this replica writes that answer."""
        return answer in self._tasks

    def warm(self) -> None:
        """Loads what answers will need, which takes a moment, when a person opens the chat."""
        if self._warming is None:
            self._warming = asyncio.create_task(self.dependencies.model.warm())

    async def close(self) -> None:
        """Ends all answers as interrupted: another replica may continue them."""
        tasks = [*self._tasks.values(), *([self._warming] if self._warming else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.dependencies.model.close()

    def _forget(self, answer: str, done: asyncio.Task[None]) -> None:
        """Forgets this task, but not that of a later try at the same answer."""
        if self._tasks.get(answer) is done:
            del self._tasks[answer]

    async def _run(self, started: StartedAnswer) -> None:
        repository, conversation = self.dependencies.repository, started.conversation
        try:
            document = await repository.get_message(conversation, started.answer)
            if document is None:
                return
            writer = AnswerWriter(
                repository.documents, repository.log, repository.clock, conversation, document
            )
            with suppress(LostError):  # the replica that took it over does the rest
                await self._write(started, writer)
                await repository.update(
                    conversation, lambda each: after_answer(each, started, writer)
                )
            if await repository.is_deleted(conversation):
                await repository.purge(conversation)
        except StoreError as error:
            # The lease runs out, and then it counts as interrupted.
            _LOG.warning("answer %s could not be written: %s", started.answer, error)

    async def _write(self, started: StartedAnswer, writer: AnswerWriter) -> None:
        """Writes the answer until its end, a request to stop, or the end of this replica."""
        answer = AnswerAttempt(self.dependencies, started, writer)
        work = asyncio.create_task(answer.write())
        stop = asyncio.create_task(self._wait_for_stop(started, writer.record.cursor))
        lease = asyncio.create_task(_renew(writer))
        try:
            await asyncio.wait({work, stop, lease}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _cancel(work, stop, lease)
            await self._break_off(answer, writer, MessageState.INTERRUPTED)
            return
        if not work.done() and lease.done():
            await _cancel(work, stop)
            lease.result()
        is_stopped = not work.done()
        await _cancel(work, stop, lease)
        if is_stopped:
            await self._break_off(answer, writer, MessageState.STOPPED)
        else:
            await writer.end(*work.result())

    async def _break_off(
        self, answer: AnswerAttempt, writer: AnswerWriter, state: MessageState
    ) -> None:
        await answer.settle()
        is_stop = state is MessageState.STOPPED
        code = StatusCode.STOPPED if is_stop else StatusCode.INTERRUPTED
        await writer.end(state, build_status(code, answer.language))

    async def _wait_for_stop(self, started: StartedAnswer, cursor: int) -> None:
        """Waits until a replica requests that this answer stops."""
        log, topics = self.dependencies.repository.log, [stop_topic(started.conversation)]
        while True:
            try:
                found = await log.read(topics, cursor)
                if any(each.report.payload.get("stop") == started.answer for each in found.reports):
                    return
                cursor = await log.end() if found.has_gap else found.end
                await log.wait(topics, cursor, _WAIT_SECONDS)
            except StoreError:
                await asyncio.sleep(_RETRY_SECONDS)


def after_answer(
    record: ConversationRecord, started: StartedAnswer, writer: AnswerWriter
) -> ConversationRecord:
    """The conversation follows its answer, unless another one was started since."""
    if record.answer != started.answer or record.state is not ConversationState.ANSWERING:
        return record
    return settle_conversation(record, writer.record)


async def _renew(writer: AnswerWriter) -> None:
    """Renews the lease as long as it can. Raises LostError, and StoreError once it has run out."""
    loop = asyncio.get_running_loop()
    good_until = loop.time() + LEASE.total_seconds() - RENEWAL_SECONDS
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        began = loop.time()
        try:
            await writer.save()
            good_until = began + LEASE.total_seconds() - RENEWAL_SECONDS
        except StoreError:
            if loop.time() >= good_until:
                raise


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
