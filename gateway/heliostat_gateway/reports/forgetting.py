"""Forgetting a user: what they asked for stays booked to the cent, their name does not."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from heliostat_core.keys import person_budget
from heliostat_gateway.access.callers import account_of_person
from heliostat_gateway.storage import Storage

# A person's name is also in the id of their keys for conversations, in the account of these and
# in the name of their budget.
_FORGET: Final = """
UPDATE requests SET
  user = '',
  key = CASE WHEN substr(key, 1, length(:user) + 1) = :user || '/'
    THEN substr(key, length(:user) + 2) ELSE key END,
  account = CASE account WHEN :account THEN '' ELSE account END,
  budgets = (SELECT json_group_array(value) FROM json_each(budgets)
    WHERE substr(value, 1, length(:budget)) <> :budget)
WHERE user = :user AND NOT open
"""


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
    names = {"user": user, "account": account_of_person(user), "budget": f"{person_budget(user)}@"}
    rows = connection.execute(_FORGET, names).rowcount
    (still_open,) = connection.execute(
        "SELECT count(DISTINCT id) FROM requests WHERE user = ? AND open", (user,)
    ).fetchone()
    return Forgotten(rows, still_open)
