"""Pieces of text that come fast are put together: a screen is told twenty times a second."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from heliostat_api.chat.models import Event, TextMore

SECONDS: Final = 0.05


async def gathered(
    events: AsyncGenerator[Event, None], seconds: float = SECONDS
) -> AsyncGenerator[Event, None]:
    """The same events in order, text at most `seconds` late. Closing it closes `events`."""
    loop = asyncio.get_running_loop()
    waiting: list[str] = []
    due = 0.0
    coming: asyncio.Task[Event | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            left = max(0.0, due - loop.time()) if waiting else None
            await asyncio.wait({coming}, timeout=left)
            if waiting and (not coming.done() or not _is_text(coming) or loop.time() >= due):
                yield TextMore("".join(waiting))
                waiting.clear()
            if not coming.done():
                continue
            done, coming = coming, None
            event = done.result()
            if event is None:
                return
            if isinstance(event, TextMore):
                due = due if waiting else loop.time() + seconds
                waiting.append(event.text)
            else:
                yield event
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming
        await events.aclose()


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)


def _is_text(task: asyncio.Task[Event | None]) -> bool:
    return task.exception() is None and isinstance(task.result(), TextMore)
