"""The ledger: one row per model call, written before the call, settled after it.

An open row always holds what would be booked if the gateway died now, so recovery only marks it.
"""

import sqlite3

from heliostat_gateway import rows
from heliostat_gateway.bookings import Booking, ExecutionTotal, Opening
from heliostat_gateway.storage import Storage


class Ledger:
    """Rows of model calls in the storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.run_now(rows.make_schema)

    def recover(self, now_ms: int) -> int:
        """Books what a dead gateway left open, as estimated. Returns how many rows."""
        return self._storage.run_now(lambda connection: rows.book_open_rows(connection, now_ms))

    async def open(self, opening: Opening) -> None:
        """Writes the row ahead of the call. Raises CapReachedError; then there is no row."""

        def work(connection: sqlite3.Connection) -> None:
            rows.check_caps(connection, opening.caller)
            rows.insert_row(connection, opening)

        await self._storage.run(work)

    async def note(self, bookings: list[Booking]) -> None:
        """Writes what open calls have used so far."""
        await self._storage.run(lambda connection: rows.update_rows(connection, bookings, None))

    async def settle(self, booking: Booking, now_ms: int) -> None:
        """Closes a row with its last word."""
        await self._storage.run(lambda connection: rows.update_rows(connection, [booking], now_ms))

    async def execution(self, uid: str) -> ExecutionTotal:
        """Sums of an execution; zeros for one that made no call."""
        return await self._storage.run(lambda connection: rows.sum_execution(connection, uid))

    async def agent(self, name: str) -> tuple[int, int]:
        """Nano-dollars and number of requests of an agent, `namespace/name`."""
        return await self._storage.run(lambda connection: rows.sum_agent(connection, name))
