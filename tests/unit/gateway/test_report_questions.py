"""Parameters of reports: defaults, days of any time zone, and mistakes named with their remedy."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.errors import RefusalError
from heliostat_gateway.reports.calendars import (
    epoch_ms,
    instant,
    local_day,
    read_zone,
    split_days,
    start_ms,
)
from heliostat_gateway.reports.questions import (
    UsageParameters,
    read_format,
    read_usage_question,
    refuse_unknown,
    write_cursor,
)

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
HOUR = 3_600_000
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Cairo"]
ZONES += ["Pacific/Apia", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"]


def read(**given: str) -> str:
    with pytest.raises(RefusalError) as caught:
        read_usage_question(UsageParameters(**given), NOW)
    assert caught.value.status == 400
    return caught.value.message


def test_the_default_is_this_month_by_day() -> None:
    question = read_usage_question(UsageParameters(time_zone="Asia/Tokyo"), NOW)
    assert instant(question.from_ms).isoformat() == "2026-10-31T15:00:00+00:00"
    assert instant(question.to_ms).isoformat() == "2026-11-22T15:00:00+00:00"
    assert [each.name for each in question.by] == ["day"]


def test_days_and_instants_are_understood() -> None:
    given = UsageParameters("2026-11-01T00:00:00+02:00", "2026-11-02", "model,day")
    question = read_usage_question(given, NOW)
    assert question.to_ms - question.from_ms == 26 * HOUR
    assert [each.name for each in question.by] == ["model", "day"]
    assert read_usage_question(UsageParameters(by=""), NOW).by == ()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"since": "yesterday"}, "from: 'yesterday' must be a day such as 2026-11-22"),
        ({"since": "2026-13-01"}, "from: '2026-13-01' must be a day"),
        ({"since": "2026-11-01T00:00:00"}, "with its offset"),
        ({"until": "2026-11-01T00:00:00 02:00"}, "write + as %2B"),
        ({"since": "2026-11-02", "until": "2026-11-02"}, "to: must be later than from"),
        ({"since": "2024-01-01"}, "at most 400 days"),
        ({"by": "day,colour"}, "by: 'colour' is nothing to group by; use some of day, hour, agent"),
        ({"by": "day,day"}, "by: name each group once"),
        ({"time_zone": "Mars/Olympus"}, "timeZone: 'Mars/Olympus' is no time zone"),
        ({"time_zone": "../etc/passwd"}, "timeZone: '../etc/passwd' is no time zone"),
        ({"limit": "0"}, "limit: '0' must be a whole number from 1 to 1000"),
        ({"limit": "many"}, "limit: 'many' must be"),
        ({"limit": "1" * 5000}, "must be a whole number"),
        ({"cursor": "bm90aGluZw"}, "cursor: it is not one that this gateway gave"),
        ({"cursor": "\u00fc"}, "cursor: it is not one"),
    ],
)
def test_a_mistake_names_its_parameter_and_the_remedy(given: dict[str, str], words: str) -> None:
    assert words in read(**given)


def test_other_parameters_and_formats_are_refused() -> None:
    with pytest.raises(RefusalError, match="tz") as caught:
        refuse_unknown(["from", "tz"], ["from", "timeZone"])
    assert caught.value.message == "tz: there is no such parameter; use from, timeZone."
    with pytest.raises(RefusalError, match="must be json or csv"):
        read_format("xml")


def test_a_cursor_goes_on_with_its_question_and_no_other() -> None:
    question = read_usage_question(UsageParameters("2026-11-01", "2026-11-09", "agent"), NOW)
    cursor = write_cursor(question, ("default/sales",))
    following = read_usage_question(UsageParameters(cursor=cursor, limit="7"), NOW)
    assert (following.after, following.limit) == (("default/sales",), 7)
    assert (following.from_ms, following.to_ms) == (question.from_ms, question.to_ms)
    assert read_usage_question(UsageParameters("2026-11-01", cursor=cursor), NOW) is not None
    for other in ({"by": "model"}, {"time_zone": "Asia/Tokyo"}, {"since": "2026-11-02"}):
        assert "another question" in read(cursor=cursor, **other)
    assert "changed" in read(cursor=write_cursor(question, ("a", "b")))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # midnight itself does not exist
        ("America/Havana", date(2026, 11, 1), 25),  # midnight comes twice
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(zone: str, day: date, hours: int) -> None:
    first = start_ms(day, ZoneInfo(zone))
    assert start_ms(day + timedelta(days=1), ZoneInfo(zone)) - first == hours * HOUR
    assert local_day(first, ZoneInfo(zone)) == day
    assert local_day(first - 1, ZoneInfo(zone)) == day - timedelta(days=1)


INSTANTS = st.integers(epoch_ms(datetime(2010, 1, 1, tzinfo=UTC)), epoch_ms(NOW))


@given(st.sampled_from(ZONES), INSTANTS, st.integers(1, 40 * 24 * HOUR), st.integers(0, 10**6))
def test_days_cover_a_span_without_gaps_or_overlaps(
    name: str, from_ms: int, length: int, millionths: int
) -> None:
    zone = read_zone(name)
    spans = split_days(from_ms, from_ms + length, zone)
    assert (spans[0].start_ms, spans[-1].end_ms) == (from_ms, from_ms + length)
    assert all(one.end_ms == two.start_ms for one, two in pairwise(spans))
    at = from_ms + (length - 1) * millionths // 10**6
    (found,) = [span for span in spans if span.start_ms <= at < span.end_ms]
    assert found.day == local_day(at, zone)
