"""When schedules fire: the semantics as a table, and against a second implementation."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.schedules import Blackout, Schedule, fires, previous
from heliostat_core.schedules.fires import (
    Note,
    blackout_at,
    blackout_end,
    end_of_blackouts,
    times_after,
)
from heliostat_core.schedules.model import DaylightSaving
from support.fire_oracle import oracle_fires
from support.schedule_strategies import blackouts_near, instants_in, schedules, some_zones

NEW_YORK = "America/New_York"  # 2026: forward on 8 March at 02:00, back on 1 November at 02:00
SEOUL = "Asia/Seoul"


def local_fires(schedule: Schedule, after: str, count: int) -> list[str]:
    """As a clock there shows them, with the offset."""
    found = fires(schedule, datetime.fromisoformat(after), count)
    return [each.local.isoformat(timespec="minutes") for each in found]


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        pytest.param(
            {"cron": "0 8 * * 1-5", "timeZone": SEOUL},
            "2026-01-02T09:00+09:00",  # a Friday
            ["2026-01-05T08:00+09:00", "2026-01-06T08:00+09:00"],
            id="cron from Monday to Friday",
        ),
        pytest.param(
            {"frequency": "daily", "time": "08:00"},
            "2026-01-01T08:00+00:00",
            ["2026-01-02T08:00+00:00"],
            id="the instant itself is not after it",
        ),
        pytest.param(
            {"frequency": "weekly"},
            "2026-01-01T00:00+00:00",
            ["2026-01-05T00:00+00:00", "2026-01-12T00:00+00:00"],
            id="weekly is Monday at midnight",
        ),
        pytest.param(
            {"frequency": "monthly", "time": "09:30"},
            "2026-01-01T10:00+00:00",
            ["2026-02-01T09:30+00:00"],
            id="monthly is the first",
        ),
        pytest.param(
            {"frequency": "monthly", "monthDay": 31},
            "2028-01-31T00:00+00:00",
            ["2028-02-29T00:00+00:00", "2028-03-31T00:00+00:00", "2028-04-30T00:00+00:00"],
            id="a day past the end is the last day",
        ),
        pytest.param(
            {"frequency": "monthly", "monthDay": 30},
            "2026-01-30T00:00+00:00",
            ["2026-02-28T00:00+00:00", "2026-03-30T00:00+00:00"],
            id="the 30th of February, and no 31st",
        ),
        pytest.param(
            {"frequency": "hourly", "time": "00:15"},
            "2026-01-01T00:15+00:00",
            ["2026-01-01T01:15+00:00", "2026-01-01T02:15+00:00"],
            id="hourly takes the minutes",
        ),
        pytest.param(
            {"cron": "0 0 29 2 *"},
            "2026-01-01T00:00+00:00",
            ["2028-02-29T00:00+00:00", "2032-02-29T00:00+00:00"],
            id="leap days",
        ),
        pytest.param(
            {"cron": "0 0 L * *"},
            "2026-02-01T00:00+00:00",
            ["2026-02-28T00:00+00:00", "2026-03-31T00:00+00:00"],
            id="the last of the month",
        ),
        pytest.param(
            {"frequency": "daily", "time": "02:30", "timeZone": NEW_YORK},
            "2026-03-07T12:00-05:00",
            ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"],
            id="Once: a time that is skipped comes at the first instant after the gap",
        ),
        pytest.param(
            {"cron": "*/20 2,3 * * *", "timeZone": NEW_YORK},
            "2026-03-08T01:59-05:00",
            ["2026-03-08T03:00-04:00", "2026-03-08T03:20-04:00"],
            id="Once: all that is skipped comes as one",
        ),
        pytest.param(
            {"frequency": "daily", "time": "01:30", "timeZone": NEW_YORK},
            "2026-10-31T12:00-04:00",
            ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"],
            id="Once: a time that is repeated comes the first time",
        ),
        pytest.param(
            {"frequency": "daily", "time": "02:30", "timeZone": NEW_YORK, "daylightSaving": "Wall"},
            "2026-03-07T12:00-05:00",
            ["2026-03-09T02:30-04:00"],
            id="Wall: a time that is skipped does not come",
        ),
        pytest.param(
            {"frequency": "daily", "time": "01:30", "timeZone": NEW_YORK, "daylightSaving": "Wall"},
            "2026-10-31T12:00-04:00",
            ["2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00", "2026-11-02T01:30-05:00"],
            id="Wall: a time that is repeated comes twice",
        ),
        pytest.param(
            {"cron": "*/30 1 * * *", "timeZone": NEW_YORK, "daylightSaving": "Wall"},
            "2026-11-01T01:00-04:00",
            ["2026-11-01T01:30-04:00", "2026-11-01T01:00-05:00", "2026-11-01T01:30-05:00"],
            id="Wall: in the order of time",
        ),
        pytest.param(
            {"frequency": "daily", "time": "08:00", "timeZone": SEOUL, "daylightSaving": "UTC"},
            "2026-01-01T00:00+00:00",
            ["2026-01-01T17:00+09:00"],
            id="UTC: the fields are read in UTC",
        ),
    ],
)
def test_a_schedule_fires(schedule: dict[str, object], after: str, expected: list[str]) -> None:
    assert local_fires(Schedule.model_validate(schedule), after, len(expected)) == expected


@pytest.mark.parametrize("cron", ["0 0 31 4 *", "0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 5-3 * * *"])
def test_a_date_that_never_comes_has_no_fires(cron: str) -> None:
    schedule = Schedule(cron=cron)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert fires(schedule, now, 3) == ()
    assert previous(schedule, now) is None


def test_fires_say_what_is_special_about_them() -> None:
    once = Schedule(cron="30 1,2 * * *", time_zone=NEW_YORK)
    wall = once.model_copy(update={"daylight_saving": "Wall"})
    spring, autumn = datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert [each.note for each in fires(once, spring, 2)] == [None, Note.AFTER_GAP]
    assert [each.note for each in fires(once, autumn, 2)] == [Note.FIRST_OF_TWO, None]
    assert [each.note for each in fires(wall, autumn, 3)] == [
        Note.FIRST_OF_TWO,
        Note.SECOND_OF_TWO,
        None,
    ]


def test_a_blackout_once_holds_from_its_start_to_before_its_end() -> None:
    holidays = Blackout.model_validate(
        {"startTime": "2026-12-24T08:00:00Z", "endTime": "2026-12-26T08:00:00Z", "reason": "Xmas"}
    )
    schedule = Schedule(frequency="daily", time="08:00", blackouts=(holidays,))
    found = fires(schedule, datetime(2026, 12, 23, tzinfo=UTC), 4)
    assert [each.blackout == holidays for each in found] == [False, True, True, False]
    assert [each.note for each in found] == [None, Note.BLACKOUT, Note.BLACKOUT, None]


def test_a_recurring_blackout_is_read_in_the_zone_of_the_schedule() -> None:
    night = Blackout(cron="0 22 * * *", duration_seconds=8 * 3600)
    schedule = Schedule(cron="0 */2 * * *", time_zone=SEOUL, blackouts=(night,))
    found = fires(schedule, datetime.fromisoformat("2026-01-01T19:00+09:00"), 6)
    assert [(each.local.hour, each.blackout is not None) for each in found] == [
        (20, False),
        *((hour, True) for hour in (22, 0, 2, 4)),
        (6, False),
    ]


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-1, False), (0, True), (3599, True), (3600, False)]
)
@pytest.mark.parametrize("recurs", [True, False])
def test_a_blackout_ends_for_whom_it_holds(recurs: bool, seconds: int, holds: bool) -> None:
    begin = datetime(2026, 12, 24, 8, tzinfo=UTC)
    end = begin + timedelta(hours=1)
    once = Blackout(start_time=begin, end_time=end)
    blackout = Blackout(cron="0 8 * * *", duration_seconds=3600) if recurs else once
    schedule = Schedule(frequency="hourly", blackouts=(blackout,))
    found = blackout_end(schedule, blackout, begin + timedelta(seconds=seconds))
    assert found == (end if holds else None)


def test_blackouts_that_hold_together_are_over_with_the_last() -> None:
    night = Blackout(cron="0 22 * * *", duration_seconds=8 * 3600)
    evening = Blackout(cron="0 21 * * *", duration_seconds=2 * 3600)
    schedule = Schedule(frequency="hourly", blackouts=(night, evening))
    ends = [
        end_of_blackouts(schedule, datetime(2026, 1, 1, hour, 30, tzinfo=UTC))
        for hour in (20, 21, 22, 23)
    ]
    morning = datetime(2026, 1, 2, 6, tzinfo=UTC)
    assert ends == [None, datetime(2026, 1, 1, 23, tzinfo=UTC), morning, morning]


@pytest.mark.parametrize("mode", ["Wall", "Once", "UTC"])
@pytest.mark.parametrize("date", ["2026-03-08", "2026-03-09", "2026-06-09", "2026-11-01"])
def test_a_blackout_comes_each_day_by_the_clocks_of_the_zone(
    mode: DaylightSaving, date: str
) -> None:
    """Also where they skip its beginning, and where the times of the schedule are read in UTC."""
    early = Blackout(cron="0 2 * * *", duration_seconds=3 * 3600)
    schedule = Schedule(
        cron="*/30 * * * *", time_zone=NEW_YORK, daylight_saving=mode, blackouts=(early,)
    )
    midnight = datetime.fromisoformat(date).replace(tzinfo=ZoneInfo(NEW_YORK))
    held = [each.local for each in fires(schedule, midnight, 14) if each.blackout]
    first = 3 if date == "2026-03-08" else 2
    assert (held[0].hour, held[0].minute, len(held)) == (first, 0, 6)


SET_BACK = [
    # By an hour, by 23 hours (over the date line), and by an hour that comes back after a month.
    (NEW_YORK, "30 1 * * *", "2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00"),
    ("Pacific/Kwajalein", "30 12 30 9 *", "1969-09-30T12:30+11:00", "1969-09-30T12:30-12:00"),
    ("Africa/Casablanca", "30 2 * * *", "2026-02-15T02:30+01:00", "2026-02-15T02:30+00:00"),
]


@pytest.mark.parametrize(("zone", "cron", "first", "second"), SET_BACK)
def test_a_time_that_clocks_show_twice_is_found_from_both_sides(
    zone: str, cron: str, first: str, second: str
) -> None:
    """Between the two a clock shows what is later than the second."""
    schedule = Schedule(cron=cron, time_zone=zone, daylight_saving="Wall")
    one, two = datetime.fromisoformat(first), datetime.fromisoformat(second)
    between = one + timedelta(minutes=15)
    assert fires(schedule, between, 1)[0].time == two
    for before, expected in ((two + timedelta(minutes=15), two), (between, one), (two, one)):
        found = previous(schedule, before)
        assert found is not None
        assert found.time == expected


def test_the_last_time_before_is_the_latest_though_the_clock_showed_less() -> None:
    schedule = Schedule(cron="*/30 1 * * *", time_zone=NEW_YORK, daylight_saving="Wall")
    found = previous(schedule, datetime.fromisoformat("2026-11-01T01:10-05:00"))
    assert found is not None
    assert found.local.isoformat(timespec="minutes") == "2026-11-01T01:00-05:00"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_fire_is_in_the_blackout_that_holds_at_its_time(data: st.DataObject) -> None:
    zone = data.draw(some_zones)
    after = data.draw(instants_in(zone))
    schedule = data.draw(schedules(zone))
    schedule = schedule.model_copy(update={"blackouts": data.draw(blackouts_near(after))})
    for fire in fires(schedule, after, 40):
        assert fire.blackout == blackout_at(schedule, fire.time)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_fires_are_those_that_the_clock_on_the_wall_shows(data: st.DataObject) -> None:
    zone = data.draw(some_zones)
    schedule, after = data.draw(schedules(zone)), data.draw(instants_in(zone))
    until = after + timedelta(days=2)
    expected = oracle_fires(schedule, after, until)
    found = [each.time for each in fires(schedule, after, len(expected) + 1)]
    assert found[: len(expected)] == expected
    assert all(each > until for each in found[len(expected) :])


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_previous_is_the_last_fire_before(data: st.DataObject) -> None:
    zone = data.draw(some_zones)
    schedule, after = data.draw(schedules(zone)), data.draw(instants_in(zone))
    for fire in fires(schedule, after, 5):
        found = previous(schedule, fire.time + timedelta(seconds=1))
        assert found is not None
        assert found.time == fire.time
        earlier = previous(schedule, fire.time)
        assert earlier is None or fires(schedule, earlier.time, 1)[0].time == fire.time


def test_a_schedule_of_no_zone_has_no_times() -> None:
    nowhere = Schedule(cron="0 8 * * *", time_zone="Nowhere/Else")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert fires(nowhere, start, 1) == ()
    assert list(times_after(nowhere, start)) == []
    assert previous(nowhere, start) is None
