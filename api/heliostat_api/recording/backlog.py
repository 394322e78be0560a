"""The backlog holds changes that wait to be recorded, and of a long one only what matters.

Two thousand runs that are cancelled by one request change some ten thousand times; each change that
is recorded costs commits, while people read. Who reads late reads only where things are by then, as
after any reconnection of a watch.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator

from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import Change

SHORT = 32
"""With so few that wait, every change is recorded."""
MOST = 1000
"""So many wait in memory, some kilobytes each; the watch waits with the others."""


async def latest(
    changes: AsyncIterator[Change], short: int = SHORT, most: int = MOST
) -> AsyncGenerator[Change, None]:
    """The changes in their order. While more than `short` wait, one whose object has changed again
    is left out. What ends `changes` is raised when those before it were taken."""
    backlog = _Backlog(short, most)
    reader = asyncio.create_task(backlog.fill(changes))
    try:
        while (change := await backlog.take()) is not None:
            yield change
        await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


class _Backlog:
    """Changes by their number, the oldest first; `_last` has the number of each object's last."""

    def __init__(self, short: int, most: int) -> None:
        self._short, self._most = short, most
        self._waiting: OrderedDict[int, tuple[str, Change]] = OrderedDict()
        self._last: dict[str, int] = {}
        self._count = 0
        self._is_over = False
        self._moved = asyncio.Condition()

    async def fill(self, changes: AsyncIterator[Change]) -> None:
        try:
            async for change in changes:
                await self._put(change)
        finally:
            self._is_over = True
            async with self._moved:
                self._moved.notify_all()

    async def take(self) -> Change | None:
        """The oldest one that waits; None when no further one comes."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._waiting or self._is_over)
            if not self._waiting:
                return None
            number, (uid, change) = self._waiting.popitem(last=False)
            if self._last.get(uid) == number:
                del self._last[uid]
            self._moved.notify_all()
            return change

    async def _put(self, change: Change) -> None:
        uid = ObjectHead.model_validate(change.object).metadata.uid
        async with self._moved:
            await self._moved.wait_for(lambda: len(self._waiting) < self._most)
            earlier = self._last.get(uid)
            if earlier is not None and len(self._waiting) > self._short and _tells_all(change):
                del self._waiting[earlier]
            self._count += 1
            self._waiting[self._count] = uid, change
            self._last[uid] = self._count
            self._moved.notify_all()


def _tells_all(change: Change) -> bool:
    """Not where only the head is left of an object that went while nobody looked."""
    return "spec" in change.object
