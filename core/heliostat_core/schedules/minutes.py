"""The minutes of a span that a schedule names, as the bits of one number.

So a month is counted and years are searched at once: a walk from time to time takes seconds, in
which nothing else is done.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from heliostat_core.schedules.dates import days_of_year, times_of_day
from heliostat_core.schedules.fires import beginnings, reading_zone
from heliostat_core.schedules.model import Blackout, Schedule
from heliostat_core.schedules.zones import wall_clock

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_MINUTES_OF_DAY = 1440


def free_minutes(schedule: Schedule, first: datetime, count: int) -> int:
    """Bit n: n minutes after `first`, a whole minute, is a time of the schedule in no blackout."""
    found = _times(schedule, first, count)
    for each in schedule.blackouts:
        if not found:
            break
        found &= ~_covered(schedule, each, first, count)
    return found


def _covered(schedule: Schedule, blackout: Blackout, first: datetime, count: int) -> int:
    """Bit n: the blackout holds."""
    if blackout.start_time is not None and blackout.end_time is not None:
        start, end = (_whole(each - first) for each in (blackout.start_time, blackout.end_time))
        return _ones(min(end, count)) & ~_ones(start)
    length = _whole(timedelta(seconds=blackout.duration_seconds or 0))
    # One that began before may hold still.
    begun = _times(beginnings(schedule, blackout), first - length * _MINUTE, length + count)
    return _spread(begun, length) >> length


def _spread(bits: int, length: int) -> int:
    """Each bit as so many, itself the first."""
    done = 1
    while done < length:
        step = min(done, length - done)
        bits |= bits << step
        done += step
    return bits


def _times(schedule: Schedule, first: datetime, count: int) -> int:
    """Bit n: a time of the schedule, in a blackout or not."""
    zone = reading_zone(schedule)
    if zone is None:
        return 0
    start, end = first - _DAY, first + count * _MINUTE  # what clocks repeat was shown before
    origin = datetime.combine(wall_clock(start, zone) - _DAY, datetime.min.time())
    walls = _walls(schedule, origin, (wall_clock(end, zone) - origin).days + 2)
    once, shown, found = schedule.daylight_saving == "Once", 0, 0
    for begin, length in _stretches(zone, start, end):
        low = _whole(wall_clock(begin, zone) - origin)
        bits = walls >> low & _ones(length)
        if once and shown:
            skipped = walls >> shown & _ones(low - shown)
            bits = bits & ~_ones(shown - low) | (1 if skipped else 0)
        shown = max(shown, low + length)
        found |= bits << _whole(begin - start)
    return found >> _whole(first - start) & _ones(count)


def _stretches(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """Beginnings, and lengths in minutes, of times in which clocks there are not set."""
    while start < end:
        change = _change(zone, start, end)
        yield start, _whole(change - start)
        start = change


def _change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """When clocks are set next, to the minute; the end where they are not before."""
    offset = start.astimezone(zone).utcoffset()
    low, high = start, min(start + _DAY, end)
    while high.astimezone(zone).utcoffset() == offset:
        if high == end:
            return end
        low, high = high, min(high + _DAY, end)
    while high - low > _MINUTE:
        middle = low + (high - low) // _MINUTE // 2 * _MINUTE
        is_same = middle.astimezone(zone).utcoffset() == offset
        low, high = (middle, high) if is_same else (low, middle)
    return high


def _walls(schedule: Schedule, origin: datetime, days: int) -> int:
    """Bit n: n minutes after a midnight, by the clock on the wall, is named."""
    empty, full = bytes(_MINUTES_OF_DAY // 8), _day(schedule)
    found, first = [empty] * days, origin.toordinal()
    for year in range(origin.year, (origin + days * _DAY).year + 1):
        for day in days_of_year(schedule, year):
            if 0 <= day - first < days:
                found[day - first] = full
    return int.from_bytes(b"".join(found), "little")


@lru_cache(maxsize=256)
def _day(schedule: Schedule) -> bytes:
    midnight = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
    bits = sum(1 << _whole(each - midnight) for each in times_of_day(schedule, midnight))
    return bits.to_bytes(_MINUTES_OF_DAY // 8, "little")


def _ones(count: int) -> int:
    return (1 << count) - 1 if count > 0 else 0


def _whole(span: timedelta) -> int:
    """In minutes, those begun among them."""
    return -(-span // _MINUTE)
