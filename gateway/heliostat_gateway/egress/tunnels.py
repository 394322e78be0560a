"""Bytes in both directions, until both ends are done, nothing moves, or the time is over."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

PIECE: Final = 64 * 1024
"""Bytes that are held of each direction; a slow reader makes its writer wait."""


@dataclass(frozen=True)
class End:
    """One side of a tunnel."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def close(self) -> None:
        """Whatever is left of it."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@dataclass(frozen=True)
class Limits:
    """In seconds."""

    idle: float
    longest: float


async def carry(
    client: End, server: End, limits: Limits, count: Callable[[str, int], None]
) -> None:
    """Until it is over; both ends are for the caller to close."""
    loop = asyncio.get_running_loop()
    moved = loop.time()

    async def pump(source: End, target: End, direction: str) -> None:
        nonlocal moved
        while piece := await source.reader.read(PIECE):
            moved = loop.time()
            count(direction, len(piece))
            target.writer.write(piece)
            await target.writer.drain()
            moved = loop.time()
        if target.writer.can_write_eof():
            target.writer.write_eof()

    async def watch() -> None:
        while (left := moved + limits.idle - loop.time()) > 0:
            await asyncio.sleep(left)

    pumps = asyncio.gather(pump(client, server, "out"), pump(server, client, "in"))
    idle = asyncio.ensure_future(watch())
    try:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(limits.longest):
                await asyncio.wait((pumps, idle), return_when=asyncio.FIRST_COMPLETED)
    finally:
        idle.cancel()
        pumps.cancel()
        with suppress(OSError, asyncio.CancelledError):
            await pumps
