"""Time zones and the two ways between the clock on a wall and instants."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_DAY = timedelta(hours=25)


@cache
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, a path outside
        return None


def wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock there shows, without a zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def earliest_wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """The earliest that a clock there shows from that instant on: it may be set back soon."""
    return wall_clock(instant, zone) - _set_back(instant, instant + _DAY, zone)


def latest_wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """The latest that a clock there showed until that instant: it may have been set back."""
    return wall_clock(instant, zone) + _set_back(instant - _DAY, instant, zone)


def _set_back(start: datetime, end: datetime, zone: ZoneInfo) -> timedelta:
    before, after = start.astimezone(zone).utcoffset(), end.astimezone(zone).utcoffset()
    return max((before or timedelta()) - (after or timedelta()), timedelta())


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which a clock there shows this; for a time that is skipped, the instant
    after the gap."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_clock(instant, zone) == wall:
        return instant
    return _end_of_gap(wall, zone)


def second_instant(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The second instant at which a clock there shows this, when clocks are set back."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return second if first < second else None  # in a gap fold=1 is the earlier one


def is_skipped(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks there never show this."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return wall_clock(instant, zone) != wall


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """fold=1 reads the time by the clock after the gap, which is too early by what is missing.

    `wall` has whole seconds, as all times of cron have.
    """
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    # Between the two lies the change; clocks show less than `wall` before it, more after it.
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (middle, after) if wall_clock(middle, zone) < wall else (before, middle)
    return after
