"""One attempt at a provider: what it has used, and its response, read piece by piece in time."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from heliostat_gateway.calls.failure_classification import Verdict
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.meter import Meter, new_meter
from heliostat_gateway.money.bookings import Booking, Usage
from heliostat_gateway.money.costs import charge
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.routes.plans import Candidate, Deadlines

_LOG = logging.getLogger(__name__)
_JUDGED: Final = {
    "answered": Verdict.ANSWERED.value,
    "provider_error": Verdict.VISIBLE.value,  # an error event in the answer
}


class ProviderAttempt:
    """Records what one attempt has used; `free` attempts are never billed."""

    def __init__(self, request_id: str, model: str, candidate: Candidate, size: int) -> None:
        self.request_id = request_id
        self.model = model  # as it is booked
        self.candidate = candidate
        self.meter: Meter = new_meter(candidate.provider.dialect, size)
        self.answer: ProviderAnswer | None = None
        self.outcome = "open"
        self.verdict: Verdict | None = None  # of an attempt that failed
        self.free = False
        self.is_over = False
        self.unpriced = False
        self.began = time.monotonic()
        self.seconds = 0.0  # at the provider

    @property
    def dialect(self) -> Dialect:
        """The provider's dialect."""
        return self.candidate.provider.dialect

    @property
    def judged(self) -> str:
        """What became of the attempt, as a verdict; `ended` when it was ended from outside."""
        if self.verdict is not None:
            return self.verdict.value
        return _JUDGED.get(self.outcome, "ended")

    def elapsed(self) -> float:
        """Seconds since the request went out, or that it took."""
        return self.seconds if self.is_over else time.monotonic() - self.began

    async def end(self, outcome: str, *, free: bool) -> None:
        """Ends the attempt, and the provider's call if it still runs; the first outcome stays."""
        if self.is_over:
            return
        self.seconds = self.elapsed()
        self.is_over = True
        self.outcome = outcome
        self.free = free
        if self.answer is not None:
            await self.answer.chunks.aclose()

    def booking(self, number: int) -> Booking:
        """What is to be booked, now or in the end, as attempt `number` of the request."""
        usage = Usage() if self.free else self.meter.usage()
        cost = charge(self.candidate.rates, usage)
        self._note_unpriced(cost.unpriced)
        if cost.unpriced != usage.terms.unpriced:
            usage = replace(usage, terms=replace(usage.terms, unpriced=cost.unpriced))
        return Booking(
            id=self.request_id,
            part=number,
            provider=self.candidate.provider.name,
            model=self.model,
            credential=self.candidate.credential.name,
            usage=usage,
            cost_nanos=cost.nanos,
            reported=self.meter.has_report,
            estimated=bool(cost.unpriced) or not (self.free or self.meter.final),
            outcome=self.outcome,
            provider_request=self.answer.request_id if self.answer is not None else "",
        )

    def _note_unpriced(self, names: tuple[str, ...]) -> None:
        if names and not self.unpriced:
            _LOG.error("request %s used %s: no known price", self.request_id, ", ".join(names))
        self.unpriced = bool(names)


_LARGEST_ANSWER: Final = 32 * 1024 * 1024  # as much as one event of a stream
_LARGEST_ERROR: Final = 1024 * 1024
_ERROR_SECONDS: Final = 5.0  # for the body of an error: the next provider waits for it
_END_SECONDS: Final = 1.0  # between the last word of an answer and the end of its stream


class ResponseReader:
    """Reads the answer of one attempt; its deadlines count from here."""

    def __init__(self, attempt: ProviderAttempt, deadlines: Deadlines) -> None:
        self._attempt = attempt
        self._timeouts = deadlines
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._timer = DeadlineTimer()

    def close(self) -> None:
        """Stops the timer: nothing more is read."""
        self._timer.close()

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The answer, whatever its status. Raises ProviderError, TimeoutError."""
        allowed = self._timeouts.first_token if call.stream else self._timeouts.total
        with self._timer.until(self._began + allowed):
            answer = await self._attempt.candidate.provider.send(call)
        self._attempt.answer = answer
        return answer

    async def body(self, answer: ProviderAnswer) -> bytes:
        """The whole body. Raises ProviderError, TimeoutError, MalformedAnswerError."""
        body = bytearray()
        with self._timer.until(self._deadline(is_stream=False)) as timer:
            async for chunk in answer.chunks:
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise MalformedAnswerError(
                        f"The provider's answer is longer than {_LARGEST_ANSWER} bytes."
                    )
                timer.until(self._deadline(is_stream=False))
        return bytes(body)

    async def chunks(self, answer: ProviderAnswer) -> AsyncGenerator[bytes, None]:
        """The stream, up to an error event. Raises ProviderError, TimeoutError.

        Once the answer is complete, it does not matter how its stream ends.
        """
        meter = self._attempt.meter
        while True:
            try:
                with self._timer.until(self._deadline(is_stream=True)):
                    chunk = await anext(answer.chunks, None)
            except (ProviderError, TimeoutError):
                if not meter.stopped:
                    raise
                return
            if chunk is None:
                return
            yield chunk
            if meter.error is not None:
                return

    async def error_body(self, answer: ProviderAnswer) -> bytes | None:
        """The body of an error; None when it breaks off, takes too long or has no end."""
        body = bytearray()
        try:
            async with asyncio.timeout(_ERROR_SECONDS):
                async for chunk in answer.chunks:
                    body += chunk
                    if len(body) > _LARGEST_ERROR:
                        return None
        except (ProviderError, TimeoutError):
            return None
        return bytes(body)

    def _deadline(self, *, is_stream: bool) -> float:
        """When the next piece must be here."""
        timeouts, meter = self._timeouts, self._attempt.meter
        is_over = meter.stopped and meter.final
        silence = min(timeouts.idle, _END_SECONDS) if is_over else timeouts.idle
        deadline = self._loop.time() + silence
        if is_stream and not meter.visible:
            first = self._began + timeouts.first_token
            # Before there is anything to see, only a silence that the route limits is too long.
            is_limited = self._attempt.candidate.timeouts.idle is not None
            deadline = min(deadline, first) if is_limited else first
        return min(deadline, self._began + timeouts.total)


_NEVER: Final = float("inf")


class DeadlineTimer:
    """Ends what its task awaits inside when a deadline passes, as asyncio.timeout does.

    `with timer.until(deadline)` for each wait; between them nothing is ended. A deadline that
    moves on leaves the timer as it is: when that one is due, it looks again. `close` at the end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = _NEVER
        self._deadline = _NEVER
        self._waiting: asyncio.Task[object] | None = None
        self._cancellings = 0  # of the task, by others
        self._is_over = False

    def until(self, deadline: float) -> Self:
        """This wait, or the next one, lasts until then at most, by the clock of the event loop."""
        self._deadline = deadline
        if deadline < self._looks_at:
            self.close()
            self._look_at(deadline)
        return self

    def __enter__(self) -> Self:
        task = asyncio.current_task(self._loop)
        assert task is not None, "waits in a task"
        self._waiting, self._cancellings = task, task.cancelling()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises TimeoutError when the deadline has passed."""
        task, self._waiting = self._waiting, None
        if self._is_over and task is not None:
            self._is_over = False
            if task.uncancel() <= self._cancellings and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def close(self) -> None:
        """Stops the timer: no wait comes after this one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._looks_at = None, _NEVER

    def _look_at(self, when: float) -> None:
        self._looks_at = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer, self._looks_at = None, _NEVER
        if self._waiting is None:
            return  # the next wait says its own deadline
        if self._loop.time() < self._deadline:
            self._look_at(self._deadline)
        else:
            self._is_over = True
            self._waiting.cancel()
