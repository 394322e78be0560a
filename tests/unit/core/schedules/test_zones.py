"""From what a clock on the wall shows to instants, where clocks are changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from heliostat_core.schedules.zones import (
    earliest_wall_clock,
    find_zone,
    first_instant,
    is_skipped,
    latest_wall_clock,
    second_instant,
    wall_clock,
)

NEW_YORK = ZoneInfo("America/New_York")  # 2026: forward on 8 March, back on 1 November, at 02:00


@pytest.mark.parametrize(
    ("shown", "first", "second", "skipped"),
    [
        ("2026-06-09T01:30", "2026-06-09T05:30Z", None, False),
        ("2026-11-01T01:30", "2026-11-01T05:30Z", "2026-11-01T06:30Z", False),
        ("2026-11-01T02:00", "2026-11-01T07:00Z", None, False),
        ("2026-03-08T02:30", "2026-03-08T07:00Z", None, True),  # the first instant after the gap
        ("2026-03-08T03:00", "2026-03-08T07:00Z", None, False),
    ],
)
def test_a_clock_shows_a_time_once_twice_or_never(
    shown: str, first: str, second: str | None, skipped: bool
) -> None:
    wall = datetime.fromisoformat(shown)
    assert first_instant(wall, NEW_YORK) == datetime.fromisoformat(first).astimezone(UTC)
    expected = datetime.fromisoformat(second).astimezone(UTC) if second else None
    assert second_instant(wall, NEW_YORK) == expected
    assert is_skipped(wall, NEW_YORK) is skipped


@pytest.mark.parametrize(
    ("instant", "shown", "earliest", "latest"),
    [
        ("2026-06-09T05:30Z", "2026-06-09T01:30", "2026-06-09T01:30", "2026-06-09T01:30"),
        # Clocks are set back at 06:00Z: a day before it is ahead, a day after it was.
        ("2026-10-31T04:59Z", "2026-10-31T00:59", "2026-10-31T00:59", "2026-10-31T00:59"),
        ("2026-10-31T05:00Z", "2026-10-31T01:00", "2026-10-31T00:00", "2026-10-31T01:00"),
        ("2026-11-01T05:59Z", "2026-11-01T01:59", "2026-11-01T00:59", "2026-11-01T01:59"),
        ("2026-11-01T06:00Z", "2026-11-01T01:00", "2026-11-01T01:00", "2026-11-01T02:00"),
        ("2026-11-02T06:59Z", "2026-11-02T01:59", "2026-11-02T01:59", "2026-11-02T02:59"),
        ("2026-11-02T07:00Z", "2026-11-02T02:00", "2026-11-02T02:00", "2026-11-02T02:00"),
        # Nothing is shown again when they are set forward.
        ("2026-03-08T07:00Z", "2026-03-08T03:00", "2026-03-08T03:00", "2026-03-08T03:00"),
        ("2026-03-08T06:59Z", "2026-03-08T01:59", "2026-03-08T01:59", "2026-03-08T01:59"),
    ],
)
def test_what_a_clock_shows_and_may_show_again(
    instant: str, shown: str, earliest: str, latest: str
) -> None:
    at = datetime.fromisoformat(instant)
    found = [each(at, NEW_YORK) for each in (wall_clock, earliest_wall_clock, latest_wall_clock)]
    assert found == [datetime.fromisoformat(each) for each in (shown, earliest, latest)]


def test_what_a_clock_shows_for_the_second_time_is_no_other_time() -> None:
    shown = wall_clock(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), NEW_YORK)
    assert (shown, shown.fold) == (datetime(2026, 11, 1, 1, 30), 0)  # noqa: DTZ001


@pytest.mark.parametrize("second", [0, 1, 59])
def test_the_end_of_a_gap_is_found_to_the_second(second: int) -> None:
    shown = datetime(2026, 3, 8, 2, 0, second)  # noqa: DTZ001
    assert first_instant(shown, NEW_YORK) == datetime(2026, 3, 8, 7, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "America", "Nowhere/City", "../etc/passwd", "/etc/passwd"])
def test_what_is_no_zone_is_not_found(name: str) -> None:
    assert find_zone(name) is None
    assert find_zone("Asia/Seoul") == ZoneInfo("Asia/Seoul")
