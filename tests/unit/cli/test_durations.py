"""Durations and instants as kubectl writes them."""

from datetime import UTC, datetime, timedelta

import pytest

from heliostat_cli.durations import format_age, format_seconds, format_when

NOW = datetime(2026, 8, 20, 16, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0s"),
        (0.9, "0s"),
        (45, "45s"),
        (119, "119s"),
        (200, "3m20s"),
        (180, "3m"),
        (660, "11m"),
        (3 * 3600 + 240, "3h4m"),
        (9 * 3600, "9h"),
        (50 * 3600, "2d2h"),
        (30 * 86400, "30d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_the_precision_falls_as_the_duration_grows(seconds: float, expected: str) -> None:
    assert format_seconds(seconds) == expected


def test_an_age_is_the_time_since() -> None:
    assert format_age(NOW - timedelta(minutes=4), NOW) == "4m"


def test_an_instant_to_come_is_told_with_the_time_left() -> None:
    assert format_when(NOW + timedelta(seconds=35), NOW) == "in 35s (2026-08-20T16:00:35Z)"


def test_an_instant_that_has_come_is_now() -> None:
    assert format_when(NOW, NOW) == "now"
