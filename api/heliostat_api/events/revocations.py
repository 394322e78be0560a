"""Revocations: every open connection of a person hears that they lost a right.

A stream or a WebSocket says whose it is once, when it begins. So each asks again when it is told
to, and now and then by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

from heliostat_api.documents.port import StoreError
from heliostat_api.events.log import EventLog, Report, ReportType

LOOK_SECONDS: Final = 15.0
"""How often a connection looks whether its session has run out."""
ASK_SECONDS: Final = 60.0
"""How often it asks anew who it is, though nobody told it to: a word may be lost."""


def topic_of_revocations(person_id: str) -> str:
    """Where all connections of a person listen, at whichever replica."""
    return f"ending:{person_id}"


@dataclass(frozen=True)
class SessionRevocations:
    """Publishes that a person lost a right."""

    log: EventLog
    clock: Callable[[], datetime]

    async def tell(self, person_id: str) -> None:
        """Something of theirs is over: every connection asks anew. Raises StoreError."""
        report = Report(ReportType.RIGHTS_CHANGED, self.clock(), {})
        await self.log.append(topic_of_revocations(person_id), report)


class StreamLease:
    """How long one connection may go on. `asks` says whether it still may, read anew; `has_end`
    whether what it was opened with has run out, without asking anybody."""

    def __init__(
        self,
        person_id: str,
        asks: Callable[[], Awaitable[bool]],
        has_end: Callable[[], bool] = lambda: False,
    ) -> None:
        self.audience = topic_of_revocations(person_id)
        self._asks = asks
        self._has_end = has_end
        self._asked = monotonic()

    async def holds(self, *, is_told: bool = False) -> bool:
        """`is_told`: something was heard in `audience`."""
        if self._has_end():
            return False
        if not is_told and monotonic() - self._asked < ASK_SECONDS:
            return True
        self._asked = monotonic()
        return await self._asks()

    async def until_over(self, log: EventLog) -> None:
        """Returns when the connection must end: for one that waits for something else besides."""
        cursor: int | None = None
        is_told = False
        while await self.holds(is_told=is_told):
            try:
                cursor, is_told = await self._listen(log, cursor)
            except StoreError:  # a log that is away says nothing; we ask now and then
                await asyncio.sleep(LOOK_SECONDS)

    async def _listen(self, log: EventLog, cursor: int | None) -> tuple[int, bool]:
        """Waits a while. The next cursor, and whether something was said."""
        begin = await log.end() if cursor is None else cursor
        await log.wait([self.audience], begin, LOOK_SECONDS)
        found = await log.read([self.audience], begin)
        end = await log.end() if found.has_gap else found.end
        return end, found.has_gap or bool(found.reports)
