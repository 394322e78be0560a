"""A request's way to an answer: it is let in or refused, then candidates are asked in turn."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from heliostat_gateway.breakers import CLOSED, Admission, Breakers, Open
from heliostat_gateway.calls.attempt import Attempt, Whole
from heliostat_gateway.calls.failure_classification import (
    AttemptFailedError,
    Failure,
    Verdict,
    may_go_on,
)
from heliostat_gateway.calls.lifecycle import CallLifecycle
from heliostat_gateway.calls.outgoing import build_outgoing, with_persona
from heliostat_gateway.calls.requests import ModelRequest, is_reasoning
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.limits.restrictions import (
    AgentRestrictions,
    enforce_restriction,
    refuse_paused,
)
from heliostat_gateway.money.bookings import Bound, Estimate, Opening, Reserved
from heliostat_gateway.money.bounds import bound
from heliostat_gateway.money.caps import LEDGER_REFUSALS, ledger_refusal
from heliostat_gateway.money.costs import (
    OutputHistory,
    cost_nanos,
    counted_input,
    expect,
    max_tokens_of,
)
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_json.objects import JsonObject


class AdmissionControl:
    """Checks caps, budgets and restrictions, once for each request, before anything costs."""

    def __init__(
        self, ledger: Ledger, history: OutputHistory, agent_restrictions: AgentRestrictions
    ) -> None:
        self._ledger = ledger
        self._agent_restrictions = agent_restrictions
        self._history = history

    async def admit(self, request_id: str, request: ModelRequest, plan: Plan) -> Reserved:
        """Reserves what the request may use. Raises RefusalError (400, 402, 403, 429, 503)."""
        await enforce_restriction(self._agent_restrictions, request.caller.agent)
        candidate = plan.candidates[0]
        usage = counted_input(len(request.body))
        try:
            return await self._ledger.open(
                Opening(
                    id=request_id,
                    caller=request.caller,
                    session=request.session,
                    provider=candidate.provider.name,
                    model=plan.booked_model(candidate),
                    credential=candidate.credential.name,
                    started_ms=int(time.time() * 1000),
                    usage=usage,
                    cost_nanos=cost_nanos(candidate.rates, usage),
                    estimate=self._estimate(request, plan),
                )
            )
        except LEDGER_REFUSALS as refused:
            raise ledger_refusal(refused) from refused

    def check(self, request: ModelRequest) -> None:
        """Whether the agent may ask at all, also for what costs nothing. Raises RefusalError."""
        refuse_paused(self._agent_restrictions, request.caller.agent)

    def _estimate(self, request: ModelRequest, plan: Plan) -> Estimate:
        """For the dearest candidate: a fallback must not cost more than was reserved."""
        found = [
            self._estimate_of(request, plan, candidate) for candidate in _each_model_once(plan)
        ]
        dearest = max(found, key=lambda estimate: estimate.cost_nanos)
        bounds = [estimate.bound for estimate in found if estimate.bound is not None]
        return replace(dearest, bound=_highest(bounds)) if bounds else dearest

    def _estimate_of(self, request: ModelRequest, plan: Plan, candidate: Candidate) -> Estimate:
        document, size = with_persona(request, plan)
        most = max_tokens_of(document)
        output = self._history.expected(request.caller.agent, candidate.target, most)
        estimate = expect(candidate.rates, size, output)
        if not request.caller.caps.strict:
            return estimate
        return replace(estimate, bound=bound(candidate.rates, document, size))


def _highest(bounds: list[Bound]) -> Bound:
    """The bound that holds for every candidate: they share the request, not the prices."""
    return replace(
        bounds[0],
        input_nanos=max(each.input_nanos for each in bounds),
        output_rate=max(each.output_rate for each in bounds),
    )


def _each_model_once(plan: Plan) -> list[Candidate]:
    """Candidates that differ in more than the credential."""
    return list({(c.provider.name, c.target): c for c in reversed(plan.candidates)}.values())[::-1]


_RATE_LIMITED: Final = 429
_OVERLOADED: Final = 503
_SHORTEST_WAIT: Final = 0.02  # whose probe is under way elsewhere, is asked for again
_NOBODY: Final = Failure(Verdict.REFUSED, 503, "api_error", "No provider can be asked.")


@dataclass(frozen=True)
class _Resting:
    """A provider that may not be asked before `until`; `status` is that of a stated limit."""

    until: float
    status: int
    provider: str


def _all_rest(first: _Resting, model: str) -> Failure:
    """What is told when nobody may be asked: a stated limit with the status that stated it."""
    until = f"{datetime.fromtimestamp(first.until, UTC):%Y-%m-%d %H:%M:%S} UTC"
    wait = max(1, round(first.until - time.time() + 0.5))
    kind = "rate_limit_error" if first.status == _RATE_LIMITED else "overloaded_error"
    message = f"Every provider of the model {model} rests after failures, until {until}."
    if first.status:
        message = (
            f"{first.provider} answered {first.status} for the model {model} and is asked again at "
            f"{until}; nobody else can be asked."
        )
    headers = (("retry-after", str(wait)),)
    status = first.status or _OVERLOADED
    return Failure(Verdict.REFUSED, status, kind, message, headers, outcome="circuit_open")


@dataclass(frozen=True)
class Allowance:
    """The output that the reservation leaves to the call; None is no bound of ours."""

    output_tokens: int | None = None


async def open_chain(
    lifecycle: CallLifecycle, admission: AdmissionControl, breakers: Breakers
) -> "Chain":
    """Reserves what the request may use; the chain. Raises RefusalError, StorageError."""
    reserved = await admission.admit(lifecycle.id, lifecycle.request, lifecycle.plan)
    lifecycle.reserved(reserved.nanos)
    return Chain(lifecycle, breakers, Allowance(reserved.max_tokens))


class Chain:
    """Asks the candidates of one request in turn."""

    def __init__(self, lifecycle: CallLifecycle, breakers: Breakers, allowance: Allowance) -> None:
        self._lifecycle = lifecycle
        self._breakers = breakers
        self._allowance = allowance
        self._candidates: Iterator[Candidate] = iter(lifecycle.plan.candidates)
        self._failure: Failure | None = None
        self._unsayable: Failure | None = None
        self._resting: _Resting | None = None  # who may be asked first
        self._waits_until = time.time() + lifecycle.overload_wait
        self._has_waited = False
        self._is_over = False

    async def whole(self) -> Whole:
        """The answer in one piece. Raises AttemptFailedError when no candidate gave one."""
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
        is_spent = (
            self._allowance.output_tokens is not None and not self._lifecycle.attempts[-1].free
        )
        self._is_over = is_spent or not may_go_on(failure.verdict, self._document())
        return not self._is_over

    def _document(self) -> JsonObject:
        """The request, with what its persona adds."""
        persona = self._lifecycle.plan.persona
        document = self._lifecycle.request.document
        return document if persona is None else {**persona.defaults, **document}

    async def _next(self) -> Attempt | None:
        """An attempt with the next candidate that can be asked, after a short wait if need be."""
        while not self._is_over:
            attempt = await self._ask_next()
            if attempt is not None or not self._may_wait():
                return attempt
            await self._wait()
        return None

    def _may_wait(self) -> bool:
        """Whether nobody was asked yet, and somebody can be soon."""
        return (
            not self._lifecycle.attempts
            and self._resting is not None
            and self._resting.until <= self._waits_until
        )

    async def _wait(self) -> None:
        """Waits until the first who rests may be asked, and begins with all of them again."""
        if self._resting is None:
            return
        seconds = max(_SHORTEST_WAIT, self._resting.until - time.time())
        await asyncio.sleep(seconds)
        self._lifecycle.waited(seconds)
        self._resting, self._has_waited = None, True
        self._candidates = iter(self._lifecycle.plan.candidates)

    async def _ask_next(self) -> Attempt | None:
        """An attempt with the next candidate that can be asked now."""
        for candidate in self._candidates:
            try:
                outgoing = build_outgoing(
                    self._lifecycle.request,
                    self._lifecycle.plan,
                    candidate,
                    self._allowance.output_tokens,
                )
            except UntranslatableError as error:
                self._unsayable = self._unsayable or _untranslatable(error)
                self._skip(f"{candidate.provider.name} can not say it")
                continue
            admission = await self._admit(candidate)
            if isinstance(admission, Open):
                name = candidate.provider.name
                found = _Resting(admission.until, admission.status, name)
                self._resting = min(self._resting or found, found, key=attrgetter("until"))
                self._skip(f"{name} rests")
                continue
            deadlines = candidate.deadlines(
                reasons=is_reasoning(self._document(), candidate.target),
                is_last=candidate is self._lifecycle.plan.candidates[-1],
            )
            return Attempt(
                self, self._lifecycle, self._breakers, candidate, outgoing, admission, deadlines
            )
        return None

    def _skip(self, why: str) -> None:
        """Tells why a candidate is not asked, once."""
        if not self._has_waited:
            self._lifecycle.decide(why)

    async def _admit(self, candidate: Candidate) -> Admission:
        return (
            await self._breakers.admit(candidate.breaker_key)
            if candidate.breaker_enabled
            else CLOSED
        )

    def _no_answer(self) -> Failure:
        """The last failure, else that all rest; what a candidate can't say hides neither."""
        if self._failure is not None:
            return self._failure
        if self._resting is None:
            return self._unsayable or _NOBODY
        return _all_rest(self._resting, self._lifecycle.plan.model)


def _untranslatable(error: UntranslatableError) -> Failure:
    return Failure(
        Verdict.REJECTED,
        400,
        "invalid_request_error",
        f"{error.field}: {error.message}",
        outcome="untranslatable",
    )
