"""What a timer outside is told, and what the operator fills and skips beside it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.schedules import Schedule
from heliostat_core.schedules.timers import fills, is_fired, skips, timer_of
from support.fire_oracle import oracle_fires
from support.schedule_strategies import instants_in, schedules, some_zones

DAY = timedelta(days=1)
NEW_YORK = "America/New_York"  # 2026: forward on 8 March at 02:00, back on 1 November at 02:00


@pytest.mark.parametrize(
    ("schedule", "cron", "zone"),
    [
        ({"cron": "0 8 * * 1-5", "timeZone": "Asia/Seoul"}, "0 8 * * 1,2,3,4,5", "Asia/Seoul"),
        ({"cron": "0 8 * * 7"}, "0 8 * * 0", "UTC"),
        ({"cron": "0 8 * * FRI-7"}, "0 8 * * 0,5,6", "UTC"),
        ({"cron": "*/15 * * JAN,FEB *"}, "*/15 * * JAN,FEB *", "UTC"),
        ({"cron": "5/15 0/6 * * *"}, "5-59/15 0-23/6 * * *", "UTC"),
        ({"cron": "5-5/15 * 3/4 * *"}, "5-59/15 * 3-31/4 * *", "UTC"),
        ({"cron": "0 8 L * *"}, "0 8 28-31 * *", "UTC"),
        ({"cron": "0 8 1,LW * *"}, "0 8 1,26-31 * *", "UTC"),
        ({"cron": "0 8 * * 5L"}, "0 8 * * 5", "UTC"),
        ({"cron": "0 8 * * 1#2,3#1"}, "0 8 * * 1,3", "UTC"),
        ({"cron": "0 8 * * SUN,MON,TUE,WED,THU,FRI,SAT"}, "0 8 * * 0,1,2,3,4,5,6", "UTC"),
        ({"cron": "0 8 * * 3/2"}, "0 8 * * 0,3,5", "UTC"),  # to the end of the week, a Sunday
        ({"cron": "0 8 * * 2/2"}, "0 8 * * 2,4,6", "UTC"),
        ({"cron": "0 8 1 * 1"}, "0 8 1 * 1", "UTC"),  # either
        ({"cron": "0 8 */2 * 1"}, "0 8 * * 1", "UTC"),  # both
        ({"cron": "0 8 1-31 * 1"}, "0 8 1-31 * 1", "UTC"),  # any day
        ({"frequency": "hourly", "time": "00:20"}, "20 * * * *", "UTC"),
        ({"frequency": "monthly", "monthDay": 31}, "0 0 28-31 * *", "UTC"),
        (
            {"frequency": "daily", "timeZone": "Asia/Seoul", "daylightSaving": "UTC"},
            "0 0 * * *",
            "Etc/UTC",
        ),
    ],
)
def test_what_the_timer_is_told(schedule: dict[str, object], cron: str, zone: str) -> None:
    timer = timer_of(Schedule.model_validate(schedule))
    assert timer is not None
    assert (timer.cron, timer.time_zone) == (cron, zone)


@pytest.mark.parametrize(
    ("schedule", "after", "filled", "skipped"),
    [
        pytest.param(
            {"cron": "30 2 * * *", "timeZone": NEW_YORK},
            datetime(2026, 3, 7, tzinfo=UTC),
            ["2026-03-08T07:00:00+00:00"],
            [],
            id="what clocks skip comes after the gap",
        ),
        pytest.param(
            {"cron": "30 1 * * *", "timeZone": NEW_YORK},
            datetime(2026, 11, 1, tzinfo=UTC),
            [],
            ["2026-11-01T06:30:00+00:00"],
            id="what clocks repeat comes once",
        ),
        pytest.param(
            {"cron": "30 1 * * *", "timeZone": NEW_YORK, "daylightSaving": "Wall"},
            datetime(2026, 11, 1, tzinfo=UTC),
            [],
            [],
            id="Wall is how a timer takes it",
        ),
        pytest.param(
            {"cron": "0 8 L * *"},
            datetime(2026, 2, 27, tzinfo=UTC),
            [],
            ["2026-03-28T08:00:00+00:00", "2026-03-29T08:00:00+00:00", "2026-03-30T08:00:00+00:00"],
            id="the last day is one of four",
        ),
    ],
)
def test_what_it_leaves_to_the_operator(
    schedule: dict[str, object], after: datetime, filled: list[str], skipped: list[str]
) -> None:
    read = Schedule.model_validate(schedule)
    until = after + 32 * DAY
    assert [each.isoformat() for each in fills(read, after, until)] == filled
    assert [each.isoformat() for each in skips(read, after, until)] == skipped


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_timer_with_fills_and_without_skips_is_the_schedule(data: st.DataObject) -> None:
    """The oracle reads the timer's own five fields as the wall shows them, minute by minute."""
    zone = data.draw(some_zones)
    schedule = data.draw(schedules(zone))
    after = data.draw(instants_in(zone))
    until = after + 1.5 * DAY
    timer = timer_of(schedule)
    assert timer is not None
    fired = set(oracle_fires(timer.schedule, after, until))
    filled, skipped = set(fills(schedule, after, until)), set(skips(schedule, after, until))
    assert skipped <= fired
    assert not any(is_fired(schedule, each) for each in filled)
    assert not filled & fired
    assert sorted((fired - skipped) | filled) == oracle_fires(schedule, after, until)
