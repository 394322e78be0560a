"""Handlers put keys into a queue, workers take them out.

A key is worked on by one worker at a time; a key that is added meanwhile is taken once more
afterwards. What is urgent goes first, then by rank; groups of keys take turns. Failures come back
with a growing delay; a success forgets them.
"""

import asyncio
import logging
import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from heliostat_operator.model.keys import Key

_Key = TypeVar("_Key", bound=Hashable)

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_MOST_DOUBLINGS = 16  # a key that fails for hours must not overflow a float

logger = logging.getLogger(__name__)


URGENT: Final = -1
"""The rank of what goes before everything else, always."""
_SECOND_TURN: Final = 4  # each so many keys the second rank goes first
_LAST_TURN: Final = 8  # and each so many the last


class FairLines(Generic[_Key]):
    """Keys that wait for a worker, each once, and how many of each group are worked on."""

    def __init__(self, most_of_group: int) -> None:
        """`most_of_group` is how many keys of one group may be worked on at once: the workers that
        are left are there for whoever comes."""
        self._most = most_of_group
        self._ranks: dict[int, OrderedDict[Hashable, deque[_Key]]] = {}
        self._places: dict[_Key, int] = {}  # its rank; what else stands in a line is passed over
        self._active: Counter[Hashable] = Counter()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def rank_of(self, key: _Key) -> int | None:
        """The rank of a key that waits."""
        return self._places.get(key)

    def push(self, key: _Key, rank: int, group: Hashable) -> bool:
        """Adds a key, or lets it go before if it waits with a higher rank. Whether that changed
        anything."""
        known = self._places.get(key)
        if known is not None and known <= rank:
            return False
        self._places[key] = rank
        self._ranks.setdefault(rank, OrderedDict()).setdefault(group, deque()).append(key)
        return True

    def pop(self) -> _Key | None:
        """The next key, which counts as worked on from now; None when there is none for now."""
        for rank in self._order():
            key = self._pop_of(rank)
            if key is not None:
                return key
        return None

    def done(self, group: Hashable) -> None:
        """A key of that group is no longer worked on."""
        self._active[group] -= 1
        if not self._active[group]:
            del self._active[group]

    def _order(self) -> Iterator[int]:
        ranks = sorted(self._ranks)
        yield from [each for each in ranks if each == URGENT]
        ranks = [each for each in ranks if each != URGENT]
        if not ranks:
            return
        self._turn += 1
        first = 1 if self._turn % _SECOND_TURN == 0 else 0
        first = len(ranks) - 1 if self._turn % _LAST_TURN == 0 else first
        first = min(first, len(ranks) - 1)
        yield ranks[first]
        yield from ranks[:first] + ranks[first + 1 :]

    def _pop_of(self, rank: int) -> _Key | None:
        groups = self._ranks[rank]
        for group in list(groups):
            if self._active[group] >= self._most:
                continue
            line = groups[group]
            key = self._first(line, rank)
            if not line:
                del groups[group]
            else:
                groups.move_to_end(group)
            if key is not None:
                self._active[group] += 1
                if not groups:
                    del self._ranks[rank]
                return key
        if not groups:
            del self._ranks[rank]
        return None

    def _first(self, line: deque[_Key], rank: int) -> _Key | None:
        while line:
            key = line.popleft()
            if self._places.get(key) == rank:
                del self._places[key]
                return key
        return None


@dataclass(frozen=True)
class Rest:
    """How long a key rests before it is looked at again for what changes all the time: `seconds`,
    or longer by the `factor` of what its last look took, but never longer than `longest`."""

    seconds: float
    factor: float
    longest: float = 15.0


class KeyQueue(Generic[_Key]):
    """Serial per key, bounded in workers, with delays and backoff."""

    def __init__(
        self,
        work: Callable[[_Key], Awaitable[float | None]],
        workers: int,
        turn: Callable[[], Awaitable[None]] | None = None,
        rest: Rest | None = None,
        rank: Callable[[_Key], int] = lambda _: 0,
        group: Callable[[_Key], Hashable] | None = None,
    ) -> None:
        """`work` returns in how many seconds to look again, or None for not by itself.

        With `turn` a worker waits for that before each key. `rest` is for `add_rested`. Keys of a
        lower `rank` go first. With `group` those of each group take turns, and one group alone
        never has all workers.
        """
        most_of_group = workers if group is None else max(1, workers - max(1, workers // 4))
        self._rank = rank
        self._group = group or (lambda _: None)
        self._rest = rest or Rest(0, 0)
        self._rests: dict[_Key, float] = {}
        self._work = work
        self._workers = workers
        self._turn = turn
        self._lines = FairLines[_Key](most_of_group)
        self._idle: deque[asyncio.Future[None]] = deque()  # workers that found nothing to do
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
        return len(self._lines) + len(self._active)

    def works_on(self, key: _Key) -> bool:
        """Whether a worker has it just now."""
        return key in self._active

    def add(self, key: _Key, *, urgent: bool = False) -> None:
        """Look at this key as soon as a worker is free."""
        self._cancel_timer(key)
        if key in self._active:
            self._again[key] = urgent or self._again.get(key, False)
            return
        if urgent:
            self._urgent.add(key)
            self._calm.clear()
            self._hurry.set()
        rank = URGENT if urgent else self._rank(key)
        if self._lines.push(key, rank, self._group(key)):
            self._wake_one()

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
            key = await self._take()
            self._active.add(key)
            try:
                delay = await self._attempt(key)
            finally:
                self._active.discard(key)
                self._lines.done(self._group(key))
            self._done(key, delay)

    async def _take(self) -> _Key:
        """The next key; which one is said when the worker's turn has come."""
        while True:
            if self._turn is not None and len(self._lines):
                await self._turn()
            key = self._lines.pop()
            if key is not None:
                return key
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle

    def _wake_one(self) -> None:
        while self._idle:
            idle = self._idle.popleft()
            if not idle.done():
                idle.set_result(None)
                return

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
            self._rests[key] = max(
                self._rest.seconds, min(spent * self._rest.factor, self._rest.longest)
            )
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
