"""Delivers the transcript to the api while it is written, and at the attempt's end what is left.

Nothing of it fails a run: an api that is away is asked again until the wait at the end is over,
and then the result says how much it did not get.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from .api import Answer, Later, Never, Position, Request, pause_after, read_answer
from .files import WorkFile, read_piece
from .ingest import action_request, end_request, events_request, file_request, pieces_request
from .jsonvalue import JsonObject
from .pieces import Pieces
from .spool import Batch, Spool
from .supervision import Shutdown

_PIECES_SECONDS = 0.3
_ACTION_BYTES = 64 << 10
"""Of a canonical action, as the api takes it."""
_SETBACKS = 3
"""How often a file may begin anew."""


_OF_ONE_FILE = frozenset({400, 413, 422})
"""Answers that refuse a file, and not those after it."""
_NAMED = 3
"""Files that the result names; a count tells of more."""


class GivenUpError(Exception):
    """The api will take nothing of this attempt; the text says why."""

    def __init__(self, meaning: Never) -> None:
        super().__init__(meaning.why)
        self.status = meaning.status


class Asking(Protocol):
    """One request at a time to the api."""

    async def ask(self, request: Request) -> Answer: ...


class Delivery:
    """One attempt's delivery: a task beside the run."""

    def __init__(
        self,
        api: Asking,
        spool: Spool,
        pieces: Pieces,
        path: str,
        refused: Callable[[str], None],
    ) -> None:
        """`path` is the attempt's own below the api's address; `refused` is told why it ended."""
        self._api = api
        self._spool = spool
        self._pieces = pieces
        self._next_pieces = 0.0
        self._path = path
        self._refused = refused
        self._news = asyncio.Event()
        self._closing = False
        self._taken = 0
        self._lost = 0
        self._setbacks = 0
        self._action: Request | None = None
        self._action_refused = ""
        self.has_taken_action = False
        """The api has the canonical action that waits for a person."""
        self._files: Sequence[WorkFile] = ()
        self._files_taken = 0
        self._refused_files: list[str] = []
        self._why = ""
        self._task = asyncio.create_task(self._run())

    def hear(self, line: bytes, kept: bool) -> None:
        """A line was written, as `Transcript.tell` has it."""
        self._spool.add(line, kept)
        self._news.set()

    def hear_piece(self, event: JsonObject) -> None:
        """A piece of an answer came, or an answer, as `Transcript.tell` has it."""
        self._pieces.hear(event)
        if self._pieces.is_waiting:
            self._news.set()

    def deliver_action(self, digest: str, canonical: bytes) -> None:
        """Before all else that waits: without it, the action can only be denied."""
        if len(canonical) > _ACTION_BYTES:
            self._action_refused = f"{len(canonical)} bytes; it may have {_ACTION_BYTES}"
            return
        self._action = action_request(self._path, digest, canonical)
        self._news.set()

    async def finish(
        self, files: Sequence[WorkFile], until: float, shutdown: Shutdown
    ) -> tuple[str, ...]:
        """Nothing more comes: waits for the rest, until then on the event loop's clock.

        Returns sentences about what was not taken.
        """
        self._files = files
        self._closing = True
        self._news.set()
        if not await shutdown.wait_for(self._task, until):
            self._task.cancel()
            await asyncio.wait([self._task])
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            self._why = f"delivery broke: {error!r}"
        self._spool.close()
        return self._remarks()

    def _remarks(self) -> tuple[str, ...]:
        why = f" ({self._why})" if self._why else ""
        left = self._spool.end - self._taken
        named = self._refused_files[:_NAMED]
        files = len(self._files) - self._files_taken - len(named)
        refused = self._action_refused or ("" if self._action is None else f"not in time{why}")
        if refused:
            named.append(f"The whole action was not delivered: {refused}.")
        found = (
            (left, f"{left} events were not delivered{why}."),
            (self._lost, f"{self._lost} events were lost before they could be delivered."),
            (files, f"{files} files were not delivered{why}."),
        )
        return (*named, *(words for count, words in found if count > 0))

    async def _run(self) -> None:
        try:
            await self._deliver_transcript()
            for file in self._files:
                await self._try_file(file)
        except GivenUpError as error:
            self._why = str(error)
            if not self._closing:  # later the transcript is closed, and the result says it
                self._refused(self._why)

    # ---- the transcript -------------------------------------------------------------------------

    async def _deliver_transcript(self) -> None:
        """All events, then the word that these were all."""
        while True:
            await self._deliver_events()
            count, lost = self._spool.end, self._lost
            position = await self._ask(end_request(self._path, count, lost))
            if not position.is_refused:
                return
            await self._go_on_from(position, count)

    async def _deliver_events(self) -> None:
        while True:
            self._news.clear()
            if self._action is not None:
                await self._hand_over_action(self._action)
            batch = self._spool.read()
            if batch is not None:
                await self._hand_over(batch)
            elif self._closing:
                return
            elif not await self._tell_pieces():
                await self._news.wait()

    async def _hand_over_action(self, request: Request) -> None:
        """An api that knows no actions takes the rest all the same."""
        failures = 0
        while True:
            answer = await self._api.ask(request)
            if answer.status // 100 == 2:
                self.has_taken_action = True
                break
            meaning = read_answer(answer)
            if not isinstance(meaning, Later):
                refusal = f"the api answered {answer.status}"
                self._action_refused = meaning.why if isinstance(meaning, Never) else refusal
                break
            failures += 1
            await asyncio.sleep(
                pause_after(failures) if meaning.seconds is None else meaning.seconds
            )
        self._action = None

    async def _tell_pieces(self) -> bool:
        """Once, a few times a second, and never before what the transcript holds."""
        if not self._pieces.is_waiting:
            return False
        now = asyncio.get_running_loop().time
        if (left := self._next_pieces - now()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
        elif (body := self._pieces.take()) is not None:
            await self._api.ask(pieces_request(self._path, body))
            self._next_pieces = now() + _PIECES_SECONDS
        return True

    async def _hand_over(self, batch: Batch) -> None:
        """The same bytes until they are taken: what is repeated is known again by them."""
        position = await self._ask(events_request(self._path, batch))
        if batch.is_gap and position.next >= batch.next:
            self._lost += batch.count
        await self._go_on_from(position, batch.next)

    async def _go_on_from(self, position: Position, expected: int) -> None:
        """The api is the one that knows; it may have lost what it had taken."""
        self._taken = position.next
        self._spool.seek(position.next)
        if position.next >= expected:
            self._setbacks = 0
            return
        self._setbacks += 1
        await asyncio.sleep(pause_after(self._setbacks))

    # ---- files ----------------------------------------------------------------------------------

    async def _try_file(self, file: WorkFile) -> None:
        """A file that the api refuses is left out by its name."""
        try:
            await self._deliver_file(file)
        except GivenUpError as error:
            if error.status not in _OF_ONE_FILE:
                raise
            self._refused_files.append(f"{file.path} was not delivered: {error}.")

    async def _deliver_file(self, file: WorkFile) -> None:
        """One that changed since it was listed stays behind: the count tells."""
        offset, setbacks = 0, 0
        while setbacks <= _SETBACKS and (piece := read_piece(file, offset)) is not None:
            position = await self._ask(file_request(self._path, file, offset, piece))
            if not position.is_refused and position.next >= file.size:
                self._files_taken += 1
                return
            setbacks += position.next <= offset
            offset = position.next

    # ---- requests -------------------------------------------------------------------------------

    async def _ask(self, request: Request) -> Position:
        """Until the api says where it stands. Raises GivenUpError."""
        failures = 0
        while True:
            meaning = read_answer(await self._api.ask(request))
            if isinstance(meaning, Position):
                return meaning
            if isinstance(meaning, Never):
                raise GivenUpError(meaning)
            failures += 1
            await asyncio.sleep(
                pause_after(failures) if meaning.seconds is None else meaning.seconds
            )
