"""The other end of a recorder: which files of ours a request passes.

A file counts when code of it has a frame in the traced process while a request is under way, in
whatever thread or task. Following the request's context instead would lose it at every queue: an
Execution comes to the operator by a watch and goes to its reconcile through a queue. What runs
anyway is kept out twice: only code that each of several requests ran counts, which leaves out what
comes now and then (a resync, a flush), and none that ran each time nothing was asked, which leaves
out what comes all the time (a heartbeat).

Code that ran one time while nothing was asked does count: a Lease comes by the same watch as an
Execution, so what is on the way of both would be missing whenever a Lease happened to come. And a
request begins only when the program is quiet again: what follows from the one before, as an Agent's
new status, is not on the way of the next.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import Self

from bench.gateway.rigs import PYTHON

IDLE_SECONDS = 1.5
IDLE_TIMES = 3
QUIET_SECONDS = 0.5
"""A program that ran nothing of ours for so long, but its heartbeats, is done with a request."""
SETTLE_SECONDS = 60.0
REQUESTS = 3
CONNECT_SECONDS = 60
Code = tuple[str, str]


def always_run(windows: Iterable[Iterable[Code]]) -> set[Code]:
    """The code that ran in every window."""
    return set.intersection(*(set(each) for each in windows))


def files_of(requests: Iterable[Iterable[Code]], idle: Iterable[Iterable[Code]]) -> list[str]:
    """The files of the code that every request ran, and that does not run all the time anyway."""
    return sorted({file for file, _ in always_run(requests) - always_run(idle)})


async def do_nothing() -> None:
    """What most requests leave needs no clearing away."""


class Tracer(AbstractContextManager["Tracer"]):
    """Listens for a recorder, and tells it when to note."""

    def __init__(
        self, idle_seconds: float = IDLE_SECONDS, quiet_seconds: float = QUIET_SECONDS
    ) -> None:
        self._idle_seconds = idle_seconds
        self._quiet_seconds = quiet_seconds
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connection: socket.socket | None = None

    def __exit__(self, *_: object) -> None:
        for each in (self._connection, self._listening):
            if each is not None:
                each.close()

    def __enter__(self) -> Self:
        return self

    @property
    def port(self) -> int:
        """Where the recorder calls."""
        port: int = self._listening.getsockname()[1]
        return port

    @property
    def launcher(self) -> list[str]:
        """The beginning of a command whose program is traced; `-m MODULE` follows."""
        path = f"PYTHONPATH={PYTHON['PYTHONPATH']}"
        return ["env", path, sys.executable, "-m", "bench.walk.recorder", str(self.port)]

    async def walk(
        self,
        request: Callable[[], Awaitable[None]],
        clear: Callable[[], Awaitable[None]] = do_nothing,
    ) -> list[str]:
        """The files that a request passes, once it was asked before.

        `clear` is called after each request and removes what the program would go on to look after.
        """
        await request()
        await clear()
        idle = [await self._idle(self._idle_seconds) for _ in range(IDLE_TIMES)]
        ran = []
        for _ in range(REQUESTS):
            await self._settle(always_run(idle))
            ran.append(await self._record(request))
            await clear()
        return files_of(ran, idle)

    async def _settle(self, anyway: set[Code]) -> None:
        """Returns once the program runs nothing of ours but what runs anyway."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while found := set(await self._idle(self._quiet_seconds)) - anyway:
            if time.monotonic() > deadline:
                raise AssertionError(f"not quiet after {SETTLE_SECONDS:.0f} s: {sorted(found)[:9]}")

    async def _idle(self, seconds: float) -> list[Code]:
        """The code that runs while nothing is asked."""
        return await self._record(lambda: asyncio.sleep(seconds))

    async def _record(self, work: Callable[[], Awaitable[None]]) -> list[Code]:
        await asyncio.to_thread(self._say, "begin")
        await work()
        return await asyncio.to_thread(self._say, "end")

    def _say(self, word: str) -> list[Code]:
        if self._connection is None:
            self._listening.settimeout(CONNECT_SECONDS)
            self._connection, _ = self._listening.accept()
            self._connection.settimeout(CONNECT_SECONDS)
        self._connection.sendall(f"{word}\n".encode())
        with self._connection.makefile(encoding="utf-8") as lines:
            found: list[list[str]] = json.loads(lines.readline())
        return [(file, name) for file, name in found]
