"""Days of people, in their own time zone, as spans of milliseconds of the ledger."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from heliostat_gateway.errors import RefusalError, invalid_request


@dataclass(frozen=True)
class DaySpan:
    """One local day: from `start_ms` up to, not including, `end_ms`; mostly of 23 to 25 hours."""

    day: date
    start_ms: int
    end_ms: int


def read_zone(name: str) -> ZoneInfo:
    """The IANA time zone. Raises RefusalError (400)."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise invalid_request(
            f"timeZone: {name!r} is no time zone; use an IANA name such as Europe/Berlin or UTC."
        ) from error


def start_ms(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day: of two midnights the first, of none the next instant."""
    return epoch_ms(datetime.combine(day, time.min, zone))


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since the epoch of an aware instant, exact."""
    return (instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def instant(ms: int) -> datetime:
    """The instant of a time in the ledger, in UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def local_day(ms: int, zone: ZoneInfo) -> date:
    """The local day that an instant of the ledger falls on."""
    return instant(ms).astimezone(zone).date()


def days_between(first: date, end: date) -> list[date]:
    """The days from `first` up to, not including, `end`."""
    return [first + timedelta(days=n) for n in range((end - first).days)]


def split_days(from_ms: int, to_ms: int, zone: ZoneInfo) -> list[DaySpan]:
    """The local days that a span touches, the first and the last cut to it; none is empty."""
    if to_ms <= from_ms:
        return []
    first, last = local_day(from_ms, zone), local_day(to_ms - 1, zone)
    spans = [
        DaySpan(
            day,
            max(from_ms, start_ms(day, zone)),
            min(to_ms, start_ms(day + timedelta(days=1), zone)),
        )
        for day in days_between(first, last + timedelta(days=1))
    ]
    return [span for span in spans if span.start_ms < span.end_ms]


def read_instant(name: str, value: str, zone: ZoneInfo) -> int:
    """Milliseconds of a day (its first instant there) or an RFC 3339 instant. RefusalError."""
    try:
        if len(value) == len("2026-11-22"):
            return start_ms(date.fromisoformat(value), zone)
        found = datetime.fromisoformat(value)
        # A plus sign that was not encoded arrives as a blank, which fromisoformat refuses.
        if found.tzinfo is None:
            raise _no_instant(name, value)
        return epoch_ms(found)
    except (ValueError, OverflowError) as error:
        raise _no_instant(name, value) from error


def _no_instant(name: str, value: str) -> RefusalError:
    return invalid_request(
        f"{name}: {value!r} must be a day such as 2026-11-22 or an instant with its offset such "
        "as 2026-11-22T08:00:00Z (in a query, write + as %2B)."
    )
