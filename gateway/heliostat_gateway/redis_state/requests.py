"""Open requests of this process."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from heliostat_gateway.money.bookings import Booking, Head, Opening, first_booking
from heliostat_gateway.money.reservations import Counted


@dataclass
class OpenRequest:
    """`epoch` is that of the shared ledger that knows the opening; empty when only we know it."""

    opening: Opening
    head: Head
    counted: tuple[Counted, ...]
    epoch: str
    parts: dict[int, Booking] = field(default_factory=dict)
    # Whoever settles it, or makes it known to Redis, does so alone.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def bookings(self) -> list[Booking]:
        """All parts as they are, the one that is written ahead included."""
        parts = self.parts
        if 1 not in parts:
            parts = {1: first_booking(self.opening)} | parts
        return [parts[part] for part in sorted(parts)]

    def take(self, bookings: Sequence[Booking]) -> list[Booking]:
        """All parts, with these brought up to date."""
        self.parts.update({booking.part: booking for booking in bookings})
        return self.bookings

    def end(self, bookings: Sequence[Booking]) -> list[Booking]:
        """The parts in the end: one that was noted and is not among them has proved free."""
        self.parts.clear()
        return self.take(bookings)


class OpenRequests:
    """By id."""

    def __init__(self) -> None:
        self._requests: dict[str, OpenRequest] = {}

    def __contains__(self, request: str) -> bool:
        return request in self._requests

    def get(self, request: str) -> OpenRequest | None:
        """The request with this id, if it is open here."""
        return self._requests.get(request)

    def add(self, request: OpenRequest) -> None:
        """Takes in a request that was opened."""
        self._requests[request.head.id] = request

    def remove(self, request: str) -> None:
        """Forgets one that is settled."""
        self._requests.pop(request, None)

    def unknown_to(self, epoch: str) -> list[OpenRequest]:
        """Those that the shared ledger of this epoch has no reservation for."""
        return [request for request in self._requests.values() if request.epoch != epoch]

    def of(self, bookings: Iterable[Booking]) -> list[tuple[OpenRequest, list[Booking]]]:
        """Bookings by request, each brought together with its earlier parts.

        Those of requests that are not open are left out.
        """
        return [(request, request.take(parts)) for request, parts in self._open(bookings)]

    def ending(self, bookings: Iterable[Booking]) -> list[tuple[OpenRequest, list[Booking]]]:
        """Bookings by request, as the last word on it; the same requests are left out."""
        return [(request, request.end(parts)) for request, parts in self._open(bookings)]

    def _open(self, bookings: Iterable[Booking]) -> list[tuple[OpenRequest, list[Booking]]]:
        found: dict[str, list[Booking]] = {}
        for booking in bookings:
            if booking.id in self._requests:
                found.setdefault(booking.id, []).append(booking)
        return [(self._requests[name], parts) for name, parts in found.items()]
