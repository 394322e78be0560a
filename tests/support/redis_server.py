"""A real Redis of a test's own: a free port, append-only file, a folder that goes with the test."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.ports import free_port

READY_SECONDS = 10


class NoRedisError(Exception):
    """This machine has no redis-server; the text holds the remedy."""


@dataclass
class RedisServer:
    """The server; what it confirmed outlives `kill`."""

    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it, with what its append-only file holds; returns when it answers."""
        program = shutil.which("redis-server")
        if program is None:
            raise NoRedisError("no redis-server on this machine. Remedy: apt-get install redis")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--appendonly", "yes", "--save", "", "--logfile", "redis.log"]
        # What is confirmed is with the kernel, and survives `kill -9`: while the disk is busy,
        # `everysec` keeps it back.
        options += ["--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"]
        self._process = subprocess.Popen([program, *options])
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "redis.log").read_text())
            time.sleep(0.01)

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget_all(self) -> None:
        """Empties it."""
        with socket.create_connection(("127.0.0.1", self.port), 1) as asking:
            asking.sendall(b"FLUSHALL\r\n")
            assert asking.recv(16).startswith(b"+OK")

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 1) as s,
        ):
            s.sendall(b"PING\r\n")
            return s.recv(16).startswith(b"+PONG")
        return False


@contextlib.contextmanager
def run_redis(folder: Path) -> Iterator[RedisServer]:
    """A server that answers; ended afterwards. Raises NoRedisError."""
    server = RedisServer(free_port(), folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
