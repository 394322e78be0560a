"""One attempt of a request that was sent to a provider: its meter, its answer, its price."""

import logging
import time
from typing import Final

from heliostat_gateway.calls.verdicts import Verdict
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.meter import Meter, new_meter
from heliostat_gateway.money.bookings import Booking
from heliostat_gateway.money.prices import Rates, cost_nanos
from heliostat_gateway.money.usage import Usage
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.routes.plans import Candidate

_LOG = logging.getLogger(__name__)
_JUDGED: Final = {
    "answered": Verdict.ANSWERED.value,
    "provider_error": Verdict.VISIBLE.value,  # an error event in the answer
}


class Part:
    """What one attempt has used; `free` attempts are never billed."""

    def __init__(self, request: str, model: str, candidate: Candidate, size: int) -> None:
        self.request = request
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
        """What is to be booked, now or in the end, as part `number` of the request."""
        usage = Usage() if self.free else self.meter.usage()
        return Booking(
            id=self.request,
            part=number,
            provider=self.candidate.provider.name,
            model=self.model,
            credential=self.candidate.credential.name,
            usage=usage,
            cost_nanos=self._cost(usage),
            reported=self.meter.has_report,
            estimated=not (self.free or self.meter.final),
            outcome=self.outcome,
            provider_request=self.answer.request_id if self.answer is not None else "",
        )

    def _cost(self, usage: Usage) -> int:
        try:
            return cost_nanos(self.candidate.rates, usage)
        except KeyError as error:
            if not self.unpriced:
                _LOG.error("request %s used %s, which has no price", self.request, error)
            self.unpriced = True
            return _cost_of_known(self.candidate.rates, usage)


def _cost_of_known(rates: Rates, usage: Usage) -> int:
    """All but what has no price at all (searches of a model without a price for them)."""
    return cost_nanos(rates, Usage(**(vars(usage) | {"web_searches": 0})))
