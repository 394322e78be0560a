"""Reads of the ledger that take their time: a connection of their own, read-only, bounded.

The ledger's one connection serves requests that are waiting; a report must not stand before them.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from heliostat_gateway.errors import RefusalError
from heliostat_gateway.storage import StorageError

T = TypeVar("T")
LONGEST_SECONDS: Final = 20.0
_STEPS: Final = 50_000  # of SQLite's machine between two looks at the clock


class LedgerUnreadableError(StorageError):
    """The file can't be read as a ledger; the text names the file and the reason."""


class LedgerReader:
    """Asks a ledger file that somebody else may be writing."""

    def __init__(self, path: Path, seconds: float = LONGEST_SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        # One report at a time: a second one waits instead of taking the other core as well.
        self._turn = asyncio.Lock()
        self._closed = False

    def close(self) -> None:
        """Gives up what is being read: nobody shall wait for it at the end of the process."""
        self._closed = True

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work` in a thread. Raises RefusalError (400) when it takes too long."""
        async with self._turn:
            try:
                return await asyncio.to_thread(self.run_now, work)
            except TimeoutError as error:
                raise RefusalError(
                    400,
                    "invalid_request_error",
                    f"from, to: the report took longer than {self._seconds:g} s; ask for less time "
                    "or fewer groups.",
                ) from error

    def run_now(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, in the caller's thread. LedgerUnreadableError, TimeoutError."""
        deadline = time.monotonic() + self._seconds
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
            ) as db:
                db.set_progress_handler(lambda: self._closed or time.monotonic() > deadline, _STEPS)
                return work(db)
        except sqlite3.Error as error:
            if time.monotonic() > deadline:
                raise TimeoutError from error
            raise LedgerUnreadableError(
                f"{self._path} can't be read as a ledger: {error}"
            ) from error


def known_columns(connection: sqlite3.Connection) -> frozenset[str]:
    """Columns of the table of requests: a ledger of an earlier release has fewer."""
    found = connection.execute("SELECT name FROM pragma_table_info('requests')").fetchall()
    return frozenset(str(name) for (name,) in found)
