"""One SQLite file, one connection, one thread: everything that must survive the process.

Work is queued and committed in groups, so that many requests share one flush to the disk. A call
that was awaited is on the disk (journal WAL, synchronous FULL).
"""

import asyncio
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_GROUP = 256


class StorageError(Exception):
    """The data folder can't be used; the text names the folder and the reason."""


@dataclass(frozen=True)
class _Job:
    """`run` does the work and returns how to deliver its result in the event loop."""

    run: Callable[[sqlite3.Connection], Callable[[], None]]
    fail: Callable[[Exception], Callable[[], None]]
    deliver: Callable[[Callable[[], None]], object]


class Storage:
    """The only way to the file. One process at a time: the folder is locked."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes the file. Raises StorageError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._hold(folder)
            self.path = folder / "ledger.sqlite"
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"HELIOSTAT_GATEWAY_DATA_DIR ({folder}) must be a folder that can be written: "
                f"{error}"
            ) from error
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="storage", daemon=True)
        self._thread.start()

    def run_now(self, work: Work[T]) -> T:
        """Work before the service answers requests (schema, recovery), in the caller's thread."""
        with self._connection:
            return work(self._connection)

    async def run(self, work: Work[T]) -> T:
        """The result of `work`, once it is on the disk. Raises StorageError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def run(connection: sqlite3.Connection) -> Callable[[], None]:
            result = work(connection)
            return lambda: None if future.done() else future.set_result(result)

        def fail(error: Exception) -> Callable[[], None]:
            return lambda: None if future.done() else future.set_exception(error)

        self._queue.put(_Job(run, fail, loop.call_soon_threadsafe))
        return await future

    def close(self) -> None:
        """Finishes what is queued, then closes the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        os.close(self._lock)

    def _hold(self, folder: Path) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise StorageError(
                f"HELIOSTAT_GATEWAY_DATA_DIR ({folder}) is in use by another gateway: "
                "one ledger has one writer."
            ) from error

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            group = [job]
            while len(group) < _GROUP and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                group.append(following)
            self._commit(group)

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [(job, self._attempt(job)) for job in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = StorageError(f"The ledger can't be written: {error}")
            results = [(job, job.fail(failure)) for job in group]
        for job, result in results:
            _deliver(job, result)

    def _attempt(self, job: _Job) -> Callable[[], None]:
        """One job in its own savepoint: a refusal of one undoes nothing of the others."""
        self._connection.execute("SAVEPOINT job")
        try:
            result = job.run(self._connection)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001  belongs to the one who awaits the job
            self._connection.execute("ROLLBACK TO job")
            result = job.fail(error)
        self._connection.execute("RELEASE job")
        return result


def _deliver(job: _Job, result: Callable[[], None]) -> None:
    try:
        job.deliver(result)
    except RuntimeError:
        return  # the event loop has ended: nobody waits any more
