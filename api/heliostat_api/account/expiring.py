"""Expiry: a guest who stays away for long leaves nothing behind.

Every replica may look; what happens to a guest is decided by one write that fails where the guest
came again meanwhile.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Protocol

from heliostat_api.account.erasing import Erasing
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.documents.port import ConflictError, Document, Fields, StoreError
from heliostat_api.people.repository import PersonRepository, path_of
from heliostat_api.people.sessions import LIFETIME
from heliostat_api.web.background import repeat
from heliostat_core.worlds import WorldError

GRACE: Final = timedelta(days=30)
"""Between the end of a guest's agents and the end of all that they have."""
PAUSE_SECONDS: Final = 3600.0
_LOG = logging.getLogger(__name__)


class ExpiryDecision(Enum):
    """Decides what becomes of a guest now."""

    STAY = auto()
    STOP = auto()
    """Their agents start nothing any more."""
    ERASE = auto()
    """All that they have goes."""
    FORGET = auto()
    """They became a user long ago: no session of theirs is left to know."""


class Stopping(Protocol):
    """Ends what a person's agents do by themselves."""

    async def stop(self, person: Person) -> None:
        """May be called again. Raises StoreError and WorldError."""


def fate_of(guest: Fields, now: datetime) -> ExpiryDecision:
    """Decided by what the register says of them; pure."""
    last_seen, expired = guest.get("lastSeen"), guest.get("expiredTime")
    away = now - last_seen if isinstance(last_seen, datetime) else timedelta(0)
    if guest.get("isErasing") is True or guest.get("isMoving") is True or away < LIFETIME:
        return ExpiryDecision.STAY
    if guest.get("movedTo") is not None:
        return ExpiryDecision.FORGET if away >= LIFETIME + GRACE else ExpiryDecision.STAY
    if not isinstance(expired, datetime) or guest.get("isStopping") is True:
        return ExpiryDecision.STOP
    return ExpiryDecision.ERASE if now - expired >= GRACE else ExpiryDecision.STAY


@dataclass(frozen=True)
class Expiring:
    """Stops and erases what guests have who stay away."""

    register: PersonRepository
    stopping: Stopping
    erasing: Erasing

    async def run(self) -> None:
        """Sweeps every hour, until it is cancelled."""
        later = "guests who are away are looked for again later"
        await repeat(self.sweep, PAUSE_SECONDS, StoreError, later)

    async def sweep(self) -> None:
        """Once. Raises StoreError."""
        async for guest in self.register.guests_seen_before(self.register.clock() - LIFETIME):
            try:
                await self._meet(guest)
            except ConflictError:
                continue  # they came again, or another replica is at it
            except (StoreError, WorldError) as error:
                _LOG.warning("a guest who is away is looked at again later: %s", error)

    async def _meet(self, guest: Document) -> None:
        match fate_of(guest.fields, self.register.clock()):
            case ExpiryDecision.STAY:
                return
            case ExpiryDecision.STOP:
                await self._stop(guest)
            case ExpiryDecision.ERASE:
                await self.erasing.begin(guest.id, guest)
            case ExpiryDecision.FORGET:
                await self.register.forget(guest.id)

    async def _stop(self, guest: Document) -> None:
        """The mark comes first and is taken off last: a crash in between is mended."""
        if guest.fields.get("isStopping") is not True:
            marks: Fields = {"expiredTime": self.register.clock(), "isStopping": True}
            await self.register.change(guest, marks)
        await self.stopping.stop(Person(guest.id, PersonKind.GUEST))
        stopped = await self.register.documents.get(path_of(guest.id))
        if stopped is not None and stopped.fields.get("isStopping") is True:
            await self.register.change(stopped, {"isStopping": False})
