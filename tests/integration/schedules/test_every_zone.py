"""Schedules against their second implementation in every zone of IANA."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.schedules import Schedule, fires
from heliostat_core.schedules.model import DaylightSaving
from support.fire_oracle import oracle_fires
from support.schedule_strategies import changes, instants_in, schedules, zones

_MODES: tuple[DaylightSaving, ...] = ("Wall", "Once", "UTC")
_AROUND = timedelta(hours=4)


def differing(schedule: Schedule, after: datetime, until: datetime) -> str | None:
    """How the fires differ from the oracle's, or None."""
    expected = oracle_fires(schedule, after, until)
    found = [each.time for each in fires(schedule, after, len(expected) + 1)]
    if found[: len(expected)] == expected and all(each > until for each in found[len(expected) :]):
        return None
    return f"{schedule.time_zone} {schedule.cron} {schedule.daylight_saving} after {after}"


def test_around_every_kind_of_change_of_the_clocks() -> None:
    """Zones that change alike are the same to a schedule: one of each kind stands for all."""
    kinds = {
        (change, _offsets(zone, change)): zone for zone in zones() for change in changes(zone)[-1:]
    }
    outcomes = [
        differing(
            Schedule(cron="*/10 * * * *", time_zone=zone, daylight_saving=mode),
            change - _AROUND,
            change + _AROUND,
        )
        for (change, _), zone in kinds.items()
        for mode in _MODES
    ]
    assert len(kinds) > 20
    assert [each for each in outcomes if each] == []


def _offsets(zone: str, change: datetime) -> tuple[timedelta | None, ...]:
    schedule = Schedule(cron="* * * * *", time_zone=zone)
    around = (change - timedelta(hours=30), change + timedelta(hours=30))
    return tuple(fires(schedule, each, 1)[0].local.utcoffset() for each in around)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_in_any_zone_from_2020_to_2035(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(zones()))
    schedule, after = data.draw(schedules(zone)), data.draw(instants_in(zone))
    assert differing(schedule, after, after + timedelta(days=1)) is None


def test_a_day_of_the_month_comes_every_month_of_sixteen_years() -> None:
    for day in range(1, 32):
        schedule = Schedule(frequency="monthly", month_day=day)
        found = fires(schedule, datetime(2019, 12, 31, 12, tzinfo=UTC), 192)
        months = [(each.time.year, each.time.month) for each in found]
        assert months == [(year, month) for year in range(2020, 2036) for month in range(1, 13)]
