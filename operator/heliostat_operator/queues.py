"""A queue of keys: handlers put keys in, workers take them out.

A key is worked on by one worker at a time; a key that is added meanwhile is taken once more
afterwards. Failures come back with a growing delay; a success forgets them.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_MOST_DOUBLINGS = 16  # a key that fails for hours must not overflow a float

logger = logging.getLogger(__name__)


class KeyQueue(Generic[Key]):
    """Serial per key, bounded in workers, with delays and backoff."""

    def __init__(self, work: Callable[[Key], Awaitable[float | None]], workers: int) -> None:
        """`work` returns in how many seconds to look again, or None for not by itself."""
        self._work = work
        self._workers = workers
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._queued: set[Key] = set()
        self._active: set[Key] = set()
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._queued) + len(self._active)

    def works_on(self, key: Key) -> bool:
        """Whether a worker has it just now."""
        return key in self._active

    def add(self, key: Key) -> None:
        """Look at this key as soon as a worker is free."""
        self._cancel_timer(key)
        if key in self._active:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.put_nowait(key)

    def add_later(self, key: Key, seconds: float) -> None:
        """Look at this key in so many seconds at the latest: an earlier timer stays."""
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        known = self._timers.get(key)
        if known is not None and known.when() <= loop.time() + seconds:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_later(seconds, self._due, key)

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

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: Key) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def _worker(self) -> None:
        while True:
            key = await self._ready.get()
            self._queued.discard(key)
            self._active.add(key)
            try:
                delay = await self._attempt(key)
            finally:
                self._active.discard(key)
            if key in self._again:
                self._again.discard(key)
                self.add(key)
            elif delay is not None:
                self.add_later(key, delay)

    async def _attempt(self, key: Key) -> float | None:
        try:
            delay = await self._work(key)
        except Exception as error:  # noqa: BLE001 - the edge: one key's failure must not end a worker
            return self._failed(key, error)
        self._failures.pop(key, None)
        return delay

    def _failed(self, key: Key, error: Exception) -> float:
        count = self._failures.get(key, 0) + 1
        self._failures[key] = count
        delay = min(_FIRST_DELAY * 2.0 ** min(count - 1, _MOST_DOUBLINGS), _LONGEST_DELAY)
        logger.warning("%s failed %d times, again in %.1f s: %r", key, count, delay, error)
        return delay * random.uniform(0.8, 1.2)
