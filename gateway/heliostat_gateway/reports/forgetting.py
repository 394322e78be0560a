"""Forgetting a user: what they asked for stays booked to the cent, their name does not."""

import sqlite3
from dataclasses import dataclass

from heliostat_gateway.storage import Storage


@dataclass(frozen=True)
class Forgotten:
    """How many rows lost a name, and how many requests are open and will be booked with it."""

    rows: int
    open: int


@dataclass(frozen=True)
class Forgetting:
    """Takes names out of the ledger's rows."""

    storage: Storage

    async def forget(self, user: str) -> Forgotten:
        """May be called again: with open requests it should be. Raises StorageError."""
        return await self.storage.run(lambda connection: forget_user(connection, user))


def forget_user(connection: sqlite3.Connection, user: str) -> Forgotten:
    """Settled rows only: an open one is written again, from what its gateway knows."""
    rows = connection.execute(
        "UPDATE requests SET user = '' WHERE user = ? AND NOT open", (user,)
    ).rowcount
    (still_open,) = connection.execute(
        "SELECT count(DISTINCT id) FROM requests WHERE user = ? AND open", (user,)
    ).fetchone()
    return Forgotten(rows, still_open)
