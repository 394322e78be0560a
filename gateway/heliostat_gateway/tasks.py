"""Asyncio's tasks: how those in the background end, and how many wait for one piece of work."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

_AGAIN_SECONDS: Final = 0.5


async def end_task(*tasks: asyncio.Task[None]) -> None:
    """Cancels tasks and waits for their end.

    More than once: a client of Redis that is cancelled in the middle of a reconnect may swallow it.
    To await the task itself and suppress its cancellation would also lose one of the caller that
    comes meanwhile.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)


class SingleFlight:
    """Runs one piece of work for each key at a time; callers that come meanwhile join it."""

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[None]] = {}

    async def join(self, key: str, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Waits for `work` of this key. Raises what it raises; one that leaves ends nothing."""
        flying = self._flying.get(key)
        if flying is None:
            flying = self._flying[key] = asyncio.create_task(work())
            flying.add_done_callback(lambda task: self._land(key, task))
        await asyncio.shield(flying)

    def _land(self, key: str, flying: "asyncio.Task[None]") -> None:
        del self._flying[key]
        if not flying.cancelled():
            flying.exception()  # whoever waited may have gone
