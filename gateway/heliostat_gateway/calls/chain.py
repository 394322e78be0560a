"""A request's way along its plan: candidate after candidate, until one answers."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from heliostat_gateway.breakers import CLOSED, Admission, Breakers, Open
from heliostat_gateway.calls.attempt import Attempt, Whole
from heliostat_gateway.calls.exchange import Exchange
from heliostat_gateway.calls.outgoing import build_outgoing
from heliostat_gateway.calls.verdicts import AttemptFailedError, Failure, Verdict, may_go_on
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.routes.plans import Candidate
from heliostat_json.objects import JsonObject

_NEVER: Final = float("inf")


@dataclass(frozen=True)
class Allowance:
    """What the reservation leaves to the call; None is no bound of ours."""

    output_tokens: int | None = None


class Chain:
    """Asks the candidates of one request in turn."""

    def __init__(self, exchange: Exchange, breakers: Breakers, allowance: Allowance) -> None:
        self._exchange = exchange
        self._breakers = breakers
        self._allowance = allowance
        self._candidates: Iterator[Candidate] = iter(exchange.plan.candidates)
        self._failure: Failure | None = None
        self._unsayable: Failure | None = None
        self._resting_until = _NEVER
        self._is_over = False

    async def whole(self) -> Whole:
        """The answer in one piece. Raises AttemptFailedError when nobody gave one."""
        while (attempt := await self._next()) is not None:
            async with attempt:
                return await attempt.whole()
        raise AttemptFailedError(self._no_answer())

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Whole events for the caller. Raises AttemptFailedError, also in the middle."""
        while (attempt := await self._next()) is not None:
            async with attempt, aclosing(attempt.events()) as pieces:
                async for piece in pieces:
                    yield piece
                return
        raise AttemptFailedError(self._no_answer())

    def failed(self, failure: Failure) -> bool:
        """Takes note of an attempt that failed. Returns whether the next may be asked."""
        self._failure = failure
        # What a strict key has reserved is enough for one attempt that costs something.
        is_spent = self._allowance.output_tokens is not None and not self._exchange.parts[-1].free
        self._is_over = is_spent or not may_go_on(failure.verdict, self._document())
        return not self._is_over

    def _document(self) -> JsonObject:
        """The request, with what its persona adds."""
        persona = self._exchange.plan.persona
        defaults = persona.defaults if persona is not None else {}
        return {**defaults, **self._exchange.ask.document}

    async def _next(self) -> Attempt | None:
        """An attempt with the next candidate that can be asked now."""
        if self._is_over:
            return None
        for candidate in self._candidates:
            try:
                outgoing = build_outgoing(
                    self._exchange.ask,
                    self._exchange.plan,
                    candidate,
                    self._allowance.output_tokens,
                )
            except UntranslatableError as error:
                self._unsayable = self._unsayable or _untranslatable(error)
                self._exchange.decide(f"{candidate.provider.name} can not say it")
                continue
            admission = await self._admit(candidate)
            if isinstance(admission, Open):
                self._resting_until = min(self._resting_until, admission.until)
                self._exchange.decide(f"{candidate.provider.name} rests")
                continue
            return Attempt(self, self._exchange, self._breakers, candidate, outgoing, admission)
        return None

    async def _admit(self, candidate: Candidate) -> Admission:
        return await self._breakers.admit(candidate.breaker_key) if candidate.may_rest else CLOSED

    def _no_answer(self) -> Failure:
        """The last failure, else that all rest; what a candidate can't say hides neither."""
        if self._failure is not None:
            return self._failure
        if self._unsayable is not None and self._resting_until == _NEVER:
            return self._unsayable
        now = datetime.now(UTC).timestamp()
        until = datetime.fromtimestamp(self._resting_until, UTC)
        return Failure(
            Verdict.REFUSED,
            503,
            "overloaded_error",
            f"Every provider of the model {self._exchange.plan.model} rests after failures, until "
            f"{until:%Y-%m-%d %H:%M:%S} UTC.",
            (("retry-after", str(max(1, round(self._resting_until - now + 0.5)))),),
        )


def _untranslatable(error: UntranslatableError) -> Failure:
    return Failure(
        Verdict.REJECTED, 400, "invalid_request_error", f"{error.field}: {error.message}"
    )
