"""The other end of a recorder: which files of ours a request passes.

A file counts when code of it has a frame in the traced process while a request is under way, in
whatever thread or task. Following the request's context instead would lose it at every queue: an
Execution comes to the operator by a watch and goes to its reconcile through a queue. What runs
anyway (heartbeats, resync, flushing) is kept out twice: only code that each of several requests ran
counts, and none that ran while nothing was asked.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import Self

from bench.gateway.rigs import PYTHON

IDLE_SECONDS = 1.5
REST_SECONDS = 0.5
"""What a request has set going has come to its end."""
REQUESTS = 3
CONNECT_SECONDS = 60
Code = tuple[str, str]


def files_of(requests: Iterable[Iterable[Code]], idle: Iterable[Code]) -> list[str]:
    """The files of the code that every request ran, and that does not run anyway."""
    ran = [set(each) for each in requests]
    return sorted({file for file, _ in set.intersection(*ran) - set(idle)})


class Tracer(AbstractContextManager["Tracer"]):
    """Listens for a recorder, and tells it when to note."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connection: socket.socket | None = None

    def __exit__(self, *_: object) -> None:
        for each in (self._connection, self._listening):
            if each is not None:
                each.close()

    def __enter__(self) -> Self:
        return self

    @property
    def launcher(self) -> list[str]:
        """The beginning of a command whose program is traced; `-m MODULE` follows."""
        port: int = self._listening.getsockname()[1]
        path = f"PYTHONPATH={PYTHON['PYTHONPATH']}"
        return ["env", path, sys.executable, "-m", "bench.walk.recorder", str(port)]

    async def walk(self, request: Callable[[], Awaitable[None]]) -> list[str]:
        """The files that a request passes, once it was asked before."""
        await request()
        await asyncio.sleep(REST_SECONDS)
        idle = await self._record(lambda: asyncio.sleep(IDLE_SECONDS))
        ran = []
        for _ in range(REQUESTS):
            ran.append(await self._record(request))
            await asyncio.sleep(REST_SECONDS)
        return files_of(ran, idle)

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
