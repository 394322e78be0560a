"""One request from admission to settlement: whatever happens in between is booked once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from heliostat_gateway.calls.asks import Ask
from heliostat_gateway.calls.governor import Governor
from heliostat_gateway.calls.open_calls import OpenCall, OpenCalls
from heliostat_gateway.calls.parts import Part
from heliostat_gateway.calls.telemetry import Report, Telemetry, begin_call
from heliostat_gateway.headers import Headers, header_text
from heliostat_gateway.money.bookings import Booking, LedgerMode
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.storage import StorageError

_LOG = logging.getLogger(__name__)
_NOTE_SECONDS = 0.25


@dataclass(frozen=True)
class Books:
    """Where calls are registered, booked and counted."""

    ledger: Ledger
    calls: OpenCalls
    metrics: Metrics
    governor: Governor
    telemetry: Telemetry = field(default_factory=Telemetry)
    exchanges: "set[Exchange]" = field(default_factory=set)

    async def keep_noting(self) -> None:
        """Keeps the rows of open calls near the truth, for the case that this process is killed."""
        while True:
            await asyncio.sleep(_NOTE_SECONDS)
            changed = [booking for exchange in self.exchanges for booking in exchange.news()]
            if not changed:
                continue
            try:
                await self.ledger.note(changed)
            except StorageError as error:
                _LOG.warning("%d open calls could not be noted: %s", len(changed), error)


class Exchange:
    """A request's rows in the ledger and its place among the open calls."""

    def __init__(self, books: Books, ask: Ask, plan: Plan, headers: dict[str, str]) -> None:
        self.id = headers["x-heliostat-request-id"]
        self.ask = ask
        self.plan = plan
        self.call = OpenCall(ask.caller.key)
        self.headers = headers  # what the caller is told of the call
        self.headers["x-heliostat-attempts"] = "0"
        self.stream_headers: Headers = []  # of the provider that answers a stream
        self.parts: list[Part] = []
        self._books = books
        self._began = time.monotonic()
        self._cache = ""
        self._outcome = ""
        self._booked: list[Booking] = []
        self._noted: dict[int, Booking] = {}
        self._is_settled = False
        self._is_reserved = False
        # Of a reservation that may be interrupted: its end is waited for before anything is booked.
        self.opening: Awaitable[object] | None = None
        begin_call(self.id, ask.caller)
        books.calls.add(self.call)
        books.metrics.open_calls += 1

    def reserved(self, nanos: int) -> None:
        """Notes that the request is in the ledger, with so much held for it."""
        self._is_reserved = True
        self.headers["x-heliostat-cost"] = str(nanos)
        if self._books.ledger.state().mode is LedgerMode.LOCAL:
            self.headers["x-heliostat-alone"] = "true"

    def cached(self, result: str) -> None:
        """Notes what the exact cache of the route had: `hit`, `miss`; `off` if it is not used."""
        self._cache = result
        self._books.metrics.answer_cache.add(result)
        self.headers["x-heliostat-cache"] = result
        if result == "hit":
            self.headers["x-heliostat-cost"] = "0"
            self.headers["x-heliostat-overhead-ms"] = f"{self.overhead_ms():.2f}"

    def refused(self, kind: str) -> None:
        """Counts a refusal of ours that came when the answer had begun to be made."""
        self._outcome = "refused"
        self._books.metrics.refusals.add(kind)

    def begin(self, candidate: Candidate, size: int) -> Part:
        """The next attempt, with a request of `size` bytes."""
        part = Part(self.id, self.plan.booked_model(candidate), candidate, size)
        self.parts.append(part)
        self._books.exchanges.add(self)
        self.headers["x-heliostat-attempts"] = str(len(self.parts))
        self.headers["x-heliostat-provider"] = candidate.provider.name
        return part

    def decide(self, word: str) -> None:
        """Adds to what the caller is told of how the answer came about."""
        before = self.headers.get("x-heliostat-decision", "")
        self.headers["x-heliostat-decision"] = f"{before}; {word}" if before else word

    def drop(self, fields: Sequence[str]) -> None:
        """Tells the caller which fields the present attempt had to leave out."""
        self.headers.pop("x-heliostat-dropped", None)
        if fields:
            self.headers["x-heliostat-dropped"] = header_text(", ".join(fields))

    def answered(self) -> None:
        """Notes who gave the first answer, and how long it took."""
        seconds = time.monotonic() - self._began
        provider = self.parts[-1].candidate.provider.name
        self._books.metrics.first_byte.observe(seconds, provider)
        self.decide(f"{provider} answered")
        self.headers["x-heliostat-overhead-ms"] = f"{self.overhead_ms():.2f}"

    def told(self) -> Headers:
        """The headers about the call, as far as they are known now."""
        if "x-heliostat-overhead-ms" not in self.headers:
            self.headers["x-heliostat-overhead-ms"] = f"{self.overhead_ms():.2f}"
        return [*self.headers.items()]

    def overhead_ms(self) -> float:
        """Milliseconds that passed here and not at a provider."""
        elsewhere = sum(part.elapsed() for part in self.parts)
        return max(0.0, time.monotonic() - self._began - elsewhere) * 1000

    def news(self) -> list[Booking]:
        """Attempts that have used something since this was asked last."""
        found = [b for b in _number(self._paid()) if self._noted.get(b.part) != b]
        self._noted.update((booking.part, booking) for booking in found)
        return found

    async def settle(self, outcome: str) -> None:
        """Ends what is open with `outcome` and books everything, whoever is cancelled."""
        await asyncio.shield(asyncio.create_task(self._settle(outcome)))

    def close(self) -> None:
        """After settlement and the last byte: whoever ended this call may go on."""
        self._books.exchanges.discard(self)
        self._books.metrics.open_calls -= 1
        self._books.calls.remove(self.call)
        seconds, overhead_ms = time.monotonic() - self._began, self.overhead_ms()
        if self._is_settled:
            metrics, dialect = self._books.metrics, self.ask.dialect.value
            kind = "stream" if self.ask.is_stream else "whole"
            metrics.total.observe(seconds, dialect, kind)
            metrics.overhead.observe(overhead_ms / 1000, dialect)
        self._books.telemetry.tell(self._report(seconds, overhead_ms))

    async def _settle(self, outcome: str) -> None:
        if self._is_settled:
            return
        if self.opening is not None:
            await asyncio.gather(self.opening, return_exceptions=True)
        if not self._is_reserved:
            self._outcome = self._outcome or outcome
            return
        self._is_settled = True
        self._books.exchanges.discard(self)
        for part in self.parts:
            await part.end(outcome, free=False)
            if part.meter.final and not part.free:
                self._books.governor.learn(self.ask, part.candidate, part.meter.usage().output)
        self._outcome = outcome
        bookings = self._booked = self._bookings(outcome)
        try:
            await self._books.ledger.settle(bookings, int(time.time() * 1000))
        except StorageError:
            # The row stays open, keeps its reservation and is booked at the next start.
            _LOG.exception("request %s could not be settled", self.id)
        self.headers["x-heliostat-cost"] = str(sum(b.cost_nanos for b in bookings))

    def _bookings(self, outcome: str) -> list[Booking]:
        """Attempts that cost something, else the last one; a request always has a row."""
        last = self.parts[-1] if self.parts else self._unsent(outcome)
        parts = self._paid() or [last]
        bookings = _number(parts)
        metrics = self._books.metrics
        for part, booking in zip(parts, bookings, strict=True):
            metrics.settled(self.ask.dialect, part.candidate, booking)
        for part in self.parts:
            metrics.attempts.add(part.candidate.provider.name, part.judged)
        metrics.unpriced.add(count=sum(part.unpriced for part in self.parts))
        return bookings

    def _report(self, seconds: float, overhead_ms: float) -> Report:
        persona = self.plan.persona
        return Report(
            id=self.id,
            ask=self.ask,
            asked_model=self.plan.model,
            persona=persona.name if persona is not None else "",
            outcome=self._outcome or "refused",  # before anything could be settled
            parts=self.parts,
            bookings=self._booked,
            cache=self._cache,
            began=time.time() - seconds,
            began_monotonic=self._began,
            seconds=seconds,
            overhead_ms=overhead_ms,
        )

    def _paid(self) -> list[Part]:
        """Attempts that may cost something."""
        return [part for part in self.parts if not part.free]

    def _unsent(self, outcome: str) -> Part:
        candidate = self.plan.candidates[0]
        part = Part(self.id, self.plan.booked_model(candidate), candidate, 0)
        part.outcome, part.free, part.is_over = outcome, True, True
        return part


def _number(parts: list[Part]) -> list[Booking]:
    """What is booked for these attempts, numbered without gaps."""
    return [part.booking(number) for number, part in enumerate(parts, 1)]
