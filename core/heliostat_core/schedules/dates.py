"""Which times of a wall clock a schedule names: cron's own question, without any zone."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile

from cronsim import CronSim, CronSimError

from heliostat_core.schedules.model import WEEKDAYS, Schedule

_EVERY_MONTH = 28  # the last day that each month has
_MINUTE = timedelta(minutes=1)
_KEPT = 2048  # a schedule with 32 blackouts, over 28 years, and others


def wall_times(
    schedule: Schedule, start: datetime, *, backward: bool = False
) -> Iterator[datetime]:
    """Times after (or before) `start`, nearest first; none for a cron that can't be read."""
    expression = cron_of(schedule)
    if expression is None:
        return
    found = _named(expression, start, backward=backward)
    day = _day_of_month(schedule)
    yield from _on_day(found, day) if day else found


def days_of_year(schedule: Schedule, year: int) -> tuple[int, ...]:
    """Ordinals of the days of a year that it names."""
    expression = cron_of(schedule)
    if expression is None:
        return ()
    _, _, *days = expression.split()
    return _days_of_year(" ".join(days), _day_of_month(schedule), year)


@lru_cache(_KEPT)
def _days_of_year(days: str, day: int | None, year: int) -> tuple[int, ...]:
    start = datetime(year, 1, 1) - _MINUTE  # noqa: DTZ001 - a wall clock has no zone
    found = _named(f"0 0 {days}", start)
    ahead = _on_day(found, day) if day else found
    return tuple(each.toordinal() for each in takewhile(lambda each: each.year == year, ahead))


def times_of_day(schedule: Schedule, midnight: datetime) -> Iterator[datetime]:
    """Times of that day which it names, if it names the day."""
    expression = cron_of(schedule)
    if expression is not None:
        minute, hour, *_ = expression.split()
        found = _named(f"{minute} {hour} * * *", midnight - _MINUTE)
        yield from takewhile(lambda wall: wall.date() == midnight.date(), found)


def cron_of(schedule: Schedule) -> str | None:
    """The schedule as cron; `monthly` beyond the 28th names more days than it means."""
    if schedule.cron:
        return schedule.cron
    hour, minute = (int(each) for each in (schedule.time or "00:00").split(":"))
    match schedule.frequency:
        case "hourly":
            return f"{minute} * * * *"
        case "daily":
            return f"{minute} {hour} * * *"
        case "weekly":
            number = WEEKDAYS.index(schedule.weekday or "Monday") + 1
            return f"{minute} {hour} * * {number}"
        case "monthly":
            day = schedule.month_day or 1
            days = day if day <= _EVERY_MONTH else f"{_EVERY_MONTH}-31"
            return f"{minute} {hour} {days} * *"
        case None:
            return None


def cron_fault(expression: str) -> str | None:
    """What is wrong with a cron expression, a date that no year has among it."""
    try:
        next(CronSim(expression, datetime(2024, 1, 1)))  # noqa: DTZ001 - a wall clock has no zone
    except CronSimError as error:
        return str(error)
    except StopIteration:
        return "no such date"
    return None


def _named(expression: str, start: datetime, *, backward: bool = False) -> Iterator[datetime]:
    try:
        found = CronSim(expression, start, reverse=backward)
    except CronSimError:
        return
    yield from found


def _day_of_month(schedule: Schedule) -> int | None:
    """Of `monthly`, where its cron names more days than it means."""
    day = schedule.month_day if schedule.frequency == "monthly" else None
    return day if day is not None and day > _EVERY_MONTH else None


def _on_day(found: Iterator[datetime], day: int) -> Iterator[datetime]:
    """Of each month that day, or its last one."""
    return (wall for wall in found if wall.day == min(day, monthrange(wall.year, wall.month)[1]))
