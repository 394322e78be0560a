"""The answers that this replica writes: begun, kept alive, stopped, and ended in good order."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from heliostat_api.chat.answering import Answer, Means
from heliostat_api.chat.journal import stop_audience_of
from heliostat_api.chat.mending import settled
from heliostat_api.chat.saying import Begun
from heliostat_api.chat.statuses import status
from heliostat_api.chat.views import StatusCode
from heliostat_api.chat.writing import LEASE, RENEWAL_SECONDS, LostError, Writer
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
class Desk:
    """Of one replica."""

    means: Means
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _warming: asyncio.Task[None] | None = None

    def begin(self, begun: Begun) -> None:
        """Writes an answer, in the background."""
        task = asyncio.create_task(self._write(begun))
        self._tasks[begun.answer] = task
        task.add_done_callback(lambda done: self._forget(begun.answer, done))

    def writes(self, answer: str) -> bool:
        """Whether it does."""
        return answer in self._tasks

    def warm(self) -> None:
        """Somebody opened the chat: what answers will need takes a moment to load."""
        if self._warming is None:
            self._warming = asyncio.create_task(self.means.model.warm())

    async def close(self) -> None:
        """Ends all of them as interrupted: another replica may go on."""
        tasks = [*self._tasks.values(), *([self._warming] if self._warming else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.means.model.close()

    def _forget(self, answer: str, done: asyncio.Task[None]) -> None:
        """Not a later try at the same answer."""
        if self._tasks.get(answer) is done:
            del self._tasks[answer]

    async def _write(self, begun: Begun) -> None:
        shelf = self.means.shelf
        try:
            document = await shelf.message(begun.conversation, begun.answer)
            if document is None:
                return
            writer = Writer(shelf.documents, shelf.log, shelf.clock, begun.conversation, document)
            with suppress(LostError):  # whoever took it over sees to the rest
                await self._keep_writing(begun, writer)
                await shelf.change(begun.conversation, lambda each: ended(each, begun, writer))
            if await shelf.is_going(begun.conversation):
                await shelf.bury(begun.conversation)
        except StoreError as error:
            # The lease runs out, and then it counts as interrupted.
            _LOG.warning("answer %s could not be written: %s", begun.answer, error)

    async def _keep_writing(self, begun: Begun, writer: Writer) -> None:
        """The answer, until its end, a wish to stop, or the end of this replica."""
        answer = Answer(self.means, begun, writer)
        work = asyncio.create_task(answer.write())
        stop = asyncio.create_task(self._stop_wished(begun, writer.record.cursor))
        kept = asyncio.create_task(_renew(writer))
        try:
            await asyncio.wait({work, stop, kept}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _cancelled(work, stop, kept)
            await self._break_off(answer, writer, MessageState.INTERRUPTED)
            return
        if not work.done() and kept.done():
            await _cancelled(work, stop)
            kept.result()
        is_stopped = not work.done()
        await _cancelled(work, stop, kept)
        if is_stopped:
            await self._break_off(answer, writer, MessageState.STOPPED)
        else:
            await writer.end(*work.result())

    async def _break_off(self, answer: Answer, writer: Writer, state: MessageState) -> None:
        await answer.settle()
        is_stop = state is MessageState.STOPPED
        code = StatusCode.STOPPED if is_stop else StatusCode.INTERRUPTED
        await writer.end(state, status(code, answer.language))

    async def _stop_wished(self, begun: Begun, cursor: int) -> None:
        """Until somebody wishes this answer to stop."""
        log, audiences = self.means.shelf.log, [stop_audience_of(begun.conversation)]
        while True:
            try:
                found = await log.read(audiences, cursor)
                if any(each.report.payload.get("stop") == begun.answer for each in found.reports):
                    return
                cursor = await log.end() if found.has_gap else found.end
                await log.wait(audiences, cursor, _WAIT_SECONDS)
            except StoreError:
                await asyncio.sleep(_RETRY_SECONDS)


def ended(record: ConversationRecord, begun: Begun, writer: Writer) -> ConversationRecord:
    """The conversation after its answer, unless another one was begun since."""
    if record.answer != begun.answer or record.state is not ConversationState.ANSWERING:
        return record
    return settled(record, writer.record)


async def _renew(writer: Writer) -> None:
    """The lease, as long as that works. Raises LostError, and StoreError once it has run out."""
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


async def _cancelled(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
