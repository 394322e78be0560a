"""Ending a key: remembered for good, refused from now on, and its open streams ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from heliostat_gateway.access.keyring import Revocations

# Ends the open calls of a key in this process, waits until each is booked, and counts them.
EndCalls: TypeAlias = Callable[[str], Awaitable[int]]


@dataclass(frozen=True)
class Revoked:
    """The result of a revocation."""

    streams_ended: int  # on all replicas that answered
    everywhere: bool  # whether all replicas have confirmed it; those that have not hear it later


class Revoker(Protocol):
    """Ends keys on every replica."""

    async def start(self) -> None:
        """Begins to hear of what others revoke."""

    async def close(self) -> None:
        """Stops hearing."""

    async def revoke(self, key_id: str, expires: int, now: int) -> Revoked:
        """Revokes a key until it expires (seconds since the epoch).

        When this returns it is on this replica's disk and its streams here are ended and booked.
        Raises StorageError.
        """


@dataclass(frozen=True)
class LocalRevoker(Revoker):
    """Revokes in the one process that there is."""

    revocations: Revocations
    end: EndCalls

    async def start(self) -> None:
        """Nobody to hear."""

    async def close(self) -> None:
        """Nobody to hear."""

    async def revoke(self, key_id: str, expires: int, now: int) -> Revoked:
        """Revokes a key."""
        await self.revocations.add(key_id, expires, now)
        return Revoked(await self.end(key_id), everywhere=True)
