"""When a provider says that it can be asked again. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from heliostat_json.objects import JsonObject, list_at, object_at, text_at

_LONGEST_WAIT: Final = 40 * 24 * 3600.0  # beyond a month it is no instant but nonsense
_ANTHROPIC: Final = re.compile(r"anthropic-ratelimit-([a-z-]+)-reset")
_CHAT: Final = re.compile(r"x-ratelimit-reset-([a-z-]+)")
_SPAN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def resumes_at(
    headers: Mapping[str, str], now: datetime, document: JsonObject | None = None
) -> datetime | None:
    """The stated instant, None when nothing is stated: `retry-after-ms`, `retry-after`, the delay
    in the body of Gemini's error, else the last reset of the limits that have nothing left.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        found = _retry_after(headers.get(name, ""), scale, now)
        if found is not None:
            return found
    delay = _span(_delay(document or {}), now)
    return delay or max(_resets(headers, now), default=None)


def _retry_after(text: str, scale: float, now: datetime) -> datetime | None:
    try:
        return _soon(float(text) / scale, now)
    except ValueError:
        return _http_date(text)


def _delay(document: JsonObject) -> str:
    """`retryDelay` of google.rpc.RetryInfo."""
    details = list_at(object_at(document, "error"), "details")
    delays = (text_at(each, "retryDelay") for each in details if isinstance(each, dict))
    return next((delay for delay in delays if delay), "")


def _resets(headers: Mapping[str, str], now: datetime) -> Iterator[datetime]:
    for name, value in headers.items():
        found: datetime | None = None
        if (of := _ANTHROPIC.fullmatch(name)) and _is_spent(
            headers.get(f"anthropic-ratelimit-{of[1]}-remaining")
        ):
            found = _instant(value, now)
        elif (of := _CHAT.fullmatch(name)) and _is_spent(
            headers.get(f"x-ratelimit-remaining-{of[1]}")
        ):
            found = _span(value, now)
        if found is not None:
            yield found


def _is_spent(remaining: str | None) -> bool:
    return remaining == "0"


def _span(text: str, now: datetime) -> datetime | None:
    """`now` and a span such as 1m2.5s or 120ms."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return _soon(sum(float(number) * _UNITS[unit] for number, unit in parts), now)


def _instant(text: str, now: datetime) -> datetime | None:
    """An RFC 3339 instant within the longest wait."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    return _soon((found - now).total_seconds(), now)


def _soon(seconds: float, now: datetime) -> datetime | None:
    return now + timedelta(seconds=seconds) if 0 <= seconds < _LONGEST_WAIT else None


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
