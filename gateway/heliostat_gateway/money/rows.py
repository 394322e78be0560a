"""The ledger's SQL: rows of requests and what they sum up to. Each function does one thing."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import orjson
from pydantic import TypeAdapter

from heliostat_gateway.money.bookings import (
    PLAIN,
    AttemptTotal,
    Booking,
    ExecutionTotal,
    Head,
    LedgerRow,
    Terms,
    Usage,
    nanos_of,
    tokens_of,
    turns_of,
)
from heliostat_gateway.money.reservations import Used

DIED: Final = "gateway_died"
_TERMS: Final = TypeAdapter(Terms)
_COLUMNS: Final = (
    "id, part, account, key, kind, user, agent, execution, attempt, correlation, session, budgets, "
    "provider, model, credential, started_ms, ended_ms, open, reported, estimated, outcome, "
    "provider_request, input, output, cache_read, cache_write_5m, cache_write_1h, web_searches, "
    "thinking, speed, cost_nanos, terms"
)
# Only open rows change: a note that was queued behind the settlement must not.
_UPSERT: Final = (
    f"INSERT INTO requests ({_COLUMNS}) VALUES ({', '.join('?' * 32)}) "
    "ON CONFLICT (id, part) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[12:])
    + " WHERE open"
)


def write_rows(
    connection: sqlite3.Connection, head: Head, bookings: Iterable[Booking], ended: int | None
) -> None:
    """Writes one row for each part; `ended` (milliseconds) closes them."""
    budgets = [key.removeprefix("budget:") for key in head.counted if key.startswith("budget:")]
    common = (
        head.account,
        head.key,
        head.kind,
        head.user,
        head.agent,
        head.execution,
        head.attempt,
        head.correlation,
        head.session,
        orjson.dumps(budgets).decode(),
    )
    connection.executemany(_UPSERT, [_row(head, common, booking, ended) for booking in bookings])


def drop_open_rows(connection: sqlite3.Connection, request: str) -> None:
    """Takes away the rows of a request that nobody settled."""
    connection.execute("DELETE FROM requests WHERE id = ? AND open", (request,))


def _row(
    head: Head, common: tuple[str | int, ...], booking: Booking, ended: int | None
) -> tuple[str | int | None, ...]:
    usage = booking.usage
    return (
        head.id,
        booking.part,
        *common,
        booking.provider,
        booking.model,
        booking.credential,
        head.started_ms,
        ended,
        ended is None,
        booking.reported,
        booking.estimated,
        booking.outcome,
        booking.provider_request,
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.web_searches,
        usage.thinking,
        usage.speed,
        booking.cost_nanos,
        "" if usage.terms == PLAIN else orjson.dumps(usage.terms).decode(),
    )


def read_rows(connection: sqlite3.Connection, request: str) -> list[LedgerRow]:
    """The parts of a request with whose it is, and when it was."""
    heads = connection.execute(
        "SELECT key, started_ms, ended_ms FROM requests WHERE id = ? ORDER BY part", (request,)
    ).fetchall()
    bookings = read_bookings(connection, request)
    return [
        LedgerRow(key, started, ended, booking)
        for (key, started, ended), booking in zip(heads, bookings, strict=True)
    ]


def read_bookings(connection: sqlite3.Connection, request: str) -> list[Booking]:
    """The parts of a request as they are."""
    found = connection.execute(
        "SELECT id, part, provider, model, credential, input, output, cache_read, cache_write_5m, "
        "cache_write_1h, web_searches, thinking, speed, cost_nanos, reported, estimated, outcome, "
        "provider_request, terms FROM requests WHERE id = ? ORDER BY part",
        (request,),
    )
    return [_booking(row) for row in found]


def _booking(row: Sequence[str | int]) -> Booking:
    texts, counts = [str(value) for value in row], [int(value) for value in row[5:12]]
    usage = Usage(
        input=counts[0],
        output=counts[1],
        cache_read=counts[2],
        cache_write_5m=counts[3],
        cache_write_1h=counts[4],
        web_searches=counts[5],
        thinking=counts[6],
        speed=texts[12],
        terms=_TERMS.validate_json(texts[18]) if texts[18] else PLAIN,
    )
    return Booking(
        id=texts[0],
        part=int(row[1]),
        provider=texts[2],
        model=texts[3],
        credential=texts[4],
        usage=usage,
        cost_nanos=int(row[13]),
        reported=bool(row[14]),
        estimated=bool(row[15]),
        outcome=texts[16],
        provider_request=texts[17],
    )


def add_sums(connection: sqlite3.Connection, keys: Iterable[str], bookings: list[Booking]) -> None:
    """Adds a settled request to its sums."""
    values = (nanos_of(bookings), tokens_of(bookings), turns_of(bookings), nanos_of(bookings))
    connection.executemany(
        "INSERT INTO sums VALUES (?, ?, ?, ?, ?) ON CONFLICT (counted) DO UPDATE SET "
        "nanos = nanos + excluded.nanos, tokens = tokens + excluded.tokens, "
        "turns = turns + excluded.turns, dearest = max(dearest, excluded.dearest)",
        [(key, *values) for key in keys],
    )


def take_from_sums(
    connection: sqlite3.Connection, keys: Iterable[str], bookings: Sequence[Booking]
) -> None:
    """Takes a request off its sums again, before a better booking of it is added."""
    parts = list(bookings)
    connection.executemany(
        "UPDATE sums SET nanos = nanos - ?, tokens = tokens - ?, turns = turns - ? "
        "WHERE counted = ?",
        [(nanos_of(parts), tokens_of(parts), turns_of(parts), key) for key in keys],
    )


def write_settled(
    connection: sqlite3.Connection, head: Head, bookings: list[Booking], ended: int
) -> bool:
    """Rows and sums of a settled request, once; False for one that is there already.

    The word of a gateway that seemed dead replaces what was booked for it.
    """
    before = read_bookings(connection, head.id)
    if before:
        replaces = before[0].outcome == DIED and bookings[0].outcome != DIED
        if not replaces:
            return False
        take_from_sums(connection, head.counted, before)
        connection.execute("DELETE FROM requests WHERE id = ?", (head.id,))
    write_rows(connection, head, bookings, ended)
    add_sums(connection, head.counted, bookings)
    return True


def settled_sum(connection: sqlite3.Connection, key: str) -> Used:
    """What is settled of an account or budget period."""
    row = connection.execute(
        "SELECT nanos, tokens, turns, dearest FROM sums WHERE counted = ?", (key,)
    ).fetchone()
    return Used() if row is None else Used(*row)


def sum_execution(connection: sqlite3.Connection, uid: str) -> ExecutionTotal:
    """Sums over the rows of an execution."""
    row = connection.execute(
        "SELECT coalesce(sum(cost_nanos), 0), coalesce(sum(part = 1), 0), coalesce(sum(open), 0), "
        "coalesce(max(estimated AND NOT open), 0), coalesce(sum(input), 0), "
        "coalesce(sum(output), 0), coalesce(sum(cache_read), 0), "
        "coalesce(sum(cache_write_5m), 0), coalesce(sum(cache_write_1h), 0), "
        "coalesce(sum(web_searches), 0), coalesce(sum(thinking), 0) "
        "FROM requests WHERE execution = ?",
        (uid,),
    ).fetchone()
    last = connection.execute(
        "SELECT provider, model FROM requests WHERE execution = ? AND provider <> '' "
        "ORDER BY started_ms DESC, id DESC, part DESC LIMIT 1",
        (uid,),
    ).fetchone()
    attempts = connection.execute(
        "SELECT attempt, sum(cost_nanos), sum(part = 1) FROM requests WHERE execution = ? "
        "GROUP BY attempt ORDER BY attempt",
        (uid,),
    ).fetchall()
    cost, requests, still_open, estimated, *counts = row
    provider, model = last or (None, None)
    return ExecutionTotal(
        cost_nanos=cost,
        requests=requests,
        settled=still_open == 0,
        estimated=bool(estimated),
        usage=Usage(*counts),
        provider=provider,
        model=model,
        attempts=tuple(AttemptTotal(*attempt) for attempt in attempts),
    )


def sum_agent(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    """Nano-dollars and number of settled requests of an agent."""
    cost, requests = connection.execute(
        "SELECT coalesce(sum(cost_nanos), 0), coalesce(sum(part = 1), 0) FROM requests "
        "WHERE agent = ? AND NOT open",
        (name,),
    ).fetchone()
    return cost, requests
