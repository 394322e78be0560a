"""Revoked keys, kept on disk until they would have expired anyway."""

import sqlite3
from typing import Final

from heliostat_gateway.storage import Storage

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS revocations (key TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT
"""


class Revocations:
    """The list; every question is answered from memory, every change is on the disk first."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.run_now(lambda connection: connection.execute(_SCHEMA))
        self._expires: dict[str, int] = storage.run_now(_read)

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._expires

    def all(self) -> dict[str, int]:
        """Every revoked key and when it expires."""
        return dict(self._expires)

    async def add(self, key_id: str, expires: int, now: int) -> None:
        """Revokes a key at once, and for good when this returns. Drops what has expired.

        A clock may be a little off between operator and gateway: entries stay an hour longer.
        """
        self._expires[key_id] = max(expires, self._expires.get(key_id, 0))
        expired = [key for key, end in self._expires.items() if end < now - 3600]

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO revocations VALUES (?, ?) ON CONFLICT (key) DO UPDATE "
                "SET expires = max(expires, excluded.expires)",
                (key_id, expires),
            )
            connection.executemany(
                "DELETE FROM revocations WHERE key = ?", [(key,) for key in expired]
            )

        await self._storage.run(work)
        for key in expired:
            if key != key_id:
                self._expires.pop(key, None)


def _read(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT key, expires FROM revocations").fetchall())
