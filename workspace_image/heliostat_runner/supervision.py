"""Runs one program under the watchdog, to its end and that of all its descendants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .processes import Child, Processes
from .watchdog import Rules, Signs, Stop, decide_stop, next_look

_CHUNK = 1 << 16
_MAX_LINE = 64 * 1024 * 1024
_POLITE_SECONDS = 5.0
_DRAIN_SECONDS = 5.0
_LEAVE_SECONDS = 1.0

T = TypeVar("T")


class Watcher(Protocol):
    """Takes in a program's lines and tells what they show."""

    def out(self, line: bytes) -> None: ...
    def err(self, line: bytes) -> None: ...
    def signs(self) -> Signs: ...


@dataclass(frozen=True)
class Ended:
    stop: Stop
    exit_code: int
    """Negative for a signal."""
    survivors: tuple[int, ...]
    left_behind: tuple[str, ...] = ()
    """Names of programs that were still at work when this one had done its own."""


class Shutdown:
    """SIGTERM has come: set once, with the time until which everything must be over."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._deadline = 0.0

    def request(self, deadline: float) -> None:
        if not self._event.is_set():
            self._deadline = deadline
            self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def polite_seconds(self, now: float) -> float:
        """How long a program may take to leave: half of what is left."""
        return max(0.5, (self._deadline - now) / 2) if self.requested else _POLITE_SECONDS

    async def wait(self) -> None:
        await self._event.wait()

    async def wait_for(self, task: asyncio.Task[T], until: float) -> bool:
        """Whether the task is done by then; after SIGTERM, a second before everything is over."""
        loop = asyncio.get_running_loop()
        stopping = asyncio.create_task(self.wait())
        await asyncio.wait(
            [task, stopping],
            timeout=max(0.0, until - loop.time()),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self.requested:
            left = min(until, self._deadline - _LEAVE_SECONDS) - loop.time()
            await asyncio.wait([task], timeout=max(0.0, left))
        stopping.cancel()
        await asyncio.wait([stopping])
        return task.done()


async def supervise(
    processes: Processes, child: Child, watcher: Watcher, rules: Rules, shutdown: Shutdown
) -> Ended:
    """Returns when the program and all that it started are gone."""
    loop = asyncio.get_running_loop()
    news = asyncio.Event()
    readers = [
        asyncio.create_task(_read(child.stdout, watcher.out, news)),
        asyncio.create_task(_read(child.stderr, watcher.err, news)),
    ]
    stopping = asyncio.create_task(shutdown.wait())
    child.exited.add_done_callback(lambda _: news.set())
    stopping.add_done_callback(lambda _: news.set())
    stop = await _watch(child, watcher, rules, shutdown, news)
    is_done = stop in (Stop.EXITED, Stop.LINGERED)
    left_behind = await processes.left_behind(child) if is_done else ()
    # who passed by the guard has no time to go on
    polite = 0.0 if stop is Stop.BYPASSED else shutdown.polite_seconds(loop.time())
    survivors = await processes.end(child, polite)
    # with every descendant gone the pipes are closed; what they hold still counts
    await asyncio.wait(readers, timeout=_DRAIN_SECONDS)
    for task in (*readers, stopping):
        task.cancel()
    await asyncio.wait([*readers, stopping])
    for task in readers:
        if not task.cancelled():
            task.result()  # a bug in a watcher must not pass for silence
    exit_code = child.exited.result() if child.exited.done() else -9
    return Ended(stop, exit_code, tuple(survivors), left_behind)


async def _watch(
    child: Child, watcher: Watcher, rules: Rules, shutdown: Shutdown, news: asyncio.Event
) -> Stop:
    loop = asyncio.get_running_loop()
    while True:
        news.clear()
        if child.exited.done():
            return Stop.EXITED
        if shutdown.requested:
            return Stop.TERMINATED
        signs = watcher.signs()
        stop = decide_stop(rules, signs, loop.time())
        if stop is not None:
            return stop
        wait = max(0.0, next_look(rules, signs) - loop.time())
        try:
            await asyncio.wait_for(news.wait(), wait)
        except TimeoutError:
            continue


async def _read(
    reader: asyncio.StreamReader, take: Callable[[bytes], None], news: asyncio.Event
) -> None:
    async for line in _lines(reader):
        take(line)
        news.set()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Lines without their end, however long; one above 64 MiB comes in pieces."""
    rest = bytearray()
    while chunk := await reader.read(_CHUNK):
        searched = len(rest)
        rest += chunk
        while (end := rest.find(b"\n", searched)) >= 0:
            yield bytes(rest[:end])
            del rest[: end + 1]
            searched = 0
        if len(rest) > _MAX_LINE:
            yield bytes(rest)
            rest.clear()
    if rest:
        yield bytes(rest)
