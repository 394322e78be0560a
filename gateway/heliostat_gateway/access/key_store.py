"""Where user and service keys are kept: every question is answered from memory."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from heliostat_gateway.access.keys import (
    IssuedKey,
    KeyRecord,
    ListedKey,
    NoSuchKeyError,
    WantedKey,
    issue_key,
    revoke_key,
    rotate_key,
)
from heliostat_gateway.storage import Storage, StorageError
from heliostat_gateway.tasks import end_task

_LOG = logging.getLogger(__name__)
USES_SECONDS: Final = 5.0  # how often the times of last use are written
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, used INTEGER
) STRICT
"""


class KeyStore(Protocol):
    """All keys. A change is durable when it returns, and raises StorageError when it can't be."""

    async def start(self) -> None:
        """Reads the keys and begins to follow changes."""

    async def close(self) -> None:
        """Writes what is not written yet."""

    def find(self, key_id: str) -> KeyRecord | None:
        """The key with this id, revoked or not."""

    def is_complete(self) -> bool:
        """Whether a key that is not found does not exist; false while the others are not heard."""

    def note_use(self, key_id: str, now: int) -> None:
        """The key was used; written a little later."""

    async def create(self, wanted: WantedKey, now: int) -> IssuedKey:
        """A new key."""

    async def list(self, prefix: str) -> list[ListedKey]:
        """The keys whose id begins so, oldest first."""

    async def rotate(self, key_id: str, grace_seconds: int, now: int) -> IssuedKey:
        """A new secret. Raises NoSuchKeyError, KeyIsRevokedError."""

    async def revoke(self, key_id: str, now: int) -> KeyRecord:
        """Ends a key. Raises NoSuchKeyError."""


class SqliteKeyStore(KeyStore):
    """Keys of the one process that holds the storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.run_now(lambda connection: connection.execute(_SCHEMA))
        self._records, self._used = storage.run_now(_read)
        self._unsaved: set[str] = set()
        self._saving: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Begins to write times of last use."""
        self._saving = asyncio.create_task(self._keep_saving())

    async def close(self) -> None:
        """Writes the last times of use."""
        if self._saving is not None:
            await end_task(self._saving)
        await self._save_uses()

    def find(self, key_id: str) -> KeyRecord | None:
        """The key with this id."""
        return self._records.get(key_id)

    def is_complete(self) -> bool:
        """No other process makes keys."""
        return True

    def note_use(self, key_id: str, now: int) -> None:
        """The key was used."""
        self._used[key_id] = now
        self._unsaved.add(key_id)

    async def create(self, wanted: WantedKey, now: int) -> IssuedKey:
        """A new key."""
        issued = issue_key(wanted, now)
        await self.put(issued.record)
        return issued

    async def list(self, prefix: str) -> list[ListedKey]:
        """The keys whose id begins so."""
        return list_keys(self._records.values(), self._used, prefix)

    async def rotate(self, key_id: str, grace_seconds: int, now: int) -> IssuedKey:
        """A new secret."""
        async with self._changing:
            issued = rotate_key(self._known(key_id), grace_seconds, now)
            await self.put(issued.record)
        return issued

    async def revoke(self, key_id: str, now: int) -> KeyRecord:
        """Ends a key."""
        async with self._changing:
            revoked = revoke_key(self._known(key_id), now)
            await self.put(revoked)
        return revoked

    def _known(self, key_id: str) -> KeyRecord:
        record = self._records.get(key_id)
        if record is None:
            raise NoSuchKeyError(key_id)
        return record

    async def put(self, record: KeyRecord) -> None:
        """Stores a key as it is. Raises StorageError."""
        document = record.model_dump_json()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO keys (id, document) VALUES (?, ?) "
                "ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                (record.id, document),
            )

        await self._storage.run(work)
        self._records[record.id] = record

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(USES_SECONDS)
            try:
                await self._save_uses()
            except StorageError as error:
                _LOG.warning("times of last use could not be written: %s", error)

    async def _save_uses(self) -> None:
        if not self._unsaved:
            return
        used = [(self._used[key_id], key_id) for key_id in self._unsaved]
        self._unsaved.clear()
        await self._storage.run(
            lambda connection: connection.executemany("UPDATE keys SET used = ? WHERE id = ?", used)
        )


def list_keys(
    records: Iterable[KeyRecord], used: Mapping[str, int], prefix: str
) -> list[ListedKey]:
    """The keys whose id begins so, oldest first."""
    found = [each for each in records if each.id.startswith(prefix)]
    found.sort(key=lambda each: (each.created, each.id))
    return [ListedKey(each, used.get(each.id)) for each in found]


def _read(connection: sqlite3.Connection) -> tuple[dict[str, KeyRecord], dict[str, int]]:
    rows: list[tuple[str, str, int | None]] = connection.execute(
        "SELECT id, document, used FROM keys"
    ).fetchall()
    records = {row[0]: KeyRecord.model_validate_json(row[1]) for row in rows}
    return records, {row[0]: row[2] for row in rows if row[2] is not None}
