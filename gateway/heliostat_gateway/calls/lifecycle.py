"""One request from admission to settlement: whatever happens in between is booked once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from heliostat_gateway.calls.failure_classification import Failure
from heliostat_gateway.calls.provider_attempt import ProviderAttempt
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.telemetry import Report, Telemetry, begin_call
from heliostat_gateway.headers import Headers, header_text
from heliostat_gateway.money.bookings import Booking, LedgerMode, Usage
from heliostat_gateway.money.costs import OutputHistory
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.storage import StorageError


class EndReason(StrEnum):
    """Why a call was ended before its answer was complete."""

    CLIENT_GONE = "client_gone"
    REVOKED = "revoked"
    SHUTDOWN = "shutdown"


class CallEndedError(Exception):
    """The call was ended from outside."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class OpenCall:
    """One model call. `end` interrupts whatever it awaits inside its `scope`."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.closed = asyncio.Event()  # the provider is cancelled, the ledger settled
        self._reason: EndReason | None = None
        self._waiting: asyncio.Task[object] | None = None

    def end(self, reason: EndReason) -> None:
        """Ends the call; the first reason stays."""
        if self._reason is None:
            self._reason = reason
            if self._waiting is not None:
                self._waiting.cancel()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Work that `end` interrupts. Raises CallEndedError (as asyncio.timeout does with time)."""
        if self._reason is not None:
            raise CallEndedError(self._reason)
        task = asyncio.current_task()
        before = task.cancelling() if task is not None else 0
        self._waiting = task
        try:
            yield
        except asyncio.CancelledError:
            self._waiting = None
            if self._reason is None or task is None or task.uncancel() > before:
                raise
            raise CallEndedError(self._reason) from None
        finally:
            self._waiting = None
        if self._reason is not None and task is not None and task.cancelling() > before:
            # The work ended in the same moment: the cancellation must not hit what comes next.
            task.uncancel()


class OpenCalls:
    """All open calls of this process, by key."""

    def __init__(self) -> None:
        self._calls: dict[str, set[OpenCall]] = {}

    def __len__(self) -> int:
        return sum(len(calls) for calls in self._calls.values())

    def add(self, call: OpenCall) -> None:
        """Registers a call: from now on it can be ended."""
        self._calls.setdefault(call.key_id, set()).add(call)

    def remove(self, call: OpenCall) -> None:
        """Forgets a closed call."""
        call.closed.set()
        calls = self._calls.get(call.key_id, set())
        calls.discard(call)
        if not calls:
            self._calls.pop(call.key_id, None)

    async def end_key(self, key_id: str) -> int:
        """Ends the calls of a key and waits until each is settled. Returns how many."""
        return await _end(set(self._calls.get(key_id, ())), EndReason.REVOKED)

    async def end_all(self) -> int:
        """Ends every call, for shutdown."""
        return await _end(self._all(), EndReason.SHUTDOWN)

    def _all(self) -> set[OpenCall]:
        return {call for calls in self._calls.values() for call in calls}


async def _end(calls: set[OpenCall], reason: EndReason) -> int:
    for call in calls:
        call.end(reason)
    for call in calls:
        await call.closed.wait()
    return len(calls)


_LOG = logging.getLogger(__name__)
_NOTE_SECONDS = 0.25


@dataclass(frozen=True)
class CallDependencies:
    """The services that every call needs: ledger, open calls, metrics, estimates, telemetry."""

    ledger: Ledger
    calls: OpenCalls
    metrics: Metrics
    history: OutputHistory
    telemetry: Telemetry = field(default_factory=Telemetry)
    overload_wait_seconds: float = 5.0  # at most so long a request waits until anybody can be asked
    lifecycles: "set[CallLifecycle]" = field(default_factory=set)

    async def keep_noting(self) -> None:
        """Keeps the rows of open calls near the truth, for the case that this process is killed."""
        while True:
            await asyncio.sleep(_NOTE_SECONDS)
            changed = [
                booking for lifecycle in self.lifecycles for booking in lifecycle.changed_bookings()
            ]
            if not changed:
                continue
            try:
                await self.ledger.note(changed)
            except StorageError as error:
                _LOG.warning("%d open calls could not be noted: %s", len(changed), error)


class CallLifecycle:
    """Books a request, keeps it among the open calls and collects what its caller is told."""

    def __init__(
        self,
        dependencies: CallDependencies,
        request: ModelRequest,
        plan: Plan,
        headers: dict[str, str],
    ) -> None:
        self.id = headers["x-heliostat-request-id"]
        self.request = request
        self.plan = plan
        self.call = OpenCall(request.caller.key)
        self.overload_wait = dependencies.overload_wait_seconds
        self.headers = headers  # what the caller is told of the call
        self.headers["x-heliostat-attempts"] = "0"
        self.stream_headers: Headers = []  # of the provider that answers a stream
        self.attempts: list[ProviderAttempt] = []
        self._dependencies = dependencies
        self._began = time.monotonic()
        self._cache = ""
        self._outcome = ""
        self._waited = 0.0
        self._booked: list[Booking] = []
        self._noted: dict[int, Booking] = {}
        self._is_settled = False
        self._is_reserved = False
        # Of a reservation that may be interrupted: its end is waited for before anything is booked.
        self.opening: Awaitable[object] | None = None
        begin_call(self.id, request.caller)
        dependencies.calls.add(self.call)
        dependencies.metrics.open_calls += 1

    def reserved(self, nanos: int) -> None:
        """Notes that the request is in the ledger, with so much held for it."""
        self._is_reserved = True
        self.headers["x-heliostat-cost"] = str(nanos)
        if self._dependencies.ledger.state().mode is LedgerMode.LOCAL:
            self.headers["x-heliostat-alone"] = "true"

    def cached(self, result: str) -> None:
        """Notes what the exact cache of the route had: `hit`, `miss`; `off` if it is not used."""
        self._cache = result
        self._dependencies.metrics.answer_cache.add(result)
        self.headers["x-heliostat-cache"] = result
        if result == "hit":
            self.headers["x-heliostat-cost"] = "0"
            self.headers["x-heliostat-overhead-ms"] = f"{self.overhead_ms():.2f}"

    def refused(self, kind: str) -> None:
        """Counts a refusal of ours that came when the answer had begun to be made."""
        self._outcome = "refused"
        self._dependencies.metrics.refusals.add(kind)

    def begin(self, candidate: Candidate, size: int) -> ProviderAttempt:
        """The next attempt, with a request of `size` bytes."""
        attempt = ProviderAttempt(self.id, self.plan.booked_model(candidate), candidate, size)
        self.attempts.append(attempt)
        self._dependencies.lifecycles.add(self)
        self.headers["x-heliostat-attempts"] = str(len(self.attempts))
        self.headers["x-heliostat-provider"] = candidate.provider.name
        return attempt

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
        provider = self.attempts[-1].candidate.provider.name
        self._dependencies.metrics.first_byte.observe(seconds, provider)
        self.decide(f"{provider} answered")
        self.headers["x-heliostat-overhead-ms"] = f"{self.overhead_ms():.2f}"

    def response_headers(self) -> Headers:
        """The response headers about the call, as far as they are known now."""
        if "x-heliostat-overhead-ms" not in self.headers:
            self.headers["x-heliostat-overhead-ms"] = f"{self.overhead_ms():.2f}"
        return [*self.headers.items()]

    def overhead_ms(self) -> float:
        """Milliseconds that passed here and not at a provider."""
        elsewhere = self._waited + sum(attempt.elapsed() for attempt in self.attempts)
        return max(0.0, time.monotonic() - self._began - elsewhere) * 1000

    def changed_bookings(self) -> list[Booking]:
        """Bookings of the attempts that have used something since the last time."""
        found = [b for b in _number(self._paid()) if self._noted.get(b.part) != b]
        self._noted.update((booking.part, booking) for booking in found)
        return found

    def outcome_of(self, failure: Failure) -> str:
        """The outcome of a request that nobody answered: of its last attempt, if there was one."""
        return self.attempts[-1].outcome if self.attempts else failure.outcome or "refused"

    def waited(self, seconds: float) -> None:
        """Notes a wait for a provider that was resting: it is no time of ours."""
        self._waited += seconds
        self.decide(f"waited {seconds:.1f} s")

    async def settle(self, outcome: str) -> None:
        """Ends what is open with `outcome` and books everything, even if it is cancelled."""
        await asyncio.shield(asyncio.create_task(self._settle(outcome)))

    def close(self) -> None:
        """Ends the call after settlement and the last byte; those who wait for that go on."""
        self._dependencies.lifecycles.discard(self)
        self._dependencies.metrics.open_calls -= 1
        self._dependencies.calls.remove(self.call)
        seconds, overhead_ms = time.monotonic() - self._began, self.overhead_ms()
        if self._is_settled:
            metrics, dialect = self._dependencies.metrics, self.request.dialect.value
            kind = "stream" if self.request.is_stream else "whole"
            metrics.total.observe(seconds, dialect, kind)
            metrics.overhead.observe(overhead_ms / 1000, dialect)
        self._dependencies.telemetry.tell(self._report(seconds, overhead_ms))

    async def _settle(self, outcome: str) -> None:
        if self._is_settled:
            return
        if self.opening is not None:
            await asyncio.gather(self.opening, return_exceptions=True)
        if not self._is_reserved:
            self._outcome = self._outcome or outcome
            return
        self._is_settled = True
        self._dependencies.lifecycles.discard(self)
        for attempt in self.attempts:
            await attempt.end(outcome, free=False)
        self._outcome = outcome
        bookings = self._booked = self._bookings(outcome)
        try:
            await self._dependencies.ledger.settle(bookings, int(time.time() * 1000))
        except StorageError:
            # The row stays open, keeps its reservation and is booked at the next start.
            _LOG.exception("request %s could not be settled", self.id)
        self.headers["x-heliostat-cost"] = str(sum(b.cost_nanos for b in bookings))

    def _bookings(self, outcome: str) -> list[Booking]:
        """Attempts that cost something, else the last one; a request always has a row."""
        if not self.attempts:
            self._dependencies.metrics.unsent.add(self.request.dialect.value, outcome)
            return [self._unsent(outcome)]
        attempts = self._paid() or self.attempts[-1:]
        bookings = _number(attempts)
        metrics, history = self._dependencies.metrics, self._dependencies.history
        for attempt, booking in zip(attempts, bookings, strict=True):
            metrics.settled(self.request.dialect, attempt.candidate, booking)
            if attempt.meter.final and not attempt.free:
                agent, model = self.request.caller.agent, attempt.candidate.target
                history.learn(agent, model, booking.usage.output)
        for attempt in self.attempts:
            metrics.attempts.add(attempt.candidate.provider.name, attempt.judged)
        metrics.unpriced.add(count=sum(attempt.unpriced for attempt in self.attempts))
        return bookings

    def _report(self, seconds: float, overhead_ms: float) -> Report:
        persona = self.plan.persona
        return Report(
            id=self.id,
            request=self.request,
            asked_model=self.plan.model,
            persona=persona.name if persona is not None else "",
            outcome=self._outcome or "refused",  # before anything could be settled
            attempts=self.attempts,
            bookings=self._booked,
            cache=self._cache,
            began=time.time() - seconds,
            began_monotonic=self._began,
            seconds=seconds,
            overhead_ms=overhead_ms,
        )

    def _paid(self) -> list[ProviderAttempt]:
        """Attempts that may cost something."""
        return [attempt for attempt in self.attempts if not attempt.free]

    def _unsent(self, outcome: str) -> Booking:
        """What is booked when no provider was asked: it is no call, and costs nothing."""
        return Booking(
            id=self.id,
            part=1,
            provider="",
            model=self.plan.booked_model(self.plan.candidates[0]),
            credential="",
            usage=Usage(),
            cost_nanos=0,
            reported=False,
            estimated=False,
            outcome=outcome,
        )


def _number(attempts: list[ProviderAttempt]) -> list[Booking]:
    """What is booked for these attempts, numbered without gaps."""
    return [attempt.booking(number) for number, attempt in enumerate(attempts, 1)]
