"""The one place where a request is let in or refused before it costs anything."""

import time
from dataclasses import replace

from heliostat_gateway.calls.asks import Ask
from heliostat_gateway.calls.outgoing import with_persona
from heliostat_gateway.limits.gates import Gate, pass_gate, refuse_paused
from heliostat_gateway.money.bookings import Bound, Estimate, Opening, Reserved
from heliostat_gateway.money.caps import LEDGER_REFUSALS, ledger_refusal
from heliostat_gateway.money.estimates import OutputHistory, bound, expect, max_tokens_of
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.money.prices import cost_nanos
from heliostat_gateway.money.usage import counted_input
from heliostat_gateway.routes.plans import Candidate, Plan


class Governor:
    """Caps, budgets and whatever else may say no; asked once for each request."""

    def __init__(self, ledger: Ledger, history: OutputHistory, gate: Gate) -> None:
        self._ledger = ledger
        self._gate = gate
        self._history = history

    async def admit(self, request: str, ask: Ask, plan: Plan) -> Reserved:
        """Reserves what the request may use. Raises RefusalError (400, 402, 403, 429, 503)."""
        await pass_gate(self._gate, ask.caller.agent)
        candidate = plan.candidates[0]
        usage = counted_input(len(ask.body))
        try:
            return await self._ledger.open(
                Opening(
                    id=request,
                    caller=ask.caller,
                    session=ask.session,
                    provider=candidate.provider.name,
                    model=plan.booked_model(candidate),
                    credential=candidate.credential.name,
                    started_ms=int(time.time() * 1000),
                    usage=usage,
                    cost_nanos=cost_nanos(candidate.rates, usage),
                    estimate=self._estimate(ask, plan),
                )
            )
        except LEDGER_REFUSALS as refused:
            raise ledger_refusal(refused) from refused

    def check(self, ask: Ask) -> None:
        """Whether the agent may ask at all, also for what costs nothing. Raises RefusalError."""
        refuse_paused(self._gate, ask.caller.agent)

    def learn(self, ask: Ask, candidate: Candidate, output: int) -> None:
        """Takes in what a whole answer put out, for the next estimate."""
        self._history.learn(ask.caller.agent, candidate.target, output)

    def _estimate(self, ask: Ask, plan: Plan) -> Estimate:
        """For the dearest candidate: a fallback must not cost more than was reserved."""
        found = [self._estimate_of(ask, plan, candidate) for candidate in _each_model_once(plan)]
        dearest = max(found, key=lambda estimate: estimate.cost_nanos)
        bounds = [estimate.bound for estimate in found if estimate.bound is not None]
        return replace(dearest, bound=_highest(bounds)) if bounds else dearest

    def _estimate_of(self, ask: Ask, plan: Plan, candidate: Candidate) -> Estimate:
        document, size = with_persona(ask, plan)
        most = max_tokens_of(document)
        output = self._history.expected(ask.caller.agent, candidate.target, most)
        estimate = expect(candidate.rates, size, output)
        if not ask.caller.caps.strict:
            return estimate
        return replace(estimate, bound=bound(candidate.rates, document, size))


def _highest(bounds: list[Bound]) -> Bound:
    """What holds whichever candidate answers: they share the request, not the prices."""
    return replace(
        bounds[0],
        input_nanos=max(each.input_nanos for each in bounds),
        output_rate=max(each.output_rate for each in bounds),
    )


def _each_model_once(plan: Plan) -> list[Candidate]:
    """Candidates that differ in more than the credential."""
    return list({(c.provider.name, c.target): c for c in reversed(plan.candidates)}.values())[::-1]
