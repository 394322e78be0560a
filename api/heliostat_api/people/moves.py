"""Moves: what a guest has becomes theirs for good when they sign in.

The promise is written first, so that a crash in the middle is mended by whoever looks next.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Put,
    Query,
    StoreError,
)
from heliostat_api.gateway.client import GatewayAwayError
from heliostat_api.people.register import Register
from heliostat_core.worlds import WorldError

COLLECTIONS: Final = ("agents", "executions", "conversations", "triggers", "deliveries")
PAUSE_SECONDS: Final = 60.0
_PAGE = 50
_LOG = logging.getLogger(__name__)


class Moving(Protocol):
    """One kind of things that have an owner."""

    async def move(self, before: str, after: str) -> None:
        """Everything of person `before` becomes person `after`'s, however often it is called.

        Raises StoreError and WorldError: then it is called again later.
        """


@dataclass(frozen=True)
class MovingDocuments:
    """Documents with a `userId`; what lies below them goes with them."""

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
class Moves:
    """`movings` in the order in which they must happen: resources say whose a document is, so
    they come before the documents."""

    register: Register
    movings: Sequence[Moving]

    async def move(self, guest_id: str, user_id: str) -> None:
        """Promise it, and do it as far as it goes now. Raises StoreError if not even promised."""
        if await self.register.begin_move(guest_id, user_id):
            await self._try(guest_id, user_id)

    async def resume(self) -> None:
        """Do what was promised and not done. Raises StoreError."""
        async for guest_id, user_id in self.register.open_moves():
            await self._try(guest_id, user_id)

    async def run(self) -> None:
        """Resumes, until it is cancelled."""
        while True:
            try:
                await self.resume()
            except StoreError as error:
                _LOG.warning("moves are looked for again in a moment: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, guest_id: str, user_id: str) -> None:
        try:
            for moving in self.movings:
                await moving.move(guest_id, user_id)
            await self.register.end_move(guest_id)
        except (StoreError, WorldError, GatewayAwayError) as error:
            _LOG.warning("a guest's things are moved later: %s", error)


def renamed(document: Document, owner: str) -> Put:
    """The same with another owner, unless somebody wrote it meanwhile."""
    return Put(document.path, {**document.fields, OWNER: owner}, document.version)
