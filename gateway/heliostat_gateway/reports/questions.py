"""What a report is asked for: parameters read once; each mistake names its parameter and remedy."""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from heliostat_gateway.errors import invalid_request
from heliostat_gateway.reports.calendars import (
    epoch_ms,
    local_day,
    read_instant,
    read_zone,
    start_ms,
)
from heliostat_gateway.reports.dimensions import Dimension, read_dimensions

LARGEST_PAGE: Final = 1000
DEFAULT_PAGE: Final = 100
LONGEST_DAYS: Final = 400
MOST_USERS: Final = 100


class Format(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True)
class UsageQuestion:
    """Sums of the calls that started from `from_ms` up to, not including, `to_ms`.

    `after` is the key of the last line of the page before.
    """

    from_ms: int
    to_ms: int
    zone: ZoneInfo
    by: tuple[Dimension, ...]
    limit: int = DEFAULT_PAGE
    after: tuple[str, ...] | None = None
    users: tuple[str, ...] = ()  # theirs only; empty: everybody's


class _Cursor(BaseModel):
    """Where the next page begins; it belongs to one question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    span: tuple[int, int]
    zone: str
    by: tuple[str, ...]
    after: tuple[str, ...]
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class UsageParameters:
    """The query as it came; None is not given."""

    since: str | None = None
    until: str | None = None
    by: str | None = None
    time_zone: str | None = None
    limit: str | None = None
    cursor: str | None = None


def read_usage_question(
    given: UsageParameters, now: datetime, users: Sequence[str] = ()
) -> UsageQuestion:
    """The question, with defaults: this month so far, by day, in UTC. Raises RefusalError (400)."""
    limit = read_count("limit", given.limit, DEFAULT_PAGE, LARGEST_PAGE)
    whose = read_users(users)
    if given.cursor is not None:
        return _continued(given, given.cursor, limit, whose)
    zone = read_zone(given.time_zone or "UTC")
    today = local_day(epoch_ms(now), zone)
    first, following = (
        start_ms(today.replace(day=1), zone),
        start_ms(today + timedelta(days=1), zone),
    )
    from_ms = read_instant("from", given.since, zone) if given.since else first
    to_ms = read_instant("to", given.until, zone) if given.until else following
    if from_ms >= to_ms:
        raise invalid_request("to: must be later than from; the day of `to` is not included.")
    if to_ms - from_ms > timedelta(days=LONGEST_DAYS) // timedelta(milliseconds=1):
        raise invalid_request(
            f"from, to: at most {LONGEST_DAYS} days can be asked for at once; ask in parts."
        )
    by = read_dimensions("day" if given.by is None else given.by)
    return UsageQuestion(from_ms, to_ms, zone, by, limit, users=whose)


def write_cursor(question: UsageQuestion, last: tuple[str, ...]) -> str:
    """The cursor of the page after the line with key `last`."""
    cursor = _Cursor(
        span=(question.from_ms, question.to_ms),
        zone=question.zone.key,
        by=tuple(each.name for each in question.by),
        after=last,
        users=question.users,
    )
    return base64.urlsafe_b64encode(cursor.model_dump_json().encode()).decode().rstrip("=")


def _continued(
    given: UsageParameters, text: str, limit: int, whose: tuple[str, ...]
) -> UsageQuestion:
    """The next page of the question that the cursor belongs to."""
    cursor = _read_cursor(text)
    zone = read_zone(cursor.zone)
    by = read_dimensions(",".join(cursor.by))
    from_ms, to_ms = cursor.span
    same = (
        (given.time_zone is None or given.time_zone == cursor.zone)
        and (given.by is None or read_dimensions(given.by) == by)
        and (given.since is None or read_instant("from", given.since, zone) == from_ms)
        and (given.until is None or read_instant("to", given.until, zone) == to_ms)
        and whose in ((), cursor.users)
    )
    if not same:
        raise invalid_request(
            "cursor: it belongs to another question; leave from, to, by, user and timeZone as they "
            "were, or leave the cursor out."
        )
    return UsageQuestion(from_ms, to_ms, zone, by, limit, cursor.after, cursor.users)


def _read_cursor(text: str) -> _Cursor:
    try:
        padded = text + "=" * (-len(text) % 4)
        document = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        cursor = _Cursor.model_validate(document)
    except (ValueError, binascii.Error, ValidationError, RecursionError) as error:
        raise invalid_request(
            "cursor: it is not one that this gateway gave; use `next` of the page before."
        ) from error
    span = cursor.span
    whole = 0 <= span[0] < span[1] <= span[0] + LONGEST_DAYS * 86_400_000 and span[1] < 10**14
    if not whole or len(cursor.after) != len(cursor.by):
        raise invalid_request("cursor: it was changed; use `next` of the page before.")
    return cursor


def read_users(given: Sequence[str]) -> tuple[str, ...]:
    """Whose calls are asked for, each once. Raises RefusalError (400)."""
    if len(given) > MOST_USERS:
        raise invalid_request(f"user: at most {MOST_USERS} can be asked for at once.")
    return tuple(dict.fromkeys(given))


def read_count(name: str, value: str | None, default: int, most: int) -> int:
    """A count from 1 to `most`. Raises RefusalError (400)."""
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most and len(value) < 9):
        raise invalid_request(f"{name}: {value!r} must be a whole number from 1 to {most}.")
    return int(value)


def read_format(value: str | None) -> Format:
    """JSON unless asked otherwise. Raises RefusalError (400)."""
    if value is None:
        return Format.JSON
    if value not in list(Format):
        raise invalid_request(f"format: {value!r} must be json or csv.")
    return Format(value)


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """A parameter that nobody reads is a mistake, not a wish. Raises RefusalError (400)."""
    names = tuple(known)
    for name in given:
        if name not in names:
            raise invalid_request(f"{name}: there is no such parameter; use {', '.join(names)}.")
