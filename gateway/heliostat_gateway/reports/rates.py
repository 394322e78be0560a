"""Prices for reports: what a slice of the ledger would cost, and where a model's price changes."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from genai_prices.types import TieredPrices

from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.prices import ModelRates, Rates, RateTable, price_nanos
from heliostat_gateway.reports.sums import Slice

# Provider, model, instant: the prices that held or will hold, or None when none are known.
RateSource = Callable[[str, str, datetime], Rates | None]
_CACHED: Final = ("cache_read", "cache_write_5m", "cache_write_1h")
_PRICED: Final = ("input", "output", *_CACHED, "web_searches")


class RateBook:
    """Rates looked up once for each model and day; lives as long as one report."""

    def __init__(self, source: RateSource, tiers: list[int]) -> None:
        self._source = source
        self._tiers = tiers
        self._known: dict[tuple[str, str, date], Rates | None] = {}
        self._tables: dict[tuple[str, str, date, int], RateTable | None] = {}

    def table(self, provider: str, model: str, day: date, size: int) -> RateTable | None:
        """Dollars per million tokens for requests of a size class on a day in UTC."""
        at = (provider, model, day, size)
        if at not in self._tables:
            rates = self._rates(provider, model, day)
            start = self._tiers[size - 1] + 1 if size else 0
            self._tables[at] = None if rates is None else rates.table(Usage(input=start))
        return self._tables[at]

    def cost_nanos(self, part: Slice, day: date) -> int | None:
        """What the slice's tokens would cost on a day; None when a price is not known."""
        table = self.table(part.provider, part.model, day, part.size)
        tokens = {kind: part.tokens.get(kind, 0) for kind in _PRICED}
        return _priced(tokens, table)

    def saved_nanos(self, part: Slice) -> int | None:
        """What the prompt cache saved: its tokens as plain input, less what they cost as cached.

        Negative when more was paid for writing than reading gave back.
        """
        table = self.table(part.provider, part.model, date.fromisoformat(part.day), part.size)
        cached = {kind: part.tokens.get(kind, 0) for kind in _CACHED}
        plain = _priced({"input": sum(cached.values())}, table)
        paid = _priced(cached, table)
        return None if plain is None or paid is None else plain - paid

    def _rates(self, provider: str, model: str, day: date) -> Rates | None:
        at = (provider, model, day)
        if at not in self._known:
            # Dated prices begin at midnight in UTC: noon has the price of the day.
            self._known[at] = self._source(
                provider, model, datetime.combine(day, time(12), tzinfo=UTC)
            )
        return self._known[at]


def tier_starts(source: RateSource, models: Iterable[tuple[str, str]], at: datetime) -> list[int]:
    """Input sizes above which some of the models has other prices, ascending."""
    found: set[int] = set()
    for provider, model in models:
        rates = source(provider, model, at)
        if not isinstance(rates, ModelRates):
            continue
        price = rates.model.get_prices(rates.at)
        for value in vars(price).values():
            if isinstance(value, TieredPrices):
                found.update(tier.start for tier in value.tiers)
    return sorted(found)


def _priced(tokens: Mapping[str, int], table: RateTable | None) -> int | None:
    if table is None:
        return None
    try:
        return price_nanos(tokens, table)
    except KeyError:
        return None
