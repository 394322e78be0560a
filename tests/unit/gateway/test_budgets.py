"""Periods of budgets in their time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.money.budgets import Budget, BudgetPeriod, Period, period_of

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


@pytest.mark.parametrize(
    ("now", "period", "name", "end"),
    [
        ("2026-11-22T23:59:59", BudgetPeriod.DAY, "2026-11-22", "2026-11-23T00:00:00"),
        ("2026-11-22T00:00:00", BudgetPeriod.DAY, "2026-11-22", "2026-11-23T00:00:00"),
        ("2026-10-25T12:00:00", BudgetPeriod.DAY, "2026-10-25", "2026-10-26T00:00:00"),  # 25 h
        ("2026-12-31T23:00:00", BudgetPeriod.MONTH, "2026-12", "2027-01-01T00:00:00"),
        ("2026-03-29T12:00:00", BudgetPeriod.MONTH, "2026-03", "2026-04-01T00:00:00"),
    ],
)
def test_a_period_ends_at_midnight_of_the_zone(
    now: str, period: BudgetPeriod, name: str, end: str
) -> None:
    budget = Budget("b", 1, period=period, zone="Europe/Berlin")
    assert period_of(budget, at(now)) == Period(name, at(end))


def test_a_budget_for_all_time_has_no_end() -> None:
    assert period_of(Budget("b", 1), 5) == Period("all", None)


@given(
    st.integers(0, 4 * 10**12),
    st.sampled_from([BudgetPeriod.DAY, BudgetPeriod.MONTH]),
    st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut"]),
)
def test_every_instant_is_in_one_period(now: int, period: BudgetPeriod, zone: str) -> None:
    budget = Budget("b", 1, period=period, zone=zone)
    found = period_of(budget, now)
    assert found.end_ms is not None
    assert found.end_ms > now
    assert period_of(budget, found.end_ms - 1) == found
    assert period_of(budget, found.end_ms).name > found.name
