"""One WebSocket: commands of a client, and the conversation that it watches."""

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
from heliostat_api.chat.desk import Desk
from heliostat_api.chat.frames import (
    COMMAND,
    Accepted,
    Command,
    Continue,
    Refused,
    Say,
    Stop,
    Watch,
)
from heliostat_api.chat.journal import audience_of, change_in
from heliostat_api.chat.keeping import Keeping
from heliostat_api.chat.reading import Reading
from heliostat_api.chat.saying import Saying
from heliostat_api.documents.port import StoreError
from heliostat_api.events.log import EventLog
from heliostat_api.events.revocations import StreamLease
from heliostat_api.web.problems import (
    ProblemError,
    as_problem,
    malformed,
    problem_of,
)

MOST_SOCKETS: Final = 20
"""Of one person at one replica."""
LONGEST_FRAME: Final = 262_144
WAIT_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = 1.0
_POLICY_VIOLATION: Final = 1008
_OVER: Final = "The session ended or its rights changed: come again."
Limit = Callable[[], Awaitable[None]]


class _LeftError(Exception):
    """The client left, or does not speak our protocol."""


class _OverError(Exception):
    """The session ended, or what it may do has changed."""


@dataclass(frozen=True)
class Chat:
    """What every socket of a replica needs."""

    reading: Reading
    saying: Saying
    keeping: Keeping
    desk: Desk
    log: EventLog
    _sockets: dict[str, int] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, *, is_alone: bool) -> AsyncIterator[None]:
        """As long as the block runs; what is written then ends as interrupted.

        `is_alone`: no other replica writes answers, so those that are open have no writer.
        """
        mending = self.reading.mending
        if is_alone:
            with suppress(StoreError):
                await mending.mend_all(is_alone=True)
        try:
            yield
        finally:
            await self.desk.close()

    async def serve(
        self, socket: WebSocket, person: Person, lease: StreamLease, limit: Limit
    ) -> None:
        """Until the client leaves or the tenure is over. `limit` raises a problem when the person
        asks too often. Raises problems before the socket is accepted."""
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
            self.desk.warm()
            await Session(self, socket, person, limit).run(lease)
        finally:
            self._sockets[person.id] -= 1
            if not self._sockets[person.id]:
                del self._sockets[person.id]


class Session:
    """Of one client."""

    def __init__(self, chat: Chat, socket: WebSocket, person: Person, limit: Limit) -> None:
        self._chat = chat
        self._socket = socket
        self._person = person
        self._limit = limit
        self._tasks = asyncio.TaskGroup()
        self._watching: asyncio.Task[None] | None = None

    async def run(self, lease: StreamLease) -> None:
        """Until the client leaves, or is told to come again. What nobody expected is raised, in a
        group: the server logs it and ends the connection, and the client comes again."""
        try:
            async with self._tasks:
                self._tasks.create_task(self._hear_all())
                self._tasks.create_task(self._end_with(lease))
        except* _LeftError:
            pass  # what goes on in the background goes on
        except* _OverError:
            await self._socket.close(_POLICY_VIOLATION, _OVER)

    async def _end_with(self, lease: StreamLease) -> None:
        await lease.until_over(self._chat.log)
        raise _OverError

    async def _hear_all(self) -> None:
        while True:
            await self._hear(await self._receive())

    async def _hear(self, text: str) -> None:
        if len(text) > LONGEST_FRAME:
            return await self._send(Refused(id=None, problem=problem_of(too_large())))
        try:
            command = COMMAND.validate_json(text)
        except ValidationError as error:
            return await self._send(Refused(id=None, problem=problem_of(malformed(error.errors()))))
        id_ = command.id if isinstance(command, Say) else None
        try:
            await self._limit()
            await self._obey(command)
        except (ProblemError, StoreError) as error:
            await self._send(Refused(id=id_, problem=problem_of(as_problem(error))))

    async def _obey(self, command: Command) -> None:
        chat, person = self._chat, self._person
        match command:
            case Watch():
                await self._watch(command)
            case Say():
                digest = hashlib.sha256(command.model_dump_json().encode()).hexdigest()
                conversation, begun = await chat.saying.say(person, command, digest)
                if begun is not None:
                    chat.desk.begin(begun)
                await self._send(Accepted(id=command.id, conversation=conversation))
            case Stop():
                await chat.keeping.stop(person, command.conversation)
            case Continue():
                begun = await chat.saying.go_on(person, command.conversation, command.message)
                if begun is not None:
                    chat.desk.begin(begun)

    async def _watch(self, command: Watch) -> None:
        await self._watch_no_more()
        await self._chat.reading.get(self._person, command.conversation)
        follow = self._follow(command.conversation, command.cursor)
        self._watching = self._tasks.create_task(follow)

    async def _watch_no_more(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None

    async def _follow(self, conversation: str, cursor: int | None) -> None:
        """The conversation from the cursor on, until it is gone or the client leaves. A store that
        is away ends nothing: it goes on where it was."""
        while True:
            try:
                cursor = await self._tell(conversation, cursor)
            except StoreError:
                await asyncio.sleep(_RETRY_SECONDS)
            except ProblemError as gone:
                return await self._send(Refused(id=None, problem=problem_of(gone)))

    async def _tell(self, conversation: str, cursor: int | None) -> int | None:
        """What there is now, or a wait for more; the cursor after it."""
        if cursor is None:
            snapshot = await self._chat.reading.snapshot(self._person, conversation)
            await self._send(snapshot)
            return snapshot.cursor
        found = await self._chat.log.read([audience_of(conversation)], cursor)
        if found.has_gap:
            return None
        for each in found.reports:
            change = {**change_in(each.report), "cursor": each.id}
            await self._send_text(json.dumps(change, ensure_ascii=False))
        if not found.reports:
            await self._wait(conversation, found.end)
        return found.end

    async def _wait(self, conversation: str, cursor: int) -> None:
        """For news. After a long silence: is who writes still there?"""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._chat.log.wait([audience_of(conversation)], cursor, WAIT_SECONDS)
        if loop.time() - began >= WAIT_SECONDS:
            await self._chat.reading.get(self._person, conversation)

    async def _send(self, frame: View) -> None:
        await self._send_text(frame.model_dump_json(by_alias=True))

    async def _send_text(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:  # RuntimeError: it is closed already
            raise _LeftError from error

    async def _receive(self) -> str:
        try:
            return await self._socket.receive_text()
        except (WebSocketDisconnect, RuntimeError, KeyError) as error:  # KeyError: bytes, no text
            raise _LeftError from error


def too_large() -> ProblemError:
    """Of a frame."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return ProblemError(
        status,
        bilingual(
            en=f"A frame has at most {LONGEST_FRAME} characters: say less at once.",
            ko=f"한 번에 {LONGEST_FRAME}자까지 보낼 수 있습니다. 나누어 보내세요.",
        ),
    )
