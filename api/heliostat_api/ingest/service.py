"""Ingest: what a run delivers goes to the screens and into the store, each event once.

Screens hear first. A crash in between is mended by the runner, which sends the same lines again:
the log knows their reports by key, and the store takes them then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol
from weakref import WeakValueDictionary

from heliostat_api.base.texts import plain
from heliostat_api.documents.files import WorkFile
from heliostat_api.documents.lines import read_lines
from heliostat_api.documents.transcripts import Position, SequenceGapError
from heliostat_api.events.log import EventLog
from heliostat_api.ingest.outputs import (
    REPORT_BYTES,
    Output,
    build_gap,
    build_outputs,
    build_pieces,
)
from heliostat_api.web.problems import ProblemError
from heliostat_core.keys import ExecutionClaims
from heliostat_core.worlds import JsonObject

_KNOWN_AFTER_SECONDS = 600


class Owners(Protocol):
    """Whose runs are."""

    async def audiences_of(self, uid: str) -> tuple[str, ...] | None:
        """Tells who hears of an Execution; None when there is none. Raises UnavailableError, and a
        problem with status 403 for a run whose record is closed.
        """


class Transcripts(Protocol):
    """Where lines are kept. Every call may be repeated; errors are StoreErrors."""

    async def position(self, uid: str, attempt: int) -> Position: ...

    async def append(
        self, uid: str, attempt: int, first: int, lines: Sequence[str]
    ) -> Position: ...

    async def lose(self, uid: str, attempt: int, first: int, count: int) -> Position: ...

    async def end(self, uid: str, attempt: int, total: int, lost: int) -> Position: ...


class Files(Protocol):
    """Where files are kept. Every call may be repeated; errors are StoreErrors."""

    async def position(self, uid: str, file: WorkFile) -> int: ...

    async def write(self, uid: str, file: WorkFile, offset: int, content: bytes) -> int: ...


class Actions(Protocol):
    """Where whole actions are kept. Every call may be repeated; errors are StoreErrors."""

    async def put(self, uid: str, digest: str, content: bytes) -> None: ...

    async def get(self, uid: str, digest: str) -> bytes | None: ...


@dataclass(frozen=True)
class Ingest:
    """Calls come with the claims of a verified key. All answer with the first event that is missing
    and may be repeated; SequenceGapError says that what was sent begins beyond it."""

    transcripts: Transcripts
    files: Files
    actions: Actions
    owners: Owners
    log: EventLog
    clock: Callable[[], datetime]
    _locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    async def position(self, claims: ExecutionClaims) -> int:
        """Where delivery goes on."""
        await self._audiences(claims)
        return (await self.transcripts.position(claims.execution_uid, claims.attempt)).next

    async def append(self, claims: ExecutionClaims, first: int, body: bytes) -> int:
        """Events as JSON lines. Raises SequenceGapError."""
        audiences = await self._audiences(claims)
        lines = read_lines(body)
        async with self._place(claims, first) as start:
            new = lines[start - first :]
            if not new:
                return start
            outputs = build_outputs(claims, start, new, self.clock())
            await self._tell(audiences, outputs)
            position = await self.transcripts.append(
                claims.execution_uid, claims.attempt, start, [line.text for line in new]
            )
        return position.next

    async def tell_pieces(self, claims: ExecutionClaims, events: Sequence[JsonObject]) -> None:
        """Pieces of an answer, for screens only: nothing keeps them but the log, for a while."""
        audiences = await self._audiences(claims)
        report = build_pieces(claims, events, self.clock())
        if len(report.payload_text) > REPORT_BYTES:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                plain(f"events may have {REPORT_BYTES} bytes: send fewer at once."),
            )
        for audience in audiences:
            await self.log.append(audience, report)

    async def lose(self, claims: ExecutionClaims, first: int, count: int) -> int:
        """Events that nobody has any more. Raises SequenceGapError."""
        audiences = await self._audiences(claims)
        async with self._place(claims, first) as start:
            left = first + count - start
            if left <= 0:
                return start
            await self._tell(audiences, [build_gap(claims, start, left, self.clock())])
            position = await self.transcripts.lose(
                claims.execution_uid, claims.attempt, start, left
            )
        return position.next

    async def end(self, claims: ExecutionClaims, total: int, lost: int) -> int:
        """These were all. Raises SequenceGapError."""
        await self._audiences(claims)
        position = await self.transcripts.end(claims.execution_uid, claims.attempt, total, lost)
        return position.next

    async def file_position(self, claims: ExecutionClaims, file: WorkFile) -> int:
        """The first byte of a file that is missing."""
        await self._audiences(claims)
        return await self.files.position(claims.execution_uid, file)

    async def write_file(
        self, claims: ExecutionClaims, file: WorkFile, offset: int, content: bytes
    ) -> int:
        """A piece of a file. Raises OffsetError and FileRefusedError."""
        await self._audiences(claims)
        return await self.files.write(claims.execution_uid, file, offset, content)

    async def write_action(self, claims: ExecutionClaims, digest: str, content: bytes) -> None:
        """An action that the attempt asks for, whole. Raises ActionRefusedError."""
        await self._audiences(claims)
        await self.actions.put(claims.execution_uid, digest, content)

    async def read_action(self, claims: ExecutionClaims, digest: str) -> bytes:
        """What was delivered of any attempt of this run. Raises a problem with status 404."""
        found = await self.actions.get(claims.execution_uid, digest)
        if found is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, plain("No action of this digest was delivered by this run.")
            )
        return found

    async def _audiences(self, claims: ExecutionClaims) -> tuple[str, ...]:
        """A good key is proof of its run: what is not known of a young one is still to be seen."""
        audiences = await self.owners.audiences_of(claims.execution_uid)
        if audiences is not None:
            return audiences
        if self.clock().timestamp() - claims.iat < _KNOWN_AFTER_SECONDS:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                plain("Not now: this Execution has not been seen yet."),
                headers={"Retry-After": "1"},
            )
        raise ProblemError(HTTPStatus.NOT_FOUND, plain("There is no such Execution (any more)."))

    @asynccontextmanager
    async def _place(self, claims: ExecutionClaims, first: int) -> AsyncIterator[int]:
        """The first missing event; nobody else delivers this attempt here meanwhile."""
        key = (claims.execution_uid, claims.attempt)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            position = await self.transcripts.position(*key)
            if first > position.next:
                raise SequenceGapError(position.next)
            yield position.next

    async def _tell(self, audiences: Iterable[str], outputs: Iterable[Output]) -> None:
        for output in outputs:
            for audience in audiences:
                await self.log.append(audience, output.report, output.key)
