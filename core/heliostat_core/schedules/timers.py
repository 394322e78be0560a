"""What a timer outside of the operator is told of a schedule: a CronJob, or Cloud Scheduler.

Such a timer knows five plain fields and a zone whose clocks it takes as the wall shows them. What
it leaves out the operator fills, what it fires too much the operator skips: `fills` and `skips`.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from heliostat_core.schedules.dates import cron_of
from heliostat_core.schedules.fires import fires, fires_after
from heliostat_core.schedules.model import Schedule

_INSTANT = timedelta(microseconds=1)
_LAST_DAY = "28-31"
_LAST_WORKDAY = "26-31"
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ONE_TO_END = re.compile(r"^(\w+)(?:-\1)?/")


@dataclass(frozen=True)
class Timer:
    """Five fields with numbers, names of months, ranges, steps and lists; and a zone of IANA."""

    cron: str
    time_zone: str

    @property
    def schedule(self) -> Schedule:
        """As the timer reads it: what clocks skip does not come, what they repeat comes twice."""
        return Schedule.model_construct(  # it may be longer than what people write
            cron=self.cron, time_zone=self.time_zone, daylight_saving="Wall"
        )


def timer_of(schedule: Schedule) -> Timer | None:
    """The timer that fires at each time of the schedule that one can say, and at few others; None
    for a schedule without times."""
    expression = cron_of(schedule)
    if expression is None:
        return None
    minute, hour, day, month, weekday = expression.upper().split()
    day, weekday = _days(day, weekday)
    zone = "Etc/UTC" if schedule.daylight_saving == "UTC" else schedule.time_zone
    return Timer(
        f"{_plain(minute, 59)} {_plain(hour, 23)} {day} {_plain(month, 12)} {weekday}", zone
    )


def is_fired(schedule: Schedule, time: datetime) -> bool:
    """Whether its timer fires at that time."""
    timer = timer_of(schedule)
    return timer is not None and is_time_of(timer.schedule, time)


def is_time_of(schedule: Schedule, time: datetime) -> bool:
    """Whether that is a time of the schedule, in a blackout or not."""
    found = fires(schedule, time - _INSTANT, 1)
    return bool(found) and found[0].time == time


def fills(schedule: Schedule, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """Times of the schedule at which its timer does not fire: the operator starts these."""
    times, fired = _both(schedule, after, until)
    return tuple(sorted(times - fired))


def skips(schedule: Schedule, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """What its timer fires at that is no time of the schedule: the operator lets none of it run."""
    times, fired = _both(schedule, after, until)
    return tuple(sorted(fired - times))


def _both(
    schedule: Schedule, after: datetime, until: datetime
) -> tuple[set[datetime], set[datetime]]:
    timer = timer_of(schedule)
    fired = _times(timer.schedule, after, until) if timer else set()
    return _times(schedule, after, until), fired


def _times(schedule: Schedule, after: datetime, until: datetime) -> set[datetime]:
    ahead = (each.time for each in fires_after(schedule, after))
    return set(takewhile(lambda each: each <= until, ahead))


# ---- the fields ----------------------------------------------------------------------------------


def _days(day: str, weekday: str) -> tuple[str, str]:
    """Both days given: one of them is enough, everywhere, unless one begins with `*`. Then both
    must hold, which no timer can say: of those the weekday stays."""
    plain_day, plain_weekday = _month_days(day), _weekdays(weekday)
    both = day.startswith("*") or weekday.startswith("*")
    if both and plain_weekday != "*":
        return "*", plain_weekday
    return plain_day, plain_weekday


def _month_days(day: str) -> str:
    """Without L and LW: all days that may be the last."""
    items = _items(day)
    found = [{"L": _LAST_DAY, "LW": _LAST_WORKDAY}.get(each, _plain(each, 31)) for each in items]
    return ",".join(dict.fromkeys(found))


def _weekdays(weekday: str) -> str:
    """Without `5L` and `1#2`: every such day; Sunday is 0."""
    if weekday == "*":
        return "*"
    found = {each for item in _items(weekday) for each in _weekday_numbers(item)}
    return ",".join(str(each) for each in sorted(found))


def _weekday_numbers(item: str) -> set[int]:
    item = _ONE_TO_END.sub(r"\1/", re.sub(r"L$|#[1-5]$", "", item))
    for number, name in enumerate(_WEEKDAY_NAMES):
        item = item.replace(name, str(number))
    span, _, step = item.partition("/")
    first, _, last = ("0", "-", "7") if span == "*" else span.partition("-")
    until = int(last) if last else 7 if step else int(first)
    return {each % 7 for each in range(int(first), until + 1, int(step or 1))}


def _plain(field: str, highest: int) -> str:
    """`5/15` is read in two ways by programs, `5-59/15` in one."""
    return ",".join(_ONE_TO_END.sub(rf"\1-{highest}/", each) for each in _items(field))


def _items(field: str) -> list[str]:
    return field.split(",")
