"""One model call from admission to settlement: whatever happens in between is booked once."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from heliostat_gateway.bookings import Booking, Opening
from heliostat_gateway.callers import Caller
from heliostat_gateway.calls import OpenCall, OpenCalls
from heliostat_gateway.ledger import Ledger
from heliostat_gateway.meter import Meter
from heliostat_gateway.metrics import Metrics
from heliostat_gateway.plans import Candidate
from heliostat_gateway.prices import Rates, cost_nanos
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.storage import StorageError
from heliostat_gateway.usage import Usage

_LOG = logging.getLogger(__name__)
_NOTE_SECONDS = 0.25


@dataclass(frozen=True)
class Books:
    """Where calls are registered, booked and counted."""

    ledger: Ledger
    calls: OpenCalls
    metrics: Metrics


class Exchange:
    """A call's row in the ledger and its place among the open calls."""

    def __init__(
        self,
        books: Books,
        caller: Caller,
        route: Candidate,
        model: str,
        headers: dict[str, str],
        size: int,
    ) -> None:
        self.id = headers["x-heliostat-request-id"]
        self.caller = caller
        self.route = route
        self.model = model  # as the caller named it
        self.call = OpenCall(caller.key)
        self.meter = Meter(size)
        self.answer: ProviderAnswer | None = None
        self.events: AsyncGenerator[bytes, None] | None = None  # of a streamed answer
        self.headers = headers  # what the caller is told of the call
        self._books = books
        self._started = time.time()
        self._notes: asyncio.Task[None] | None = None
        books.calls.add(self.call)
        books.metrics.open_calls.inc()

    async def open(self, session: str) -> None:
        """Writes the row ahead of the call. Raises CapReachedError, StorageError."""
        usage = self.meter.usage()
        await self._books.ledger.open(
            Opening(
                id=self.id,
                caller=self.caller,
                session=session,
                provider=self.route.provider.name,
                model=self.model,
                started_ms=int(self._started * 1000),
                usage=usage,
                cost_nanos=self._cost(usage),
            )
        )
        self._notes = asyncio.create_task(self._keep_noting())

    def answered(self) -> None:
        """Notes how long the first answer took."""
        seconds = time.time() - self._started
        self._books.metrics.first_byte.labels(self.route.provider.name).observe(seconds)

    def forget(self) -> None:
        """Ends an exchange that never got a row."""
        self._books.metrics.open_calls.dec()
        self._books.calls.remove(self.call)

    async def settle(self, outcome: str, *, free: bool = False) -> None:
        """Cancels the provider's call if it still runs and books it, whoever is cancelled."""
        await asyncio.shield(asyncio.ensure_future(self._settle(outcome, free)))

    def close(self) -> None:
        """After settlement and the last byte: whoever ended this call may go on."""
        self.forget()

    async def _settle(self, outcome: str, free: bool) -> None:
        if self._notes is not None:
            self._notes.cancel()
        if self.events is not None:
            await self.events.aclose()
        if self.answer is not None:
            await self.answer.chunks.aclose()
        usage = Usage() if free else self.meter.usage()
        booking = self._booking(usage, outcome, estimated=not (free or self.meter.final))
        try:
            await self._books.ledger.settle(booking, int(time.time() * 1000))
        except StorageError:
            # The row stays open, keeps its reservation and is booked at the next start.
            _LOG.exception("request %s could not be settled", self.id)
        self._books.metrics.settled(self.route.provider.name, booking)

    async def _keep_noting(self) -> None:
        """Keeps the row near the truth, for the case that this process is killed."""
        noted = self.meter.usage()
        while True:
            await asyncio.sleep(_NOTE_SECONDS)
            usage = self.meter.usage()
            if usage == noted:
                continue
            try:
                await self._books.ledger.note([self._booking(usage, "open", estimated=True)])
                noted = usage
            except StorageError as error:
                _LOG.warning("request %s could not be noted: %s", self.id, error)

    def _booking(self, usage: Usage, outcome: str, *, estimated: bool) -> Booking:
        return Booking(
            id=self.id,
            usage=usage,
            cost_nanos=self._cost(usage),
            reported=self.meter.has_report,
            estimated=estimated,
            outcome=outcome,
            provider_request=self.answer.request_id if self.answer is not None else "",
        )

    def _cost(self, usage: Usage) -> int:
        try:
            return cost_nanos(self.route.rates, usage)
        except KeyError as error:
            self._books.metrics.unpriced.inc()
            _LOG.error("request %s used %s, which has no price", self.id, error)
            return _cost_of_known(self.route.rates, usage)


def _cost_of_known(rates: Rates, usage: Usage) -> int:
    """All but what has no price at all (searches of a model without a price for them)."""
    return cost_nanos(rates, Usage(**(vars(usage) | {"web_searches": 0})))
