"""A schedule in words, in the languages of the dashboard."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from heliostat_core.schedules.dates import cron_of
from heliostat_core.schedules.model import Schedule
from heliostat_core.schedules.phrases import English, Korean, Phrases

Language = Literal["en", "ko"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "ko")

_PHRASES: Mapping[Language, Phrases] = {"en": English(), "ko": Korean()}
_SHORT_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NUMBERS = re.compile(r"[0-9]+(,[0-9]+)*")
_STEP = re.compile(r"\*/([1-9][0-9]*)")
_HOUR_MINUTES = 60
_MOST_TIMES = 6


def describe(schedule: Schedule, language: Language) -> str:
    """`every Monday at 08:00, Asia/Seoul`; `매주 월요일 08:00 (Asia/Seoul)`."""
    phrases = _PHRASES[language]
    zone = "UTC" if schedule.daylight_saving == "UTC" else schedule.time_zone
    return phrases.in_zone(_said(schedule, phrases), zone)


def _said(schedule: Schedule, phrases: Phrases) -> str:
    if schedule.frequency == "monthly":
        return phrases.at([schedule.time or "00:00"], phrases.on_day(schedule.month_day or 1))
    expression = cron_of(schedule)
    if expression is None:
        return phrases.never()
    expression = expression.upper()
    minute, hour, day, month, weekday = expression.split()
    days = _days(day, month, weekday, phrases)
    said = _times(minute, hour, days, phrases) if days is not None else None
    return said or phrases.by_cron(schedule.cron or expression)


def _times(minute: str, hour: str, days: str, phrases: Phrases) -> str | None:
    """None where there are too many to say."""
    if hour == "*":
        step = 1 if minute == "*" else _step(minute)
        if step:
            return phrases.every_minutes(step, days)
        return phrases.hourly(int(minute), days) if minute.isdigit() else None
    if not (_NUMBERS.fullmatch(minute) and _NUMBERS.fullmatch(hour)):
        return None
    hours, minutes = ([int(each) for each in part.split(",")] for part in (hour, minute))
    times = sorted({f"{h:02}:{m:02}" for h in hours for m in minutes})
    return phrases.at(times, days) if len(times) <= _MOST_TIMES else None


def _step(minute: str) -> int:
    """`*/15` is every 15 minutes; `*/7` is not every 7, for it begins anew with each hour: 0."""
    found = _STEP.fullmatch(minute)
    step = int(found[1]) if found else 0
    return step if step and _HOUR_MINUTES % step == 0 else 0


def _days(day: str, month: str, weekday: str, phrases: Phrases) -> str | None:
    """On which days; empty for every day, None where cron says it better."""
    match (day, month, weekday):
        case ("*", "*", "*"):
            return ""
        case ("*", "*", "1-5" | "MON-FRI"):
            return phrases.from_monday_to_friday()
        case ("*", "*", _):
            numbers = _weekday_numbers(weekday)
            return phrases.on_weekdays(numbers) if numbers else None
        case ("L", "*", "*"):
            return phrases.on_last_day()
        case _:
            return _dates(day, month, weekday, phrases)


def _dates(day: str, month: str, weekday: str, phrases: Phrases) -> str | None:
    """Cron leaves out a month that has no such day: beyond the 28th only cron is exact."""
    if weekday != "*" or not day.isdigit():
        return None
    if month == "*":
        return phrases.on_day(int(day)) if int(day) <= 28 else None
    return phrases.on_date(int(month), int(day)) if month.isdigit() else None


def _weekday_numbers(weekday: str) -> list[int]:
    """Monday is 0; empty for ranges, steps and what cron alone can say."""
    names = [
        str(_SHORT_DAYS.index(each)) if each in _SHORT_DAYS else each for each in weekday.split(",")
    ]
    if not all(each.isdigit() for each in names):
        return []
    return sorted({(int(each) + 6) % 7 for each in names})
