"""Which times of a wall clock a schedule names: cron's own question, without any zone."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime

from cronsim import CronSim, CronSimError

from heliostat_core.schedules.model import WEEKDAYS, Schedule

_EVERY_MONTH = 28  # the last day that each month has


def wall_times(
    schedule: Schedule, start: datetime, *, backward: bool = False
) -> Iterator[datetime]:
    """Times after (or before) `start`, nearest first; none for a cron that can't be read."""
    expression = cron_of(schedule)
    if expression is None:
        return
    try:
        found = CronSim(expression, start, reverse=backward)
    except CronSimError:
        return
    day = schedule.month_day if schedule.frequency == "monthly" else None
    yield from found if day is None or day <= _EVERY_MONTH else _on_day(found, day)


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


def _on_day(found: Iterator[datetime], day: int) -> Iterator[datetime]:
    """Of each month that day, or its last one."""
    return (wall for wall in found if wall.day == min(day, monthrange(wall.year, wall.month)[1]))
