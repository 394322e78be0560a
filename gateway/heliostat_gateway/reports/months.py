"""From the ledger to a forecast: which days there are, and what they would cost at later prices."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from heliostat_gateway.reports.calendars import days_between, epoch_ms, instant, local_day, start_ms
from heliostat_gateway.reports.dimensions import Dimension, read_dimensions
from heliostat_gateway.reports.forecasts import (
    LONGEST_HISTORY,
    Ahead,
    Forecast,
    days_like,
    forecast,
)
from heliostat_gateway.reports.questions import UsageQuestion
from heliostat_gateway.reports.rates import RateBook, RateSource, tier_starts
from heliostat_gateway.reports.sums import Slice, models_between, sum_slices

Days = Mapping[date, Sequence[Slice]]  # local day to what was booked on it


@dataclass(frozen=True)
class Month:
    """A month in a time zone, seen from an instant within it."""

    now_ms: int
    zone: ZoneInfo

    @classmethod
    def of(cls, now: datetime, zone: ZoneInfo) -> "Month":
        """The month that `now` lies in, there."""
        return cls(epoch_ms(now), zone)

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.now_ms, self.zone)

    @property
    def first(self) -> date:
        """The first day of the month."""
        return self.today.replace(day=1)

    @property
    def following(self) -> date:
        """The first day of the next month."""
        return (self.first + timedelta(days=32)).replace(day=1)

    @property
    def oldest(self) -> date:
        """The first day that may count as history, or belongs to the month."""
        return min(self.first, self.today - timedelta(days=LONGEST_HISTORY))

    def left_of_today(self) -> tuple[int, int]:
        """Milliseconds of today that are left, and all of them: 23 hours are a day, too."""
        start = start_ms(self.today, self.zone)
        end = start_ms(self.today + timedelta(days=1), self.zone)
        return end - self.now_ms, end - start


@dataclass(frozen=True)
class PriceChange:
    """A model that was used costs something else from a day of this month on."""

    provider: str
    model: str
    day: date


@dataclass(frozen=True)
class MonthForecast:
    """Lines by what they are expected to cost, dearest first; `left_out` are further groups."""

    month: Month
    lines: tuple[tuple[str, Forecast], ...]
    left_out: int
    total: Forecast
    changes: tuple[PriceChange, ...]


def read_month(
    connection: sqlite3.Connection,
    month: Month,
    by: Dimension,
    limit: int,
    source: RateSource,
    users: tuple[str, ...] = (),
) -> MonthForecast:
    """The forecast of a month from the ledger, for some users or all. Raises RefusalError (400)."""
    from_ms, to_ms = start_ms(month.oldest, month.zone), month.now_ms
    models = models_between(connection, from_ms, to_ms)
    # A model may have other tiers after a change of its prices: both are kept apart.
    ends = (instant(month.now_ms), instant(start_ms(month.following, month.zone)))
    tiers = sorted({start for end in ends for start in tier_starts(source, models, end)})
    book = RateBook(source, tiers)
    day = read_dimensions("day")
    question = UsageQuestion(from_ms, to_ms, month.zone, day, users=users)
    whole = sum_slices(connection, question, tiers)
    found = sum_slices(connection, replace(question, by=(*day, by)), tiers)
    groups: dict[str, dict[date, Sequence[Slice]]] = {}
    for (day_text, name), parts in found.items():
        groups.setdefault(name, {})[date.fromisoformat(day_text)] = parts
    largest = sorted(groups, key=lambda name: (-_booked(groups[name]), name))
    lines = [(name, forecast_days(groups[name], month, book)) for name in largest[:limit]]
    total: Days = {date.fromisoformat(key[0]): parts for key, parts in whole.items()}
    return MonthForecast(
        month=month,
        lines=tuple(sorted(lines, key=lambda line: (-(line[1].expected or 0), line[0]))),
        left_out=max(0, len(groups) - limit),
        total=forecast_days(total, month, book),
        changes=price_changes(models, month, book),
    )


def forecast_days(days: Days, month: Month, book: RateBook) -> Forecast:
    """The forecast of what was booked on some days. History begins with its first day."""
    spent = sum(_cost(parts) for day, parts in days.items() if day >= month.first)
    window = month.today - timedelta(days=LONGEST_HISTORY)
    begun = [day for day in days if window <= day < month.today]
    history = days_between(min(begun), month.today) if begun else []
    ahead = []
    for day in days_between(month.today, month.following):
        left, whole = month.left_of_today() if day == month.today else (1, 1)
        like = days_like(history, day)
        if like:
            costs = tuple(repriced(days.get(each, ()), day, book) for each in like)
            ahead.append(Ahead(day, costs, left, whole))
    return forecast(spent, len(history), ahead)


def repriced(parts: Sequence[Slice], day: date, book: RateBook) -> int:
    """What a day's calls would cost on another day; where a price is not known, what they cost."""
    return sum(_repriced(part, day, book) for part in parts)


def price_changes(
    models: Sequence[tuple[str, str]], month: Month, book: RateBook
) -> tuple[PriceChange, ...]:
    """Where prices of these models change between today and the end of the month."""
    found = []
    for provider, model in sorted(models):
        before = book.table(provider, model, month.today, 0)
        for day in days_between(month.today, month.following):
            table = book.table(provider, model, day, 0)
            if table != before:
                found.append(PriceChange(provider, model, day))
            before = table
    return tuple(found)


def _repriced(part: Slice, day: date, book: RateBook) -> int:
    booked_on = date.fromisoformat(part.day)
    then = book.table(part.provider, part.model, booked_on, part.size)
    if then is None or then == book.table(part.provider, part.model, day, part.size):
        return part.cost_nanos
    before, after = book.cost_nanos(part, booked_on), book.cost_nanos(part, day)
    if before is None or after is None:
        return part.cost_nanos
    # The difference, so that what the table does not know (an own price, a speed) stays.
    return max(0, part.cost_nanos + after - before)


def _cost(parts: Sequence[Slice]) -> int:
    return sum(part.cost_nanos for part in parts)


def _booked(days: Days) -> int:
    return sum(_cost(parts) for parts in days.values())
