"""Erasing removes all that a person has, once they said so.

The promise is written first and ends their sessions; from then on nothing of theirs is made,
recorded or taken from runs. What could still write is stopped, everything on its way gets a rest
to arrive, then all is removed. A crash anywhere is mended by whoever looks next.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from heliostat_api.documents.port import Document, StoreError
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.people.repository import REST, Erasure, PersonRepository
from heliostat_api.web.background import repeat
from heliostat_core.worlds import WorldError

PAUSE_SECONDS: Final = 2.0
"""Between two looks at what is on its way."""
IDLE_SECONDS: Final = 60.0
_LOG = logging.getLogger(__name__)


class EraserAwayError(Exception):
    """What has to forget the person can't be reached now; the text says who."""


class Eraser(Protocol):
    """Erases one kind of things that have an owner."""

    async def erase(self, person_id: str) -> bool:
        """Everything of the person goes, however often this is called; True once nothing is left.

        Raises StoreError, WorldError, EraserAwayError: then it is called again later.
        """


@dataclass(frozen=True)
class Erasing:
    """`stopping`: what could still write ends. `removing`: what is written goes, in this order."""

    register: PersonRepository
    stopping: Sequence[Eraser]
    removing: Sequence[Eraser]
    revocations: SessionRevocations
    rest: timedelta = REST
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, person_id: str, known: Document | None = None) -> None:
        """Promises it: from now on the person is nobody. Raises StoreError.

        `known` is their document as the promise expects it to be: ConflictError when it is not.
        """
        await self.register.begin_erasing(person_id, known)
        self._asked.set()
        await self.revocations.tell(person_id)

    async def resume(self) -> bool:
        """Does what was promised, as far as it goes now; True when all is done.

        Raises StoreError.
        """
        done = [await self._try(each) async for each in self.register.open_erasures()]
        return all(done)

    async def run(self) -> None:
        """Resumes, until it is cancelled."""
        later = "erasing goes on in a moment"
        await repeat(self._resume_again, PAUSE_SECONDS, StoreError, later, self._asked)

    async def _resume_again(self) -> float:
        return IDLE_SECONDS if await self.resume() else PAUSE_SECONDS

    async def _try(self, erasure: Erasure) -> bool:
        try:
            return await self._advance(erasure)
        except (StoreError, WorldError, EraserAwayError) as error:
            _LOG.warning("a person's things are erased later: %s", error)
            return False

    async def _advance(self, erasure: Erasure) -> bool:
        stopped = await self._all(self.stopping, erasure.person_id)
        rested = self.register.clock() - erasure.since >= self.rest
        done = stopped and rested and await self._all(self.removing, erasure.person_id)
        if done:
            await self.register.forget(erasure.person_id)
        return done

    async def _all(self, erasers: Sequence[Eraser], person_id: str) -> bool:
        """One after the other: what is not done yet holds up those behind it."""
        for each in erasers:
            if not await each.erase(person_id):
                return False
        return True
