"""Handlers put keys into a queue, workers take them out.

A key is worked on by one worker at a time; a key that is added meanwhile is taken once more
afterwards. What is urgent goes first. Failures come back with a growing delay; a success forgets
them.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from heliostat_operator.model.keys import Key

_Key = TypeVar("_Key")

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_MOST_DOUBLINGS = 16  # a key that fails for hours must not overflow a float

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rest:
    """How long a key rests before it is looked at again for what changes all the time: `seconds`,
    or longer by the `factor` of what its last look took."""

    seconds: float
    factor: float


class KeyQueue(Generic[_Key]):
    """Serial per key, bounded in workers, with delays and backoff."""

    def __init__(
        self,
        work: Callable[[_Key], Awaitable[float | None]],
        workers: int,
        turn: Callable[[], Awaitable[None]] | None = None,
        rest: Rest | None = None,
    ) -> None:
        """`work` returns in how many seconds to look again, or None for not by itself.

        With `turn` a worker waits for that before each key. `rest` is for `add_rested`.
        """
        self._rest = rest or Rest(0, 0)
        self._rests: dict[_Key, float] = {}
        self._work = work
        self._workers = workers
        self._turn = turn
        self._ready: asyncio.PriorityQueue[tuple[bool, int, _Key]] = asyncio.PriorityQueue()
        self._order = count()
        self._queued: set[_Key] = set()
        self._urgent: set[_Key] = set()  # of those that are queued or worked on
        self._active: set[_Key] = set()
        self._again: dict[_Key, bool] = {}  # whether that is urgent
        self._timers: dict[_Key, asyncio.TimerHandle] = {}
        self._failures: dict[_Key, int] = {}
        self._calm = asyncio.Event()
        self._calm.set()
        self._hurry = asyncio.Event()
        self._waited_since: float | None = None  # loop time of the first who waits for calm

    def __len__(self) -> int:
        return len(self._queued) + len(self._active)

    def works_on(self, key: _Key) -> bool:
        """Whether a worker has it just now."""
        return key in self._active

    def add(self, key: _Key, *, urgent: bool = False) -> None:
        """Look at this key as soon as a worker is free."""
        self._cancel_timer(key)
        if key in self._active:
            self._again[key] = urgent or self._again.get(key, False)
            return
        if key in self._queued and (key in self._urgent or not urgent):
            return
        self._queued.add(key)
        if urgent:
            self._urgent.add(key)
            self._calm.clear()
            self._hurry.set()
        self._ready.put_nowait((not urgent, next(self._order), key))

    def add_later(self, key: _Key, seconds: float, *, urgent: bool = False) -> None:
        """Look at this key in so many seconds at the latest: an earlier timer stays."""
        if seconds <= 0:
            self.add(key, urgent=urgent)
            return
        loop = asyncio.get_running_loop()
        known = self._timers.get(key)
        if known is not None and known.when() <= loop.time() + seconds:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_later(seconds, self._due, key, urgent)

    def add_rested(self, key: _Key) -> None:
        """Look at this key when it has rested."""
        self.add_later(key, self._rests.get(key, self._rest.seconds))

    async def calm(self, most_seconds: float) -> None:
        """Until nothing urgent is left, or somebody has waited for that for so long: work without
        end must not stop the others for good."""
        if self._calm.is_set():
            return
        if self._waited_since is None:
            self._waited_since = asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._waited_since + most_seconds):
                await self._calm.wait()

    async def hurry(self) -> None:
        """Until something urgent comes after a time of calm."""
        await self._calm.wait()
        await self._hurry.wait()

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._worker())
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    def _due(self, key: _Key, urgent: bool) -> None:
        self._timers.pop(key, None)
        self.add(key, urgent=urgent)

    def _cancel_timer(self, key: _Key) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def _worker(self) -> None:
        while True:
            _, _, key = await self._ready.get()
            if self._turn is not None:
                await self._turn()
            if key not in self._queued:
                continue  # it became urgent while it waited, and was taken
            self._queued.discard(key)
            self._active.add(key)
            try:
                delay = await self._attempt(key)
            finally:
                self._active.discard(key)
            self._done(key, delay)

    def _done(self, key: _Key, delay: float | None) -> None:
        was_urgent = key in self._urgent
        self._urgent.discard(key)
        if key in self._again:
            self.add(key, urgent=self._again.pop(key))
        elif delay is not None:
            self.add_later(key, delay, urgent=was_urgent)
        if not self._urgent:
            self._waited_since = None
            self._hurry.clear()
            self._calm.set()

    async def _attempt(self, key: _Key) -> float | None:
        started = time.monotonic()
        try:
            delay = await self._work(key)
        except Exception as error:  # noqa: BLE001 - the edge: one key's failure must not end a worker
            return self._failed(key, error)
        self._failures.pop(key, None)
        spent = time.monotonic() - started
        if delay is None:
            self._rests.pop(key, None)
        elif self._rest.factor:
            self._rests[key] = max(self._rest.seconds, spent * self._rest.factor)
        return delay

    def _failed(self, key: _Key, error: Exception) -> float:
        count = self._failures.get(key, 0) + 1
        self._failures[key] = count
        delay = min(_FIRST_DELAY * 2.0 ** min(count - 1, _MOST_DOUBLINGS), _LONGEST_DELAY)
        logger.warning("%s failed %d times, again in %.1f s: %r", key, count, delay, error)
        return delay * random.uniform(0.8, 1.2)


class Queues:
    """The queues of all controllers, by their names.

    What is said to a name without a controller is left out: not every world has all of them.
    """

    def __init__(self) -> None:
        self._queues: dict[str, KeyQueue[Key]] = {}

    def open(self, name: str, queue: KeyQueue[Key]) -> None:
        """Adds the queue of one controller."""
        self._queues[name] = queue

    def __getitem__(self, name: str) -> KeyQueue[Key]:
        return self._queues[name]

    def add(self, name: str, key: Key, *, urgent: bool = False) -> None:
        """Adds a key to the queue of that controller."""
        if name in self._queues:
            self._queues[name].add(key, urgent=urgent)

    def add_rested(self, name: str, key: Key) -> None:
        """Adds a key to the queue of that controller for when it has rested."""
        if name in self._queues:
            self._queues[name].add_rested(key)

    def depths(self) -> Mapping[str, int]:
        """Keys that wait for a worker or are worked on, by the controller's name."""
        return {name: len(queue) for name, queue in self._queues.items()}

    async def run(self) -> None:
        """Works on all of them until cancelled."""
        async with asyncio.TaskGroup() as group:
            for queue in self._queues.values():
                group.create_task(queue.run())
