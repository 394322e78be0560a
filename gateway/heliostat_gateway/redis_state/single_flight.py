"""Work that many wait for at the same time, and that is done once."""

import asyncio
from collections.abc import Callable, Coroutine


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
