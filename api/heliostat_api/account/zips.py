"""Zip archives that are made while they are sent: no more of them than a piece is ever held."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_FASTEST: Final = 1
_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2107, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """A file of an archive; `name` is its path. `is_large`: it may have more than 2 GiB."""

    name: str
    time: datetime
    content: AsyncIterable[bytes]
    is_large: bool = False


async def pack(entries: AsyncIterable[Entry]) -> AsyncIterator[bytes]:
    """The bytes of the archive, in order. An error of a content ends it in the middle: without its
    end an archive is none, so nobody takes a part for the whole."""
    outlet = _Outlet()
    archive = ZipFile(outlet, "w", ZIP_DEFLATED, compresslevel=_FASTEST)
    async for entry in entries:
        with archive.open(_head(entry), "w", force_zip64=entry.is_large) as member:
            async for piece in entry.content:
                # Compressing takes long enough for others to wait.
                await asyncio.to_thread(member.write, piece)
                yield outlet.take()
        yield outlet.take()
    archive.close()
    yield outlet.take()


class _Outlet:
    """Where an archive is written: a file that nobody seeks in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _head(entry: Entry) -> ZipInfo:
    time = min(max(entry.time.astimezone(UTC), _EARLIEST), _LATEST)
    head = ZipInfo(entry.name, time.timetuple()[:6])
    head.compress_type = ZIP_DEFLATED
    head.external_attr = 0o600 << 16
    return head
