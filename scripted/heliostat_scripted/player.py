"""Plays an answer in real time and keeps its line on the bill true."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

from heliostat_scripted.bill import BillLine
from heliostat_scripted.rendering import Piece, Report
from heliostat_scripted.scenario import UsageSpec
from heliostat_scripted.script import Wait
from heliostat_scripted.stream_events import Cut, Pause, StreamEvent

PING_SECONDS = 10.0
_FOREVER = 3600.0 * 24


class CutError(Exception):
    """The script breaks the connection here."""


async def play(
    events: Iterator[StreamEvent], usage: UsageSpec, line: BillLine, ping: bytes = b""
) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of an answer as they come; however it ends, its last state is billed.

    `ping` is sent in long silences. Raises CutError.
    """
    try:
        for event in events:
            if isinstance(event, Piece):
                _account(event, usage, line)
                yield event.raw
            elif isinstance(event, Pause):
                await asyncio.sleep(event.seconds)
            elif isinstance(event, Cut):
                raise CutError("The scripted provider cut the connection.")
            else:
                line.write()
                async for silence in _silence(event, ping):
                    yield silence
    finally:
        line.write()


def _account(piece: Piece, usage: UsageSpec, line: BillLine) -> None:
    line.characters += piece.characters
    if piece.report is Report.REFUSAL and not line.began:
        line.refused = True
    line.began = line.began or bool(piece.raw)
    if piece.report is Report.INPUT:
        line.reported = usage
    elif piece.report is Report.FINAL:
        line.final = usage


async def _silence(wait: Wait, ping: bytes) -> AsyncGenerator[bytes, None]:
    """Waits, with pings as the real API sends them; a stall has none."""
    if wait.seconds is None:
        await asyncio.sleep(_FOREVER)
        return
    left = wait.seconds
    while left > PING_SECONDS:
        await asyncio.sleep(PING_SECONDS)
        left -= PING_SECONDS
        if ping:
            yield ping
    await asyncio.sleep(left)
