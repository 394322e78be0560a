"""Durations and instants as kubectl writes them."""

from datetime import UTC, datetime

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY


def format_seconds(seconds: float) -> str:
    """`45s`, `3m20s`, `12m`, `2h5m`, `3d`: the precision falls as the duration grows."""
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _pair(whole, _MINUTE, "m", 1, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _pair(whole, _HOUR, "h", _MINUTE, "m")
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    if whole < 8 * _DAY:
        return _pair(whole, _DAY, "d", _HOUR, "h")
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    return _pair(whole, _YEAR, "y", _DAY, "d") if whole < 8 * _YEAR else f"{whole // _YEAR}y"


def _pair(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    count, rest = divmod(seconds, large)
    rest //= small
    return f"{count}{large_unit}{rest}{small_unit}" if rest else f"{count}{large_unit}"


def format_age(instant: datetime, now: datetime) -> str:
    """How long ago."""
    return format_seconds((now - instant).total_seconds())


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_when(instant: datetime, now: datetime) -> str:
    """`in 35s (2026-08-20T16:00:35Z)`, or `now` when it has come."""
    left = (instant - now).total_seconds()
    return f"in {format_seconds(left)} ({format_instant(instant)})" if left >= 1 else "now"
