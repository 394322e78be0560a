"""How loops in the background are ended."""

import asyncio
from collections.abc import Iterable
from typing import Final

_AGAIN_SECONDS: Final = 0.5


async def end_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancels tasks and waits for them.

    More than once: a client that is cancelled in the middle of a reconnect may swallow it.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
