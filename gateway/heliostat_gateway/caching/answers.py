"""Answers that were kept, and one upstream call for many that ask the same at once."""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Protocol, Self
from uuid import uuid4

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class CachedAnswer:
    """A whole answer: its headers, and its body as it is sent, event by event for a stream."""

    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    stored: float  # seconds since the epoch

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        named = sum(len(name) + len(value) for name, value in self.headers)
        return named + sum(len(chunk) + 64 for chunk in self.chunks)


class Claim(Enum):
    """What to do when there is no answer."""

    LEAD = "lead"  # ask the provider and say how it went
    WAIT = "wait"  # another process asks just now
    ALONE = "alone"  # ask, and keep nothing: it is known that the answer can't be kept


class AnswerStore(Protocol):
    """Where answers are kept. Nothing here raises: a cache that is away is a cache without hits."""

    renew_seconds: float | None  # how often a leader must say that it is still there

    async def claim(self, key: str, token: str) -> CachedAnswer | Claim:
        """The answer, or the right to get it under this token, or neither."""

    async def put(self, key: str, token: str, answer: CachedAnswer, seconds: float) -> None:
        """Keeps an answer for so long, unless it is too large, and ends the claim."""

    async def refuse(self, key: str, token: str) -> None:
        """Ends the claim: the answer can't be kept."""

    async def leave(self, key: str, token: str) -> None:
        """Ends the claim: there was no answer."""

    async def renew(self, key: str, token: str) -> None:
        """Holds the claim for longer."""


@dataclass
class MemoryAnswers(AnswerStore):
    """Answers of one process: least recently used first to go, bounded by bytes."""

    largest_sum: int = 64 * 1024 * 1024
    largest: int = 1024 * 1024  # of one answer
    clock: Callable[[], float] = time.time
    renew_seconds: float | None = None
    size: int = field(default=0, init=False)
    _answers: "OrderedDict[str, tuple[CachedAnswer, float]]" = field(
        default_factory=OrderedDict, init=False
    )

    async def claim(self, key: str, token: str) -> CachedAnswer | Claim:  # noqa: ARG002
        """The answer, or LEAD: in one process nobody else can have it."""
        found = self._answers.get(key)
        if found is None:
            return Claim.LEAD
        if found[1] <= self.clock():
            self._drop(key)
            return Claim.LEAD
        self._answers.move_to_end(key)
        return found[0]

    async def put(self, key: str, token: str, answer: CachedAnswer, seconds: float) -> None:  # noqa: ARG002
        """Keeps an answer."""
        if answer.size > min(self.largest, self.largest_sum):
            return
        self._drop(key)
        self._answers[key] = (answer, self.clock() + seconds)
        self.size += answer.size
        while self.size > self.largest_sum:
            self._drop(next(iter(self._answers)))

    async def refuse(self, key: str, token: str) -> None:
        """Nothing is held."""

    async def leave(self, key: str, token: str) -> None:
        """Nothing is held."""

    async def renew(self, key: str, token: str) -> None:
        """Nothing is held."""

    def _drop(self, key: str) -> None:
        dropped = self._answers.pop(key, None)
        if dropped is not None:
            self.size -= dropped[0].size


class _End(Enum):
    ALONE = "alone"
    LEFT = "left"


class _Flight:
    """One upstream call that others in this process wait for."""

    def __init__(self, flights: "dict[str, _Flight]", key: str) -> None:
        self._flights = flights
        self._key = key
        self._end: asyncio.Future[CachedAnswer | _End] = asyncio.get_running_loop().create_future()
        flights[key] = self

    def land(self, end: CachedAnswer | _End) -> bool:
        """Tells all who wait. False when it had landed before."""
        if self._end.done():
            return False
        # At once, not in a callback: who is told that the leader left looks for the next flight.
        del self._flights[self._key]
        self._end.set_result(end)
        return True

    async def wait(self) -> CachedAnswer | _End:
        """The end; one who leaves does not end the wait of the others."""
        return await asyncio.shield(self._end)


class Leader:
    """The one that asks the provider for all. Leaving its `async with` unsaid is `leave`."""

    def __init__(self, store: AnswerStore, key: str, token: str, flight: _Flight) -> None:
        self._store = store
        self._key = key
        self._token = token
        self._flight = flight
        self._renewing: asyncio.Task[None] | None = None
        if store.renew_seconds is not None:
            self._renewing = asyncio.create_task(self._keep_renewing(store.renew_seconds))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    async def store(self, answer: CachedAnswer, seconds: float) -> None:
        """Gives the answer to all who wait and keeps it for so long."""
        if self._end(answer):
            await self._store.put(self._key, self._token, answer, seconds)

    async def refuse(self) -> None:
        """The answer came and can't be kept: those who wait ask for themselves."""
        if self._end(_End.ALONE):
            await self._store.refuse(self._key, self._token)

    async def leave(self) -> None:
        """There was no answer (client gone, failed): the next of those who wait leads."""
        if self._end(_End.LEFT):
            await self._store.leave(self._key, self._token)

    def _end(self, end: CachedAnswer | _End) -> bool:
        """False when it had ended before."""
        if self._renewing is not None:
            self._renewing.cancel()
        return self._flight.land(end)

    async def _keep_renewing(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._store.renew(self._key, self._token)


@dataclass
class CacheCounts:
    """How lookups ended."""

    hit: int = 0
    joined: int = 0  # got the answer that another was waiting for
    led: int = 0
    alone: int = 0  # asked without the cache: not keepable, waited too long, or cache away


class AnswerCache:
    """The exact cache: one call for all that ask the same, then its answer for a while."""

    def __init__(
        self, store: AnswerStore, wait_seconds: float = 60.0, look_seconds: float = 0.1
    ) -> None:
        """`wait_seconds` bounds the wait for another's answer; others' are looked for so often."""
        self.counts = CacheCounts()
        self._store = store
        self._wait = wait_seconds
        self._look = look_seconds
        self._flights: dict[str, _Flight] = {}

    async def lookup(self, key: str) -> CachedAnswer | Leader | None:
        """The answer; or the duty to get it; or None: ask, and keep nothing."""
        try:
            async with asyncio.timeout(self._wait):
                found = await self._find(key)
        except TimeoutError:
            found = None
        if found is None:
            self.counts.alone += 1
        elif isinstance(found, Leader):
            self.counts.led += 1
        return found

    async def _find(self, key: str) -> CachedAnswer | Leader | None:
        while True:
            flight = self._flights.get(key)
            if flight is None:
                return await self._begin(key)
            end = await flight.wait()
            if isinstance(end, CachedAnswer):
                self.counts.joined += 1
                return end
            if end is _End.ALONE:
                return None

    async def _begin(self, key: str) -> CachedAnswer | Leader | None:
        """The first in this process asks the store; others wait for what it finds."""
        flight = _Flight(self._flights, key)
        token = uuid4().hex
        try:
            while (claim := await self._store.claim(key, token)) is Claim.WAIT:
                await asyncio.sleep(self._look)
        except BaseException:
            flight.land(_End.LEFT)
            # The claim may have succeeded in the same moment.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(asyncio.ensure_future(self._store.leave(key, token)))
            raise
        if isinstance(claim, CachedAnswer):
            self.counts.hit += 1
            flight.land(claim)
            return claim
        if claim is Claim.LEAD:
            return Leader(self._store, key, token, flight)
        flight.land(_End.ALONE)
        return None
