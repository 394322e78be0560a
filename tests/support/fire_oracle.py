"""A second reading of what a schedule means: minute by minute, by the clock on the wall.

It shares no code with heliostat_core.schedules: no cron library, no search for transitions. It asks
of every minute of real time what the clocks show, and remembers what they have shown.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from heliostat_core.schedules import Schedule

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def oracle_fires(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    """Every instant of the schedule in `after < instant <= until`, both whole minutes."""
    utc = schedule.daylight_saving == "UTC"
    zone = ZoneInfo("UTC" if utc else schedule.time_zone)
    once = schedule.daylight_saving == "Once"
    found: list[datetime] = []
    shown: set[datetime] = set()
    highest: datetime | None = None
    # Two days before, so that what was shown before `after` is known.
    for instant in _minutes(after - 2 * _DAY, until):
        wall = instant.astimezone(zone).replace(tzinfo=None)
        fires = _named(schedule, wall) and not (once and wall in shown)
        if once and highest is not None and wall > highest + _MINUTE:
            fires = fires or any(_named(schedule, each) for each in _between(highest, wall))
        shown.add(wall)
        highest = wall if highest is None else max(highest, wall)
        if fires and instant > after:
            found.append(instant)
    return found


def _minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    instant = start.astimezone(UTC)
    while instant <= end:
        yield instant
        instant += _MINUTE


def _between(low: datetime, high: datetime) -> Iterator[datetime]:
    wall = low + _MINUTE
    while wall < high:
        yield wall
        wall += _MINUTE


def _named(schedule: Schedule, wall: datetime) -> bool:
    if schedule.cron is not None:
        return _named_by_cron(schedule.cron, wall)
    hour, minute = (int(each) for each in (schedule.time or "00:00").split(":"))
    last = monthrange(wall.year, wall.month)[1]
    day = {
        "hourly": True,
        "daily": True,
        "weekly": _NAMES[wall.weekday()] == (schedule.weekday or "Monday"),
        "monthly": wall.day == min(schedule.month_day or 1, last),
    }[schedule.frequency or ""]
    return day and wall.minute == minute and (wall.hour == hour or schedule.frequency == "hourly")


def _named_by_cron(cron: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = cron.split()
    by_day = _in_field(day, wall.day, 1, 31)
    by_weekday = any(_in_field(weekday, each, 0, 7) for each in _weekday_numbers(wall))
    either = not (day.startswith("*") or weekday.startswith("*"))
    return (
        _in_field(minute, wall.minute, 0, 59)
        and _in_field(hour, wall.hour, 0, 23)
        and _in_field(month, wall.month, 1, 12)
        and ((by_day or by_weekday) if either else (by_day and by_weekday))
    )


def _weekday_numbers(wall: datetime) -> tuple[int, ...]:
    number = wall.isoweekday()
    return (0, 7) if number == 7 else (number,)


def _in_field(field: str, value: int, lowest: int, highest: int) -> bool:
    """Numbers, ranges, steps and lists."""
    for item in field.split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            first, last = lowest, highest
        else:
            first = int(low)
            last = int(high) if high else highest if step else first
        if first <= value <= last and (value - first) % int(step or 1) == 0:
            return True
    return False
