"""The stream becomes rows: read, insert, confirm, trim."""

import asyncio
from collections.abc import Sequence
from typing import Final

from redis.exceptions import RedisError, ResponseError

from heliostat_gateway.redis_state.connection import RedisAwayError
from heliostat_gateway.redis_state.scripts import MONEY, Commands
from heliostat_gateway.storage import Storage
from heliostat_gateway.writer.records import Entry, place_of, write_entries

STREAM: Final = f"{MONEY}records"
_GROUP: Final = "writer"
_BLOCK_MILLISECONDS: Final = 200
_DEADLINE_SECONDS: Final = 2.0
_COUNT: Final = 500


class StreamConsumer:
    """Turns the stream into rows, `step` by `step`; `lock` keeps the two together for readers."""

    def __init__(self, redis: Commands, storage: Storage) -> None:
        self._redis = redis
        self._storage = storage
        self._pending = True  # what was read before and not confirmed comes first
        self._reading = asyncio.Lock()  # entries are written in their order
        self.lock = asyncio.Lock()
        self.written = 0

    async def step(self) -> int:
        """Waits a moment for entries and writes them. Returns how many there were.

        Raises RedisAwayError, StorageError; nothing is lost or doubled by trying again.
        """
        async with self._reading:
            pending, self._pending = self._pending, True  # until all of this has gone well
            entries = await self._read("0" if pending else ">")
            if entries:
                await self._write(entries)
            self._pending = pending and bool(entries)
            return len(entries)

    async def drain(self) -> None:
        """Everything that is there now."""
        await self.step()
        while await self.step():
            pass

    async def length(self) -> int:
        """Entries that are not rows yet."""
        found = await self.command("XLEN", STREAM)
        return found if isinstance(found, int) else 0

    async def command(self, *arguments: str | int | bytes) -> object:
        """Any command. Raises RedisAwayError."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._redis.execute_command(*arguments)
        except ResponseError:
            raise
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisAwayError(f"Redis: {error or type(error).__name__}") from error

    async def _write(self, entries: list[Entry]) -> None:
        async with self.lock:
            self.written += await self._storage.run(
                lambda connection: write_entries(connection, entries)
            )
            await self._confirm(entries)

    async def _read(self, start: str) -> list[Entry]:
        try:
            found = await self._read_group(start)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise RedisAwayError(f"Redis: {error}") from error
            await self.command("XGROUP", "CREATE", STREAM, _GROUP, "0", "MKSTREAM")
            found = await self._read_group(start)
        return _entries(found)

    async def _read_group(self, start: str) -> object:
        return await self.command(
            "XREADGROUP", "GROUP", _GROUP, "writer", "COUNT", _COUNT, "BLOCK", _BLOCK_MILLISECONDS,
            "STREAMS", STREAM, start,
        )  # fmt: skip

    async def _confirm(self, entries: Sequence[Entry]) -> None:
        await self.command("XACK", STREAM, _GROUP, *(entry.id for entry in entries))
        milliseconds, number = place_of(entries[-1].id)
        await self.command("XTRIM", STREAM, "MINID", f"{milliseconds}-{number + 1}")


def _entries(found: object) -> list[Entry]:
    """Entries of the one stream that was asked for: `[[name, [(id, fields), ...]]]`.

    One that was trimmed while it was pending has no fields; it had become a row.
    """
    match found:
        case None | []:
            return []
        case [[bytes(), [*items]]]:
            return [_entry(item) for item in items]
        case _:
            raise RedisAwayError("Redis gave an answer of an unknown shape.")


def _entry(item: object) -> Entry:
    match item:
        case (bytes() as name, dict() as fields):
            texts = {field.decode(): value.decode() for field, value in fields.items()}
            return Entry(name.decode(), texts)
        case _:
            raise RedisAwayError("Redis gave an answer of an unknown shape.")
