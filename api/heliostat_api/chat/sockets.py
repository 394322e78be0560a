"""Serves a WebSocket: the commands of a client, and the conversation that it watches."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import View
from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.answer_runner import AnswerRunner
from heliostat_api.chat.message_events import change_in, conversation_topic
from heliostat_api.chat.schemas import (
    COMMAND,
    Command,
    Continue,
    Refused,
    Say,
    SayAccepted,
    Stop,
    Watch,
)
from heliostat_api.chat.service import ConversationCommands, ConversationReader
from heliostat_api.chat.start_answer import StartAnswer
from heliostat_api.documents.port import StoreError
from heliostat_api.events.log import EventLog
from heliostat_api.events.revocations import StreamLease
from heliostat_api.web.background import end_task
from heliostat_api.web.problems import (
    ProblemError,
    as_problem,
    malformed,
    problem_of,
)

MOST_SOCKETS: Final = 20
"""One person has at most that many at one replica."""
LONGEST_FRAME: Final = 262_144
WAIT_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = 1.0
_POLICY_VIOLATION: Final = 1008
_CLOSED: Final = (WebSocketDisconnect, RuntimeError)  # RuntimeError: it is closed already
_OVER: Final = "The session ended or its rights changed: come again."
RateLimit = Callable[[], Awaitable[None]]


class _LeftError(Exception):
    """The client left, or does not follow the protocol."""


class _OverError(Exception):
    """The session ended, or what it may do has changed."""


@dataclass(frozen=True)
class Chat:
    """The services behind every socket of a replica."""

    reader: ConversationReader
    commands: ConversationCommands
    start_answer: StartAnswer
    recovery: AnswerRecovery
    runner: AnswerRunner
    log: EventLog
    _sockets: dict[str, int] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, *, is_alone: bool) -> AsyncIterator[None]:
        """Serves as long as the block runs; answers that are written then end as interrupted.

        `is_alone`: no other replica writes answers, so those that are open have no writer.
        """
        if is_alone:
            with suppress(StoreError):
                await self.recovery.recover_all(is_alone=True)
        try:
            yield
        finally:
            await self.runner.close()

    async def serve(
        self, socket: WebSocket, person: Person, lease: StreamLease, limit: RateLimit
    ) -> None:
        """Serves one socket until the client leaves or the lease is over. `limit` raises a problem
        when the person asks too often. Raises problems before the socket is accepted."""
        if self._sockets.get(person.id, 0) >= MOST_SOCKETS:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                bilingual(
                    en=f"At most {MOST_SOCKETS} sockets: close another tab.",
                    ko=f"연결은 {MOST_SOCKETS}개까지입니다. 다른 탭을 닫으세요.",
                ),
            )
        self._sockets[person.id] = self._sockets.get(person.id, 0) + 1
        try:
            await socket.accept()
            self.runner.warm()
            await ChatSession(self, socket, person, lease, limit).run()
        finally:
            self._sockets[person.id] -= 1
            if not self._sockets[person.id]:
                del self._sockets[person.id]


class ChatSession:
    """Serves one client."""

    def __init__(
        self,
        chat: Chat,
        socket: WebSocket,
        person: Person,
        lease: StreamLease,
        limit: RateLimit,
    ) -> None:
        self._chat = chat
        self._socket = socket
        self._person = person
        self._lease = lease
        self._limit = limit
        self._tasks = asyncio.TaskGroup()
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Runs until the client leaves, or has to connect again. An unexpected error is raised, in
        a group: the server logs it and ends the connection, and the client connects again."""
        try:
            async with self._tasks:
                self._tasks.create_task(self._handle_all())
                self._tasks.create_task(self._end_with_lease())
        except* _LeftError:
            pass  # what goes on in the background goes on
        except* _OverError:
            with suppress(*_CLOSED):  # the client left meanwhile
                await self._socket.close(_POLICY_VIOLATION, _OVER)

    async def _end_with_lease(self) -> None:
        await self._lease.until_over(self._chat.log)
        raise _OverError

    async def _check_lease(self) -> None:
        """Asks anew whose connection this is, before something is made: the word that a session
        ended may be late, or lost."""
        if not await self._lease.holds(is_told=True):
            raise _OverError

    async def _handle_all(self) -> None:
        while True:
            await self._handle(await self._receive())

    async def _handle(self, text: str) -> None:
        if len(text) > LONGEST_FRAME:
            return await self._send(Refused(id=None, problem=problem_of(too_large())))
        try:
            command = COMMAND.validate_json(text)
        except ValidationError as error:
            return await self._send(Refused(id=None, problem=problem_of(malformed(error.errors()))))
        id_ = command.id if isinstance(command, Say) else None
        try:
            await self._limit()
            if not isinstance(command, Watch):
                await self._check_lease()
            await self._execute(command)
        except (ProblemError, StoreError) as error:
            await self._send(Refused(id=id_, problem=problem_of(as_problem(error))))

    async def _execute(self, command: Command) -> None:
        chat, person = self._chat, self._person
        match command:
            case Watch():
                await self._watch(command)
            case Say():
                digest = hashlib.sha256(command.model_dump_json().encode()).hexdigest()
                conversation, started = await chat.start_answer.start(person, command, digest)
                if started is not None:
                    chat.runner.start(started)
                await self._send(SayAccepted(id=command.id, conversation=conversation))
            case Stop():
                await chat.commands.stop(person, command.conversation)
            case Continue():
                started = await chat.start_answer.resume(
                    person, command.conversation, command.message
                )
                if started is not None:
                    chat.runner.start(started)

    async def _watch(self, command: Watch) -> None:
        await self._stop_watching()
        await self._chat.reader.get(self._person, command.conversation)
        follow = self._follow(command.conversation, command.cursor)
        self._watching = self._tasks.create_task(follow)

    async def _stop_watching(self) -> None:
        if self._watching is not None:
            await end_task(self._watching)
            self._watching = None

    async def _follow(self, conversation: str, cursor: int | None) -> None:
        """Sends the conversation from the cursor on, until it is gone or the client leaves. When
        the store is away it tries again from where it was."""
        while True:
            try:
                cursor = await self._send_changes(conversation, cursor)
            except StoreError:
                await asyncio.sleep(_RETRY_SECONDS)
            except ProblemError as gone:
                return await self._send(Refused(id=None, problem=problem_of(gone)))

    async def _send_changes(self, conversation: str, cursor: int | None) -> int | None:
        """Sends what there is now, or waits for more; returns the cursor after it."""
        if cursor is None:
            snapshot = await self._chat.reader.snapshot(self._person, conversation)
            await self._send(snapshot)
            return snapshot.cursor
        found = await self._chat.log.read([conversation_topic(conversation)], cursor)
        if found.has_gap:
            return None
        for each in found.reports:
            change = {**change_in(each.report), "cursor": each.id}
            await self._send_text(json.dumps(change, ensure_ascii=False))
        if not found.reports:
            await self._wait(conversation, found.end)
        return found.end

    async def _wait(self, conversation: str, cursor: int) -> None:
        """Waits for events. After a long silence it checks that the answer still has a writer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._chat.log.wait([conversation_topic(conversation)], cursor, WAIT_SECONDS)
        if loop.time() - began >= WAIT_SECONDS:
            await self._chat.reader.get(self._person, conversation)

    async def _send(self, frame: View) -> None:
        await self._send_text(frame.model_dump_json(by_alias=True))

    async def _send_text(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except _CLOSED as error:
            raise _LeftError from error

    async def _receive(self) -> str:
        try:
            return await self._socket.receive_text()
        except (*_CLOSED, KeyError) as error:  # KeyError: bytes, no text
            raise _LeftError from error


def too_large() -> ProblemError:
    """The problem says that a frame is too large."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return ProblemError(
        status,
        bilingual(
            en=f"A frame has at most {LONGEST_FRAME} characters: say less at once.",
            ko=f"한 번에 {LONGEST_FRAME}자까지 보낼 수 있습니다. 나누어 보내세요.",
        ),
    )
