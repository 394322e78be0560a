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
    by_day = any(_is_last(each, wall) or _in_field(each, wall.day, 1, 31) for each in _items(day))
    by_weekday = any(
        _is_weekday_of_month(each, wall)
        or any(_in_field(each, number, 0, 7) for number in _weekday_numbers(wall))
        for each in _items(weekday)
    )
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


def _items(field: str) -> list[str]:
    return field.split(",")


def _is_last(item: str, wall: datetime) -> bool:
    """L, the last day; LW, the last from Monday to Friday."""
    if item not in ("L", "LW"):
        return False
    days = [wall.replace(day=each) for each in range(1, monthrange(wall.year, wall.month)[1] + 1)]
    meant = [each for each in days if item == "L" or each.isoweekday() <= 5]
    return meant[-1].day == wall.day


def _is_weekday_of_month(item: str, wall: datetime) -> bool:
    """`5L` is the last Friday, `1#2` the second Monday."""
    day, _, number = item.partition("#")
    if (
        not day[0].isdecimal()
        or int(day[0]) not in _weekday_numbers(wall)
        or not (number or day.endswith("L"))
    ):
        return False
    if number:
        return (wall.day - 1) // 7 + 1 == int(number)
    return (wall + 7 * _DAY).month != wall.month


def _in_field(field: str, value: int, lowest: int, highest: int) -> bool:
    """Numbers, ranges, steps and lists; what else there is names none."""
    for item in _items(field):
        if "L" in item or "#" in item:
            continue
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
