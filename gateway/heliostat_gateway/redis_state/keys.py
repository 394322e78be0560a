"""User and service keys in Redis: one hash, and a channel that says each change to all replicas.

A Redis that has lost its memory counts as one that is away, until the writer has put back what it
has on its disk: a key that is not there may well exist.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Final

from pydantic import ValidationError
from redis.asyncio import Redis

from heliostat_gateway.access.key_store import USES_SECONDS, KeyStore, list_keys
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
from heliostat_gateway.redis_state.connection import PREFIX, text_of
from heliostat_gateway.redis_state.listening import AWAY, Listener
from heliostat_gateway.storage import StorageError
from heliostat_gateway.tasks import end_task

_LOG = logging.getLogger(__name__)
_KEYS = f"{PREFIX}keys"  # the hash, and the channel of its changes
_USES = f"{PREFIX}keys:used"
_FILLED: Final = f"{PREFIX}keys:filled"  # set by the writer; also what it says on the channel
_TRIES = 10

# A change of what another replica changed meanwhile is refused and tried anew: else a rotation
# could bring a revoked key back to life.
_REPLACE = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', KEYS[1], ARGV[3])
return 1
"""


class SharedKeyStore(KeyStore):
    """Keys of all replicas. While Redis is away, the known ones work and none can be changed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._replace = redis.register_script(_REPLACE)
        self._listener = Listener(redis, _KEYS, self._read, self._hear)
        self._records: dict[str, KeyRecord] = {}
        self._is_filled = False
        self._uses: dict[str, int] = {}  # not yet written
        self._saving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads the keys and begins to follow changes."""
        await self._listener.start()
        self._saving = asyncio.create_task(self._keep_saving())

    async def close(self) -> None:
        """Writes the last times of use, if Redis is there."""
        if self._saving is not None:
            await end_task(self._saving)
        if self._listener.is_connected:
            with contextlib.suppress(*AWAY):
                await self._save_uses()
        await self._listener.close()

    def find(self, key_id: str) -> KeyRecord | None:
        """The key with this id."""
        return self._records.get(key_id)

    def is_complete(self) -> bool:
        """False while Redis is away, or empty: another replica may have made a key."""
        return self._listener.is_connected and self._is_filled

    def note_use(self, key_id: str, now: int) -> None:
        """The key was used."""
        self._uses[key_id] = now

    async def create(self, wanted: WantedKey, now: int) -> IssuedKey:
        """A new key."""
        issued = issue_key(wanted, now)
        if not await self._put("", issued.record):
            raise StorageError("The new key's id is taken already: ask again.")
        return issued

    async def list(self, prefix: str) -> list[ListedKey]:
        """The keys whose id begins so, as Redis has them now."""
        try:
            await self._save_uses()
            stored = await self._redis.hgetall(_KEYS)
            found = await self._redis.hgetall(_USES)
        except AWAY as error:
            raise _away(error) from error
        used = {text_of(key_id): int(time) for key_id, time in found.items()}
        records = [KeyRecord.model_validate_json(each) for each in stored.values()]
        return list_keys(records, used, prefix)

    async def rotate(self, key_id: str, grace_seconds: int, now: int) -> IssuedKey:
        """A new secret."""
        for _ in range(_TRIES):
            before, record = await self._fetch(key_id)
            issued = rotate_key(record, grace_seconds, now)
            if await self._put(before, issued.record):
                return issued
        raise _busy(key_id)

    async def revoke(self, key_id: str, now: int) -> KeyRecord:
        """Ends a key."""
        for _ in range(_TRIES):
            before, record = await self._fetch(key_id)
            revoked = revoke_key(record, now)
            if await self._put(before, revoked):
                return revoked
        raise _busy(key_id)

    def records(self) -> tuple[KeyRecord, ...]:
        """All keys that are known here."""
        return tuple(self._records.values())

    async def was_filled(self) -> bool:
        """False for a Redis that has lost its memory. Raises StorageError."""
        try:
            return bool(await self._redis.exists(_FILLED))
        except AWAY as error:
            raise _away(error) from error

    async def fill(self, kept: Iterable[ListedKey]) -> None:
        """Puts back what is not there; a revoked key is never good again. Raises StorageError."""
        try:
            stored = await self._redis.hgetall(_KEYS)
            for each in kept:
                if not await self._restore(each, stored.get(each.record.id.encode(), b"")):
                    raise _busy(each.record.id)
            await self._redis.set(_FILLED, 1)
            await self._redis.publish(_KEYS, _FILLED)
        except AWAY as error:
            raise _away(error) from error

    async def _restore(self, kept: ListedKey, before: bytes | str) -> bool:
        record = kept.record
        if before:
            known = KeyRecord.model_validate_json(before)
            if record.revoked is None or known.revoked is not None:
                return True
            record = revoke_key(known, record.revoked)
        if kept.last_used is not None:
            await self._redis.hsetnx(_USES, record.id, str(kept.last_used))
        return await self._put(text_of(before), record)

    async def _fetch(self, key_id: str) -> tuple[str, KeyRecord]:
        """The stored text and what it says. Raises NoSuchKeyError, StorageError."""
        try:
            found = await self._redis.hget(_KEYS, key_id)
        except AWAY as error:
            raise _away(error) from error
        if found is None and not self._is_filled:
            raise StorageError("The writer has not put the keys into Redis yet: ask again.")
        if found is None:
            raise NoSuchKeyError(key_id)
        return text_of(found), KeyRecord.model_validate_json(found)

    async def _put(self, before: str, record: KeyRecord) -> bool:
        """False when it is not `before` any more that is stored. Raises StorageError."""
        try:
            reply: object = await self._replace(
                keys=[_KEYS], args=[record.id, before, record.model_dump_json()]
            )
        except AWAY as error:
            self._listener.doubt()
            raise _away(error) from error
        if reply == 1:
            self._records[record.id] = record
        return reply == 1

    async def _read(self) -> None:
        self._is_filled = bool(await self._redis.exists(_FILLED))
        stored = await self._redis.hgetall(_KEYS)
        self._records.clear()
        for document in stored.values():
            self._hear(document)

    def _hear(self, message: bytes | str) -> None:
        if text_of(message) == _FILLED:
            self._is_filled = True
            return
        try:
            record = KeyRecord.model_validate_json(message)
        except ValidationError as error:
            _LOG.error("a stored key can't be read: %d mistakes", error.error_count())
            return
        self._records[record.id] = record

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(USES_SECONDS)
            if self._listener.is_connected:
                try:
                    await self._save_uses()
                except AWAY:
                    self._listener.doubt()

    async def _save_uses(self) -> None:
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await self._redis.hset(_USES, mapping={key_id: used for key_id, used in uses.items()})
        except AWAY:
            self._uses = uses | self._uses
            raise


def _away(error: Exception) -> StorageError:
    return StorageError(f"Redis can't be reached, so keys can't be read or changed now: {error}")


def _busy(key_id: str) -> StorageError:
    return StorageError(f"The key {key_id} is being changed by others: ask again.")
