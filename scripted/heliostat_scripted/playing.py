"""Plays an answer in real time and keeps its line on the bill true."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

from heliostat_scripted.bill import BillLine
from heliostat_scripted.moments import Cut, Moment, Pause
from heliostat_scripted.rendering import Piece, Report
from heliostat_scripted.scenario import UsageSpec
from heliostat_scripted.script import Wait

PING_SECONDS = 10.0
_FOREVER = 3600.0 * 24


class CutError(Exception):
    """The script breaks the connection here."""


async def play(
    moments: Iterator[Moment], usage: UsageSpec, line: BillLine, ping: bytes = b""
) -> AsyncGenerator[bytes, None]:
    """The bytes of an answer as they come; however it ends, the bill gets the last word.

    `ping` is sent in long silences. Raises CutError.
    """
    try:
        for moment in moments:
            if isinstance(moment, Piece):
                _account(moment, usage, line)
                yield moment.raw
            elif isinstance(moment, Pause):
                await asyncio.sleep(moment.seconds)
            elif isinstance(moment, Cut):
                raise CutError("The scripted provider cut the connection.")
            else:
                line.write()
                async for silence in _silence(moment, ping):
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
