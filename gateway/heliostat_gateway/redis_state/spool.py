"""The spool of a gateway while Redis is away: files of JSON lines, flushed to the disk.

Each process has files of its own, which it holds locked; files that nobody holds are those of a
process that died. A torn last line was never confirmed, and is left out.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import orjson
from pydantic import TypeAdapter, ValidationError

from heliostat_gateway.money.bookings import Booking, Head
from heliostat_gateway.storage import StorageError


class LineKind(StrEnum):
    """What a line says of a request."""

    OPEN = "open"
    NOTE = "note"
    SETTLE = "settle"
    DROP = "drop"


@dataclass(frozen=True)
class Line:
    """A line. `epoch` is that of the shared ledger that knows the opening; empty for none."""

    kind: LineKind
    id: str
    head: Head | None = None
    bookings: tuple[Booking, ...] = ()
    ended_ms: int = 0
    epoch: str = ""


_LINES: Final = TypeAdapter(Line)


class Spool:
    """The files of one process, and those that dead ones left."""

    def __init__(self, folder: Path, name: str) -> None:
        """Takes over what dead processes left. Raises StorageError."""
        self._folder = folder
        self._name = name
        self._count = 0
        self._file: int | None = None
        self._queue: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._waiting: set[str] = set()
        self._own: list[tuple[Path, int]] = []
        self._left: list[tuple[Path, int]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob("*.jsonl")):
                if (held := _hold(path, os.O_RDONLY)) is not None:
                    self._left.append((path, held))
        except OSError as error:
            raise StorageError(f"The spool ({folder}) can't be used: {error}") from error

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be replayed."""
        return self._file is None and not self._own and not self._left

    @property
    def waiting(self) -> int:
        """How many requests of this process wait to be replayed."""
        return len(self._waiting)

    async def append(self, line: Line) -> None:
        """On the disk when this returns. Lines that come together share a flush.

        Raises StorageError.
        """
        done = asyncio.get_running_loop().create_future()
        self._queue.append((orjson.dumps(line) + b"\n", done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await asyncio.shield(done)
        self._waiting.add(line.id)

    async def read(self) -> tuple[list[Line], list[Line]]:
        """Lines of this process and of dead ones. What comes later goes to a new file.

        Raises StorageError.
        """
        await self._flushed()
        if self._file is not None:
            self._own.append((self._path(), self._file))
            self._file, self._count = None, self._count + 1
        own = [line for path, _ in self._own for line in _read(path)]
        return own, [line for path, _ in self._left for line in _read(path)]

    def forget(self) -> set[str]:
        """Removes what `read` gave: it is in the shared ledger. Returns the dead ones by name."""
        dead = {path.name.rpartition("-")[0] for path, _ in self._left}
        for path, held in [*self._own, *self._left]:
            path.unlink(missing_ok=True)
            os.close(held)
        self._own, self._left = [], []
        if self._file is None:
            self._waiting.clear()
        return dead

    async def close(self) -> None:
        """Lets go of the files: the next process takes them over."""
        await self._flushed()
        held = [held for _, held in [*self._own, *self._left]]
        for descriptor in [*held, *([] if self._file is None else [self._file])]:
            os.close(descriptor)
        self._file, self._own, self._left = None, [], []

    async def _flushed(self) -> None:
        while self._flusher is not None and not self._flusher.done():
            await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            waiting = [done for _, done in batch]
            try:
                if self._file is None:
                    self._file = self._open()
                # Starts on a line of its own, for the write before may have broken off.
                await asyncio.to_thread(_write, self._file, b"\n" + b"".join(t for t, _ in batch))
            except (OSError, StorageError) as error:
                failure = StorageError(f"The spool ({self._folder}) can't be written: {error}")
                for done in waiting:
                    done.set_exception(failure)
            else:
                for done in waiting:
                    done.set_result(None)

    def _open(self) -> int:
        held = _hold(self._path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        if held is None:
            raise StorageError(f"{self._path()} is in use by another process.")
        return held

    def _path(self) -> Path:
        return self._folder / f"{self._name}-{self._count:06}.jsonl"


def _hold(path: Path, flags: int) -> int | None:
    """The file, locked; None when a living process holds it."""
    held = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held


def _write(file: int, lines: bytes) -> None:
    while lines:
        lines = lines[os.write(file, lines) :]
    os.fsync(file)


def _read(path: Path) -> list[Line]:
    """Whole lines in their order. Raises StorageError."""
    found = []
    try:
        texts: Sequence[bytes] = path.read_bytes().split(b"\n")
    except OSError as error:
        raise StorageError(f"The spool ({path}) can't be read: {error}") from error
    for text in texts[:-1]:
        with contextlib.suppress(ValidationError):
            found.append(_LINES.validate_json(text))
    return found
