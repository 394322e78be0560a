"""What people see of a schedule, and what is wrong with one: pure."""

import json
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue, ValidationError

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import PauseView, ReceiptView, View, WordsView
from heliostat_core.schedules import Fire, Schedule, describe, faults_of, fires
from heliostat_core.schedules.minutes import free_minutes
from heliostat_core.schedules.status import Receipt, ScheduleStatus

MONTH = timedelta(days=30)
_MINUTE = timedelta(minutes=1)


class FireView(View):
    """A time of a schedule; `local` is the same instant by the clocks of its zone.

    `note`: AfterGap (clocks skip its time), FirstOfTwo, SecondOfTwo (they show it twice) or
    Blackout (it is skipped; `reason` is the blackout's).
    """

    time: datetime
    local: datetime
    note: Literal["AfterGap", "FirstOfTwo", "SecondOfTwo", "Blackout"] | None
    reason: str


class SchedulePreviewView(View):
    """A schedule in words, and its next times."""

    words: WordsView
    time_zone: str
    fires: tuple[FireView, ...]


def read_schedule(value: JsonValue) -> Schedule | None:
    """None where a field is wrong or there is none; what is wrong is said elsewhere."""
    if value is None:
        return None
    try:
        return Schedule.model_validate_json(
            json.dumps(value), strict=True, extra="forbid", by_alias=True, by_name=False
        )
    except ValidationError:
        return None


def faults_in(value: JsonValue, path: str) -> tuple[FieldError, ...]:
    """What is wrong with a schedule whose fields are each within their bounds."""
    schedule = read_schedule(value)
    faults = faults_of(schedule) if schedule else ()
    return tuple(
        FieldError(
            field=f"{path}.{each.field}".rstrip("."),
            message=bilingual(en=each.message, ko=each.korean),
        )
        for each in faults
    )


def say(schedule: Schedule) -> WordsView | None:
    """None for one with faults."""
    if faults_of(schedule):
        return None
    return WordsView(en=describe(schedule, "en"), ko=describe(schedule, "ko"))


def look_ahead(schedule: Schedule, now: datetime, count: int) -> SchedulePreviewView:
    """Of a schedule without faults."""
    return SchedulePreviewView(
        words=WordsView(en=describe(schedule, "en"), ko=describe(schedule, "ko")),
        time_zone=schedule.time_zone,
        fires=tuple(map(_view_fire, fires(schedule, now, count))),
    )


def _view_fire(fire: Fire) -> FireView:
    return FireView(
        time=fire.time,
        local=fire.local,
        note=fire.note.value if fire.note else None,
        reason=fire.blackout.reason if fire.blackout else "",
    )


def starts_in_a_month(schedule: Schedule, now: datetime) -> int:
    """Runs of the next 30 days."""
    if schedule.suspend:
        return 0
    first = now.replace(second=0, microsecond=0) + _MINUTE
    return free_minutes(schedule, first, MONTH // _MINUTE).bit_count()


def view_pause(status: ScheduleStatus | None) -> PauseView | None:
    """Why the schedule stands still, where it does."""
    pause = status.paused if status else None
    return PauseView(time=pause.time, reason=pause.reason, message=pause.message) if pause else None


def view_recent(status: ScheduleStatus | None) -> tuple[ReceiptView, ...]:
    """What became of its last times, newest first."""
    return tuple(map(_view_receipt, status.recent)) if status else ()


def view_missed(status: ScheduleStatus | None) -> tuple[ReceiptView, ...]:
    """Those of its last times that could not be kept, newest first."""
    return tuple(each for each in view_recent(status) if each.outcome == "Missed")


def _view_receipt(receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        scheduled_time=receipt.scheduled_time,
        last_time=receipt.last_time,
        count=receipt.count,
        outcome=receipt.outcome,
        reason=receipt.reason,
        message=receipt.message,
        time=receipt.time,
        execution=receipt.execution_name,
        result=receipt.result,
    )
