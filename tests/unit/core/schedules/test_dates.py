"""Times of a wall clock, and schedules that name none."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.schedules import Schedule, describe, fires, previous
from heliostat_core.schedules.dates import cron_of, days_of_year, times_of_day, wall_times
from heliostat_core.schedules.timers import is_fired, timer_of
from heliostat_core.schedules.zones import first_instant, is_skipped, wall_clock
from support.schedule_strategies import changes, some_zones

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WALL = NOON.replace(tzinfo=None)
MIDNIGHT = WALL.replace(hour=0)


@pytest.mark.parametrize("schedule", [Schedule(), Schedule(cron="0 0 30 2 *")])
def test_a_schedule_that_names_no_time_has_none_anywhere(schedule: Schedule) -> None:
    assert days_of_year(schedule, 2026) == ()
    assert list(wall_times(schedule, WALL)) == []
    assert fires(schedule, NOON, 1) == ()
    assert previous(schedule, NOON) is None
    assert not is_fired(schedule, NOON)


def test_a_schedule_that_says_nothing_has_no_timer_and_says_so() -> None:
    assert (cron_of(Schedule()), timer_of(Schedule())) == (None, None)
    assert list(times_of_day(Schedule(), MIDNIGHT)) == []
    assert describe(Schedule(), "en") == "never, UTC"


def test_a_cron_that_can_not_be_read_names_no_time() -> None:
    assert list(wall_times(Schedule.model_construct(cron="0 0 32 * *"), WALL)) == []


@pytest.mark.parametrize(
    ("cron", "times"),
    [
        ("30 */8 1 1 *", ["00:30", "08:30", "16:30"]),
        ("0 0 * * *", ["00:00"]),
        ("59 23 * * *", ["23:59"]),
    ],
)
def test_the_times_of_a_day_are_all_of_them_and_no_others(cron: str, times: list[str]) -> None:
    found = list(times_of_day(Schedule(cron=cron), MIDNIGHT))
    assert [f"{each:%H:%M}" for each in found] == times
    assert {each.date() for each in found} == {MIDNIGHT.date()}


@pytest.mark.parametrize(
    ("day", "february"), [(28, date(2026, 2, 28)), (29, date(2026, 2, 28)), (31, date(2026, 2, 28))]
)
def test_a_month_that_lacks_the_day_has_its_last(day: int, february: date) -> None:
    days = days_of_year(Schedule(frequency="monthly", month_day=day), 2026)
    assert (len(days), date.fromordinal(days[1])) == (12, february)


def test_a_year_that_lacks_the_date_has_none() -> None:
    leap = Schedule(cron="0 8 29 2 *")
    assert [len(days_of_year(leap, year)) for year in (2027, 2028)] == [0, 1]


@given(some_zones, st.integers(0, 50), st.integers(-7200, 7200))
def test_a_time_that_clocks_skip_is_the_first_instant_after_the_gap(
    zone: str, which: int, seconds: int
) -> None:
    """To the second, also of walls beside a gap, which clocks show."""
    found = changes(zone)
    if not found:
        return
    place, change = ZoneInfo(zone), found[which % len(found)]
    wall = wall_clock(change, place) + timedelta(seconds=seconds)
    instant = first_instant(wall, place)
    shown = wall_clock(instant, place)
    assert shown >= wall
    assert (shown != wall) is is_skipped(wall, place)
    if shown != wall:
        assert wall_clock(instant - timedelta(seconds=1), place) < wall
