"""Schedules, zones and instants for property tests."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from heliostat_core.schedules import Blackout, Schedule
from heliostat_core.schedules.model import WEEKDAYS

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
LAST = datetime(2035, 12, 31, tzinfo=UTC)
_CHANGING = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll")


@cache
def zones() -> tuple[str, ...]:
    """Those that CEL and people write; `posix/...` and the like are the system's own."""
    return tuple(
        sorted(each for each in available_timezones() if each[0].isupper() and each != "Factory")
    )


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Instants of 2020-2035 at which the clocks of a zone are set, to the minute."""
    found: list[datetime] = []
    day, offset = FIRST, _offset(FIRST, zone)
    while day < LAST:
        following = day + timedelta(days=1)
        next_offset = _offset(following, zone)
        if next_offset != offset:
            found.append(_change_between(day, following, zone))
        day, offset = following, next_offset
    return tuple(found)


def _offset(instant: datetime, zone: str) -> timedelta | None:
    return instant.astimezone(ZoneInfo(zone)).utcoffset()


def _change_between(low: datetime, high: datetime, zone: str) -> datetime:
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
        low, high = (middle, high) if _offset(middle, zone) == _offset(low, zone) else (low, middle)
    return high


def _field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    # A range of one number with a step is read in two ways by programs: nobody means it.
    pairs = st.tuples(number, number).filter(lambda pair: pair[0] != pair[1])
    spans = pairs.map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.tuples(st.just("*") | spans, st.integers(1, 20)).map(lambda p: f"{p[0]}/{p[1]}")
    lists = st.lists(number, min_size=1, max_size=3).map(lambda each: ",".join(map(str, each)))
    return st.just("*") | lists | spans | steps


crons = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6)).map(
    " ".join
)
frequent_crons = st.tuples(_field(0, 59), _field(0, 5), st.just("* * *")).map(" ".join)
_month_days = _field(1, 28) | st.sampled_from(("L", "LW", "1,L", "15,LW", "31"))
_weekdays = _field(0, 6) | st.sampled_from(("5L", "7L", "1#2", "0#1", "6#5", "1#1,3L"))
special_crons = st.tuples(_field(0, 59), _field(0, 23), _month_days, st.just("*"), _weekdays).map(
    " ".join
)
times = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
modes = st.sampled_from(("Wall", "Once", "UTC"))


@st.composite
def schedules(draw: st.DrawFn, zone: str) -> Schedule:
    """By cron or in the friendly form, in a zone."""
    mode = draw(modes)
    by_cron = {"cron": crons, "frequent": frequent_crons, "special": special_crons}
    form = draw(st.sampled_from((*by_cron, "hourly", "daily", "weekly", "monthly")))
    if form in by_cron:
        cron = draw(by_cron[form])
        return Schedule(cron=cron, time_zone=zone, daylight_saving=mode)
    return Schedule.model_validate(
        {
            "frequency": form,
            "time": draw(times),
            "timeZone": zone,
            "daylightSaving": mode,
            **({"weekday": draw(st.sampled_from(WEEKDAYS))} if form == "weekly" else {}),
            **({"monthDay": draw(st.integers(1, 31))} if form == "monthly" else {}),
        }
    )


@st.composite
def instants_in(draw: st.DrawFn, zone: str) -> datetime:
    """Often near a change of the clocks, else anywhere."""
    minutes = st.integers(0, int((LAST - FIRST) / timedelta(minutes=1)))
    anywhere = minutes.map(lambda each: FIRST + timedelta(minutes=each))
    known = changes(zone)
    if not known:
        return draw(anywhere)
    before = st.integers(0, 2000).map(lambda each: timedelta(minutes=each))
    near = st.tuples(st.sampled_from(known), before).map(lambda pair: pair[0] - pair[1])
    return draw(near | anywhere)


def blackouts_near(instant: datetime) -> st.SearchStrategy[tuple[Blackout, ...]]:
    """Some that recur, some that happen once about that time."""
    recurring = st.builds(
        Blackout,
        cron=crons | frequent_crons | special_crons,
        duration_seconds=st.integers(60, 3 * 86_400),
    )
    hours = st.integers(-48, 96)
    once = st.tuples(hours, st.integers(30, 200_000)).map(
        lambda pair: Blackout(
            start_time=instant + timedelta(hours=pair[0]),
            end_time=instant + timedelta(hours=pair[0], seconds=pair[1]),
        )
    )
    return st.lists(recurring | once, max_size=3).map(tuple)


some_zones = st.sampled_from(_CHANGING) | st.sampled_from(zones())
