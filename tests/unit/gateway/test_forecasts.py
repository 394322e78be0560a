"""Forecasts: honest without history, by weekday with it, and aware of prices to come."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.costs import cost_nanos
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.prices import FlatRates, Rates, find_rates
from heliostat_gateway.reports.calendars import epoch_ms
from heliostat_gateway.reports.dimensions import read_dimensions
from heliostat_gateway.reports.forecasts import (
    FEWEST_DAYS,
    LONGEST_HISTORY,
    Ahead,
    Forecast,
    Method,
    days_like,
    forecast,
)
from heliostat_gateway.reports.months import (
    Month,
    MonthForecast,
    forecast_days,
    price_changes,
    read_month,
)
from heliostat_gateway.reports.rates import RateBook
from heliostat_gateway.reports.reading import LedgerReader
from heliostat_gateway.reports.sums import Slice
from heliostat_gateway.storage import Storage
from support.ledger_rows import Row, book

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
MONTH = Month.of(NOON, ZoneInfo("UTC"))


def unpriced(provider: str, model: str, at: datetime) -> Rates | None:  # noqa: ARG001
    return None


def real(provider: str, model: str, at: datetime) -> Rates | None:
    return find_rates(model, provider, at)


NO_PRICES = RateBook(unpriced, [])


def booked(day: date, cost: int, model: str = "m", provider: str = "p", **tokens: int) -> Slice:
    return Slice(provider, model, day.isoformat(), 0, tokens, cost)


def steady(days: int, cost: int = 100) -> Forecast:
    """The forecast after so many days before today that all cost the same."""
    past = [MONTH.today - timedelta(days=n) for n in range(1, days + 1)]
    return forecast_days({day: [booked(day, cost)] for day in past}, MONTH, NO_PRICES)


@pytest.mark.parametrize("days", range(FEWEST_DAYS))
def test_without_history_there_is_no_figure(days: int) -> None:
    found = steady(days)
    assert (found.method, found.expected, found.low, found.high) == (Method.NONE, None, None, None)
    assert found.message.startswith(f"No history: {days} whole days are known, 3 are needed.")
    assert found.spent == 100 * days


def test_what_never_varies_is_expected_exactly() -> None:
    """17 days behind, half of today and twelve days ahead."""
    found = steady(17)
    assert (found.method, found.history_days, found.spent) == (Method.WEEKDAY, 17, 1700)
    assert (found.low, found.expected, found.high) == (2950, 2950, 2950)
    assert steady(13).method is Method.MEAN


def test_weekdays_count_from_two_weeks_on() -> None:
    """Only Mondays cost anything: two are left of the month."""
    past = [MONTH.today - timedelta(days=n) for n in range(1, 29)]
    days = {day: [booked(day, 700)] for day in past if day.weekday() == 0}
    found = forecast_days(days, MONTH, NO_PRICES)
    spent = 700 * sum(day >= MONTH.first for day in days)
    assert (found.spent, found.expected) == (spent, spent + 2 * 700)
    assert {day.weekday() for day in days_like(past, date(2026, 11, 23))} == {0}


def test_history_begins_with_the_first_day_that_cost_something_and_is_bounded() -> None:
    days = {MONTH.today - timedelta(days=n): [booked(NOON.date(), 10)] for n in (5, 2, 0)}
    assert forecast_days(days, MONTH, NO_PRICES).history_days == 5
    old = {MONTH.today - timedelta(days=n): [booked(NOON.date(), 10)] for n in range(200)}
    assert forecast_days(old, MONTH, NO_PRICES).history_days == LONGEST_HISTORY


COSTS = st.lists(st.integers(0, 10**13), min_size=1, max_size=30)
AHEAD = st.lists(
    st.builds(
        lambda costs, left, more: Ahead(NOON.date(), tuple(costs), left, left + more),
        COSTS,
        st.integers(1, 86_400_000),
        st.integers(0, 86_400_000),
    ),
    max_size=31,
)


@given(st.integers(0, 10**14), AHEAD)
def test_the_range_holds_what_is_expected_and_nothing_below_what_was_spent(
    spent: int, ahead: list[Ahead]
) -> None:
    found = forecast(spent, 30, ahead)
    assert found.expected is not None
    assert found.low is not None
    assert found.high is not None
    assert spent <= found.low <= found.expected <= found.high
    assert found.high <= spent + sum(max(day.costs) for day in ahead) + len(ahead)
    assert forecast(spent, 30, ahead) == found


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_dearer_history_never_makes_a_cheaper_month(cost: int, more: int) -> None:
    days = [Ahead(NOON.date(), (0, cost, 2 * cost))] * 9
    dearer = [Ahead(NOON.date(), (0, cost + more, 2 * cost + more))] * 9
    low, high = forecast(0, 30, days), forecast(0, 30, dearer)
    assert (low.expected or 0) <= (high.expected or 0)


@pytest.mark.parametrize(
    ("zone", "now", "left", "whole"),
    [
        ("Europe/Berlin", datetime(2026, 10, 25, 0, 0, tzinfo=UTC), 23, 25),
        ("Europe/Berlin", datetime(2026, 3, 29, 12, 0, tzinfo=UTC), 10, 23),
        ("UTC", datetime(2026, 3, 29, 12, 0, tzinfo=UTC), 12, 24),
    ],
)
def test_the_rest_of_today_knows_when_clocks_change(
    zone: str, now: datetime, left: int, whole: int
) -> None:
    month = Month.of(now, ZoneInfo(zone))
    assert month.left_of_today() == (left * 3_600_000, whole * 3_600_000)


def test_months_end_in_december_and_february() -> None:
    utc = ZoneInfo("UTC")
    assert Month.of(datetime(2026, 12, 31, tzinfo=UTC), utc).following == date(2027, 1, 1)
    assert Month.of(datetime(2028, 2, 29, tzinfo=UTC), utc).following == date(2028, 3, 1)
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert Month.of(late, ZoneInfo("Europe/Berlin")).first == date(2026, 12, 1)


def doubling(provider: str, model: str, at: datetime) -> Rates | None:  # noqa: ARG001
    """From the 25th on everything costs twice as much."""
    factor = 2 if at >= datetime(2026, 11, 25, tzinfo=UTC) else 1
    return FlatRates({"input": Decimal(4 * factor), "output": Decimal(20 * factor)})


def test_days_after_a_change_of_prices_cost_what_they_will_cost() -> None:
    """Six days are left at the old price (half of today first), six at the doubled one."""
    rates = doubling("p", "m", NOON)
    assert rates is not None
    cost = cost_nanos(rates, Usage(input=1000, output=500))
    past = [MONTH.today - timedelta(days=n) for n in range(1, 8)]
    days = {day: [booked(day, cost, input=1000, output=500)] for day in past}
    book = RateBook(doubling, [])
    found = forecast_days(days, MONTH, book)
    assert found.expected == 7 * cost + cost // 2 + 6 * cost + 6 * 2 * cost
    (change,) = price_changes([("p", "m")], MONTH, book)
    assert (change.model, change.day) == ("m", date(2026, 11, 25))


def test_a_dated_price_of_the_real_table_is_known() -> None:
    """gemini-4-argon doubles on the first of December 2026; seen from November it does not."""
    book = RateBook(real, [])
    assert price_changes([("google", "gemini-4-argon")], MONTH, book) == ()
    part = booked(MONTH.today, 10**9, "gemini-4-argon", "google", input=10**6, output=10**5)
    before, after = (book.cost_nanos(part, date(2026, month, 1)) for month in (11, 12))
    assert (before, after) == (3 * 10**9, 6 * 10**9)


def test_an_own_price_stays_and_an_unknown_one_is_left_alone() -> None:
    past = [MONTH.today - timedelta(days=n) for n in range(1, 8)]
    days = {day: [booked(day, 12345, input=1000, output=500)] for day in past}
    same = forecast_days(days, MONTH, NO_PRICES)
    assert same.expected == 7 * 12345 + (12345 + 1) // 2 + 12 * 12345


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


def test_a_month_of_a_real_ledger(storage: Storage) -> None:
    days = [NOON - timedelta(days=n, minutes=1) for n in range(20)]
    rows = [
        Row(epoch_ms(day), agent=agent, cost=cost, model="m")
        for day in days
        for agent, cost in (("a/dear", 200), ("a/cheap", 100))
    ]
    rows += [Row(epoch_ms(days[0]), agent="a/new", cost=5, model="m")]
    asyncio.run(book(SqliteLedger(storage), rows))
    (agent,) = read_dimensions("agent")

    def read(limit: int) -> MonthForecast:
        reader = LedgerReader(storage.path)
        return reader.run_now(lambda db: read_month(db, MONTH, agent, limit, unpriced))

    found = read(9)
    assert [name for name, _ in found.lines] == ["a/dear", "a/cheap", "a/new"]
    dear, cheap, new = (each for _, each in found.lines)
    assert (dear.spent, dear.expected) == (18 * 200, 18 * 200 + 100 + 12 * 200)
    assert (cheap.spent, new.spent, new.expected) == (1800, 5, None)
    assert found.total.spent == 18 * 300 + 5
    assert (read(1).left_out, [name for name, _ in read(1).lines]) == (2, ["a/dear"])
