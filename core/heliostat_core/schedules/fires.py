"""When a schedule fires: pure, over any zone, with clocks that change."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from heliostat_core.schedules.dates import wall_times
from heliostat_core.schedules.model import Blackout, DaylightSaving, Schedule
from heliostat_core.schedules.zones import (
    earliest_wall_clock,
    find_zone,
    first_instant,
    is_skipped,
    latest_wall_clock,
    second_instant,
    wall_clock,
)

_UTC = ZoneInfo("UTC")
_MINUTE = timedelta(minutes=1)
_ALWAYS = datetime.max.replace(tzinfo=UTC)


class Note(StrEnum):
    """What is special about a fire."""

    AFTER_GAP = "AfterGap"
    FIRST_OF_TWO = "FirstOfTwo"
    SECOND_OF_TWO = "SecondOfTwo"
    BLACKOUT = "Blackout"


@dataclass(frozen=True)
class Fire:
    """A time of a schedule; `local` is the same instant on the clocks of its zone.

    `blackout` is the one that it falls into.
    """

    time: datetime
    local: datetime
    note: Note | None = None
    blackout: Blackout | None = None


def fires(schedule: Schedule, after: datetime, count: int) -> tuple[Fire, ...]:
    """The next fires after an instant, those in a blackout with their note; fewer than `count` only
    where no further one ever comes. A schedule with faults has none."""
    return tuple(islice(fires_after(schedule, after), count))


def fires_after(schedule: Schedule, after: datetime) -> Iterator[Fire]:
    """All of them, in order, without end."""
    zone = find_zone(schedule.time_zone)
    if zone is None:
        return
    watches = [_Watch(schedule, each) for each in schedule.blackouts]
    for instant, note in _instants(schedule, zone, after):
        blackout = next((each.blackout for each in watches if each.holds_at(instant)), None)
        yield _fire(zone, instant, note, blackout)


def times_after(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The same without a word about them, whether in a blackout or not."""
    zone = find_zone(schedule.time_zone)
    return (instant for instant, _ in _instants(schedule, zone, after)) if zone else iter(())


def previous(schedule: Schedule, before: datetime) -> Fire | None:
    """The last fire before an instant."""
    shown, reading = find_zone(schedule.time_zone), reading_zone(schedule)
    if shown is None or reading is None:
        return None
    latest = latest_wall_clock(before, reading)
    repeated = latest - wall_clock(before, reading)
    best: tuple[datetime, Note | None] | None = None
    for wall in wall_times(schedule, latest + _MINUTE, backward=True):
        if best and wall < wall_clock(best[0], reading) - repeated:
            break  # whatever is earlier on the clock is earlier
        for instant, note in _of_wall_time(wall, reading, schedule.daylight_saving):
            if instant < before and (best is None or instant > best[0]):
                best = instant, note
    return _fire(shown, *best, blackout_at(schedule, best[0])) if best else None


def blackout_at(schedule: Schedule, instant: datetime) -> Blackout | None:
    """The blackout that holds at an instant."""
    return next(
        (each for each in schedule.blackouts if blackout_end(schedule, each, instant)), None
    )


def blackout_end(schedule: Schedule, blackout: Blackout, instant: datetime) -> datetime | None:
    """When the blackout that holds at an instant is over; None where it does not hold."""
    if blackout.start_time and blackout.end_time:
        return blackout.end_time if blackout.start_time <= instant < blackout.end_time else None
    if not blackout.cron or not blackout.duration_seconds:
        return None
    began = previous(beginnings(schedule, blackout), instant + _MINUTE / 60)
    end = began.time + timedelta(seconds=blackout.duration_seconds) if began else None
    return end if end and instant < end else None


def end_of_blackouts(schedule: Schedule, instant: datetime) -> datetime | None:
    """When all that hold at an instant are over; None where none holds."""
    ends = [blackout_end(schedule, each, instant) for each in schedule.blackouts]
    return max(filter(None, ends), default=None)


class _Watch:
    """One blackout, asked about many instants: between two beginnings nothing changes."""

    def __init__(self, schedule: Schedule, blackout: Blackout) -> None:
        self.blackout = blackout
        self._schedule = schedule
        self._since = self._until = _ALWAYS
        self._end: datetime | None = None

    def holds_at(self, instant: datetime) -> bool:
        if not self._since <= instant < self._until:
            self._since = instant
            self._until = _next_beginning(self._schedule, self.blackout, instant)
            self._end = blackout_end(self._schedule, self.blackout, instant)
        return self._end is not None and instant < self._end


def _next_beginning(schedule: Schedule, blackout: Blackout, after: datetime) -> datetime:
    if blackout.start_time is not None:
        return blackout.start_time if blackout.start_time > after else _ALWAYS
    return next(times_after(beginnings(schedule, blackout), after), _ALWAYS)


def beginnings(schedule: Schedule, blackout: Blackout) -> Schedule:
    """When a recurring blackout begins: each time of the day once, whatever clocks do."""
    return Schedule(cron=blackout.cron, time_zone=schedule.time_zone, daylight_saving="Once")


def _fire(zone: ZoneInfo, instant: datetime, note: Note | None, blackout: Blackout | None) -> Fire:
    return Fire(
        time=instant,
        local=instant.astimezone(zone),
        note=Note.BLACKOUT if blackout else note,
        blackout=blackout,
    )


def reading_zone(schedule: Schedule) -> ZoneInfo | None:
    """In which zone its fields are read."""
    return _UTC if schedule.daylight_saving == "UTC" else find_zone(schedule.time_zone)


def _instants(
    schedule: Schedule, zone: ZoneInfo, after: datetime
) -> Iterator[tuple[datetime, Note | None]]:
    """In order, each once: what the clocks repeat or skip is sorted in where it belongs."""
    reading = _UTC if schedule.daylight_saving == "UTC" else zone
    last = after.astimezone(UTC)
    waiting: list[tuple[datetime, Note | None]] = []
    start = earliest_wall_clock(after, reading) - _MINUTE
    for wall in wall_times(schedule, start):
        for instant, note in _of_wall_time(wall, reading, schedule.daylight_saving):
            heapq.heappush(waiting, (instant, note))
        # No later time of the wall clock comes before this instant.
        bound = first_instant(wall, reading)
        while waiting and waiting[0][0] <= bound:
            instant, note = heapq.heappop(waiting)
            if instant > last:
                last = instant
                yield instant, note


def _of_wall_time(
    wall: datetime, zone: ZoneInfo, mode: DaylightSaving
) -> tuple[tuple[datetime, Note | None], ...]:
    """The instants at which a time of the wall clock fires."""
    if is_skipped(wall, zone):
        return () if mode == "Wall" else ((first_instant(wall, zone), Note.AFTER_GAP),)
    first, second = first_instant(wall, zone), second_instant(wall, zone)
    if second is None:
        return ((first, None),)
    once = ((first, Note.FIRST_OF_TWO),)
    return (*once, (second, Note.SECOND_OF_TWO)) if mode == "Wall" else once
