"""The migration of a guest: what a guest has becomes the user's when they sign in.

The promise is written first, so that a crash in the middle is mended by whoever looks next. From
then on the guest is nobody, but for a moment a replica may not know it and make something for them:
after a rest all moves again, and only then the promise is kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Put,
    Query,
    StoreError,
)
from heliostat_api.people.repository import REST, Move, PersonRepository
from heliostat_api.web.background import repeat
from heliostat_core.worlds import WorldError

COLLECTIONS: Final = ("agents", "executions", "approvals", "triggers", "deliveries")
PAUSE_SECONDS: Final = 2.0
"""Between two looks at what is on its way."""
IDLE_SECONDS: Final = 60.0
_PAGE = 50
_LOG = logging.getLogger(__name__)


class Moving(Protocol):
    """Moves one kind of things that have an owner."""

    async def move(self, before: str, after: str) -> None:
        """Everything of person `before` becomes person `after`'s, however often it is called.

        Raises StoreError and WorldError: then it is called again later.
        """


class Settling(Protocol):
    """Moves what may be written for its owner in the background, whoever that is by then."""

    async def move(self, before: str, after: str) -> bool:
        """As Moving does it, but what is written ends first; True once nothing is left.

        Raises StoreError: then it is called again later.
        """


@dataclass(frozen=True)
class MovingDocuments:
    """Moves documents with a `userId`; what lies below them goes with them."""

    documents: Documents

    async def move(self, before: str, after: str) -> None:
        """See Moving."""
        for collection in COLLECTIONS:
            while page := await self._page(collection, before):
                await self._commit([renamed(each, after) for each in page])

    async def _page(self, collection: str, owner: str) -> tuple[Document, ...]:
        """Always the first one: what was moved is not in it any more."""
        return (await self.documents.query(Query(collection, owner, limit=_PAGE))).documents

    async def _commit(self, writes: Sequence[Put]) -> None:
        """Together, or each alone where somebody else writes: what fails is read again."""
        try:
            await self.documents.commit(*writes)
        except ConflictError:
            for each in writes:
                await self._commit_one(each)

    async def _commit_one(self, write: Put) -> None:
        try:
            await self.documents.commit(write)
        except ConflictError:
            return


@dataclass(frozen=True)
class GuestMigration:
    """`movings` in the order in which they must happen: resources say whose a document is, so
    they come before the documents."""

    register: PersonRepository
    settling: Settling
    movings: Sequence[Moving]
    rest: timedelta = REST
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def move(self, guest_id: str, user_id: str) -> None:
        """Promise it, and do it as far as it goes now. Raises StoreError if not even promised."""
        if not await self.register.begin_move(guest_id, user_id):
            return
        await self._try(Move(guest_id, user_id, self.register.clock()), self._move_all)
        self._asked.set()

    async def resume(self) -> bool:
        """Do what was promised, as far as it goes now; True when all is done. Raises StoreError."""
        done = [await self._try(each, self._advance) async for each in self.register.open_moves()]
        return all(done)

    async def run(self) -> None:
        """Resumes, until it is cancelled."""
        later = "moves are looked for again in a moment"
        await repeat(self._resume_again, PAUSE_SECONDS, StoreError, later, self._asked)

    async def _resume_again(self) -> float:
        return IDLE_SECONDS if await self.resume() else PAUSE_SECONDS

    async def _try(self, move: Move, attempt: Callable[[Move], Awaitable[bool]]) -> bool:
        try:
            return await attempt(move)
        except (StoreError, WorldError, GatewayAwayError) as error:
            _LOG.warning("a guest's things are moved later: %s", error)
            return False

    async def _advance(self, move: Move) -> bool:
        """Until the rest is over only what is still written is looked at: all else has moved, and
        what somebody makes meanwhile moves together."""
        rested = self.register.clock() - move.since >= self.rest
        if not rested:
            await self.settling.move(move.guest_id, move.user_id)
            return False
        if not await self._move_all(move):
            return False
        await self.register.end_move(move.guest_id)
        return True

    async def _move_all(self, move: Move) -> bool:
        """What ends its writing first, for that may make more of the rest."""
        settled = await self.settling.move(move.guest_id, move.user_id)
        for moving in self.movings:
            await moving.move(move.guest_id, move.user_id)
        return settled


def renamed(document: Document, owner: str) -> Put:
    """The same with another owner, unless somebody wrote it meanwhile."""
    return Put(document.path, {**document.fields, OWNER: owner}, document.version)
