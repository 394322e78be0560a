"""What is wrong with a schedule beyond the bounds of its fields, each with the remedy."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from heliostat_core.schedules.dates import cron_fault
from heliostat_core.schedules.fires import times_after
from heliostat_core.schedules.minutes import free_minutes
from heliostat_core.schedules.model import Blackout, Schedule
from heliostat_core.schedules.zones import find_zone

_CYCLE = range(2024, 2052)
"""Years in which each date falls on each day of the week, leap days among them."""
_YEAR = 366 * 24 * 60
_KEPT = 4096


@dataclass(frozen=True)
class Fault:
    """`field` is below the schedule, for example `timeZone` or `blackouts[0].cron`; empty for the
    schedule as a whole."""

    field: str
    message: str
    korean: str


@lru_cache(_KEPT)
def faults_of(schedule: Schedule) -> tuple[Fault, ...]:
    """All of them; none for a schedule that will fire."""
    faults = (
        *_zone_faults(schedule),
        *_form_faults(schedule),
        *_cron_faults("cron", schedule.cron),
        *(
            fault
            for index, each in enumerate(schedule.blackouts)
            for fault in _blackout_faults(f"blackouts[{index}]", each)
        ),
    )
    return faults or _never(schedule)


def never_comes(schedule: Schedule, now: datetime) -> str | None:
    """Why no run of it will ever start, None when one will."""
    faults = faults_of(schedule)
    if faults:
        first = faults[0]
        return f"schedule.{first.field}: {first.message}" if first.field else first.message
    ahead = next(times_after(schedule, now), None)
    return None if ahead else "No time of the schedule lies ahead. Change when it runs."


def _zone_faults(schedule: Schedule) -> tuple[Fault, ...]:
    if find_zone(schedule.time_zone) is not None:
        return ()
    message = (
        f"{schedule.time_zone!r} is no time zone of IANA. Name one, for example Asia/Seoul or UTC."
    )
    korean = (
        f"{schedule.time_zone!r}은(는) IANA 시간대가 아닙니다. Asia/Seoul이나 UTC처럼 적으세요."
    )
    return (Fault("timeZone", message, korean),)


def _form_faults(schedule: Schedule) -> tuple[Fault, ...]:
    """The rules of the API server, for who does not ask it."""
    if bool(schedule.cron) == bool(schedule.frequency):
        korean = "cron과 frequency 중 하나만 정해야 합니다"
        return (Fault("", "must set exactly one of cron and frequency", korean),)
    found: list[Fault] = []
    beside = {
        "time": (schedule.time, schedule.frequency is not None, "frequency"),
        "weekday": (schedule.weekday, schedule.frequency == "weekly", "frequency weekly"),
        "monthDay": (schedule.month_day, schedule.frequency == "monthly", "frequency monthly"),
    }
    for name, (value, fits, with_what) in beside.items():
        if value is not None and not fits:
            message = f"must be set only with {with_what}. Leave it out."
            korean = f"{with_what}일 때만 정할 수 있습니다. 빼 주세요."
            found.append(Fault(name, message, korean))
    return tuple(found)


def _cron_faults(field: str, expression: str | None) -> tuple[Fault, ...]:
    fault = cron_fault(expression) if expression else None
    if fault is None:
        return ()
    message = (
        f"{expression!r} names no date that ever comes, or is no cron of five fields ({fault}). "
        "For example `0 8 * * 1-5` is at 08:00 from Monday to Friday."
    )
    korean = (
        f"{expression!r}에 맞는 날짜가 오지 않거나, 다섯 칸으로 된 cron이 아닙니다 ({fault}). "
        "예를 들어 `0 8 * * 1-5`는 월요일부터 금요일까지 08:00입니다."
    )
    return (Fault(field, message, korean),)


def _blackout_faults(field: str, blackout: Blackout) -> tuple[Fault, ...]:
    once = blackout.start_time is not None and blackout.end_time is not None
    recurs = blackout.cron is not None and blackout.duration_seconds is not None
    given = (blackout.start_time, blackout.end_time, blackout.cron, blackout.duration_seconds)
    if once == recurs or sum(each is not None for each in given) != 2:
        message = (
            "must set startTime and endTime for a blackout that happens once, or cron and "
            "durationSeconds for one that recurs"
        )
        korean = (
            "한 번만 쉬는 시간은 startTime과 endTime을, 되풀이되는 시간은 cron과 "
            "durationSeconds를 정해야 합니다"
        )
        return (Fault(field, message, korean),)
    if blackout.start_time and blackout.end_time and blackout.end_time <= blackout.start_time:
        korean = "startTime보다 뒤여야 합니다"
        return (Fault(f"{field}.endTime", "must be after startTime", korean),)
    return _cron_faults(f"{field}.cron", blackout.cron)


def _never(schedule: Schedule) -> tuple[Fault, ...]:
    """A schedule that is always in a recurring blackout looks as if it would run."""
    if not any(each.cron for each in schedule.blackouts):
        return ()
    recurring = _without_ranges(schedule)
    if any(free_minutes(recurring, datetime(year, 1, 1, tzinfo=UTC), _YEAR) for year in _CYCLE):
        return ()
    message = "leave no time at which it may run. Take one out or shorten it."
    korean = "실행할 수 있는 시간이 남지 않습니다. 하나를 빼거나 줄이세요."
    return (Fault("blackouts", message, korean),)


def _without_ranges(schedule: Schedule) -> Schedule:
    recurring = tuple(each for each in schedule.blackouts if each.cron)
    return schedule.model_copy(update={"blackouts": recurring})
