"""Connections to the file: one that reads in place, one that commits in a thread of its own.

A page of documents is read in less time than a hop to a thread takes. And in a thread each row
would wait for the interpreter, which a busy event loop gives away every five milliseconds only.

Commits wait for the disk. The standard library in a thread, not aiosqlite: a transaction here is
one hop to the thread and can't be interleaved with another's; aiosqlite hops for every statement.
Commits that wait at the same time share one flush. A commit that was awaited is on the disk.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from heliostat_api.documents.port import StoreError, UnavailableError

T = TypeVar("T")
Write: TypeAlias = Callable[[sqlite3.Connection], None]
_BUSY_SECONDS = 10.0
_CACHE_KIB = 8 * 1024  # of pages; SQLite's own 2 MiB are few for many indexes


def connect(path: Path) -> sqlite3.Connection:
    """Raises StoreErrors."""
    with mapped_errors(path):
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise UnavailableError(f"the document store {path} can't be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the document store {path} is damaged ({error}): restore a backup"
        ) from error


class Reader:
    """Reads one after the other; writers don't hinder it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)

    def close(self) -> None:
        self._connection.close()

    def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        with mapped_errors(self._path):
            return read(self._connection)


class Writer:
    """Commits, all or nothing each. A refused one undoes nothing of the others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._thread = ThreadPoolExecutor(1, "documents-writer")
        self._waiting: deque[tuple[Write, Future[None]]] = deque()

    async def run(self, write: Write) -> None:
        done: Future[None] = Future()
        self._waiting.append((write, done))
        self._thread.submit(self._commit_waiting)
        await asyncio.wrap_future(done)

    def close(self) -> None:
        """Finishes what waits."""
        self._thread.shutdown()
        self._connection.close()

    def _commit_waiting(self) -> None:
        group = []
        while self._waiting:
            write, done = self._waiting.popleft()
            if done.set_running_or_notify_cancel():
                group.append((write, done))
        outcomes = self._commit([write for write, _ in group]) if group else []
        for (_, done), refusal in zip(group, outcomes, strict=True):
            if refusal is None:
                done.set_result(None)
            else:
                done.set_exception(refusal)

    def _commit(self, writes: list[Write]) -> list[Exception | None]:
        """What each came to; None is good."""
        try:
            with mapped_errors(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                outcomes = [self._attempt(write) for write in writes]
                self._connection.execute("COMMIT")
                return outcomes
        except Exception as error:  # noqa: BLE001  belongs to those who await
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            return [error for _ in writes]

    def _attempt(self, write: Write) -> Exception | None:
        self._connection.execute("SAVEPOINT one")
        refusal = None
        try:
            write(self._connection)
        except StoreError as error:
            self._connection.execute("ROLLBACK TO one")
            refusal = error
        self._connection.execute("RELEASE one")
        return refusal
