"""From what a clock on the wall shows to instants, where clocks are changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from heliostat_core.schedules.zones import first_instant, is_skipped, second_instant

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
