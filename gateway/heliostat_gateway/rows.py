"""The ledger's SQL: each function does one thing to one connection."""

import sqlite3
from typing import Final

from heliostat_gateway.bookings import (
    AttemptTotal,
    Booking,
    CapReachedError,
    ExecutionTotal,
    Opening,
)
from heliostat_gateway.callers import Caller
from heliostat_gateway.usage import Usage

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS requests (
  id TEXT PRIMARY KEY, execution TEXT NOT NULL, attempt INTEGER NOT NULL, agent TEXT NOT NULL,
  correlation TEXT NOT NULL, session TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  started_ms INTEGER NOT NULL, ended_ms INTEGER, open INTEGER NOT NULL,
  reported INTEGER NOT NULL, estimated INTEGER NOT NULL, outcome TEXT NOT NULL,
  provider_request TEXT NOT NULL DEFAULT '',
  input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
  web_searches INTEGER NOT NULL, cost_nanos INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS requests_execution ON requests (execution);
CREATE INDEX IF NOT EXISTS requests_agent ON requests (agent, cost_nanos);
CREATE INDEX IF NOT EXISTS requests_open ON requests (id) WHERE open;
"""
_TOKENS: Final = "input + output + cache_read + cache_write_5m + cache_write_1h"


def make_schema(connection: sqlite3.Connection) -> None:
    """The tables, where they are not there yet."""
    connection.executescript(_SCHEMA)


def book_open_rows(connection: sqlite3.Connection, now_ms: int) -> int:
    """Closes rows as they are; only right when no call is going on. Returns how many."""
    return connection.execute(
        "UPDATE requests SET open = 0, estimated = 1, outcome = 'gateway_died', ended_ms = ? "
        "WHERE open",
        (now_ms,),
    ).rowcount


def check_caps(connection: sqlite3.Connection, caller: Caller) -> None:
    """Raises CapReachedError when nothing is left.

    Settled rows count with their cost, open ones with what they have used so far. An open row
    without a report counts at most as the dearest settled one: its input is counted without
    knowing the cache, and would else stop runs with a long, cached conversation.
    """
    caps, uid = caller.caps, caller.execution
    if not caps:
        return
    nanos, tokens, dearest = connection.execute(
        f"SELECT coalesce(sum(cost_nanos), 0), coalesce(sum({_TOKENS}), 0), "
        "max(nullif(cost_nanos, 0)) FROM requests WHERE execution = ? AND (NOT open OR reported)",
        (uid,),
    ).fetchone()
    for cost, size in connection.execute(
        f"SELECT cost_nanos, {_TOKENS} FROM requests WHERE execution = ? AND open AND NOT reported",
        (uid,),
    ):
        nanos += cost if dearest is None else min(cost, dearest)
        tokens += size
    if caps.cost_nanos is not None and nanos >= caps.cost_nanos:
        raise CapReachedError("cost", caps.cost_nanos, nanos)
    if caps.tokens is not None and tokens >= caps.tokens:
        raise CapReachedError("tokens", caps.tokens, tokens)


def insert_row(connection: sqlite3.Connection, opening: Opening) -> None:
    """The row of a call that is about to be made."""
    caller, usage = opening.caller, opening.usage
    connection.execute(
        "INSERT INTO requests (id, execution, attempt, agent, correlation, session, provider, "
        "model, started_ms, open, reported, estimated, outcome, input, output, cache_read, "
        "cache_write_5m, cache_write_1h, web_searches, cost_nanos) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 1, 'open', ?, ?, ?, ?, ?, ?, ?)",
        (
            opening.id,
            caller.execution,
            caller.attempt,
            caller.agent,
            caller.correlation,
            opening.session,
            opening.provider,
            opening.model,
            opening.started_ms,
            *_counts(usage),
            opening.cost_nanos,
        ),
    )


def update_rows(connection: sqlite3.Connection, bookings: list[Booking], ended: int | None) -> None:
    """Brings open rows up to date; `ended` (milliseconds) closes them."""
    # `AND open`: a note that was queued behind the settlement must not change it.
    connection.executemany(
        "UPDATE requests SET open = ?, ended_ms = ?, reported = ?, estimated = ?, outcome = ?, "
        "provider_request = ?, input = ?, output = ?, cache_read = ?, cache_write_5m = ?, "
        "cache_write_1h = ?, web_searches = ?, cost_nanos = ? WHERE id = ? AND open",
        [
            (
                ended is None,
                ended,
                booking.reported,
                booking.estimated,
                booking.outcome,
                booking.provider_request,
                *_counts(booking.usage),
                booking.cost_nanos,
                booking.id,
            )
            for booking in bookings
        ],
    )


def _counts(usage: Usage) -> tuple[int, int, int, int, int, int]:
    return (
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.web_searches,
    )


def sum_execution(connection: sqlite3.Connection, uid: str) -> ExecutionTotal:
    """Sums over the rows of an execution."""
    row = connection.execute(
        "SELECT coalesce(sum(cost_nanos), 0), count(*), coalesce(sum(open), 0), "
        "coalesce(max(estimated AND NOT open), 0), coalesce(sum(input), 0), "
        "coalesce(sum(output), 0), coalesce(sum(cache_read), 0), "
        "coalesce(sum(cache_write_5m), 0), coalesce(sum(cache_write_1h), 0), "
        "coalesce(sum(web_searches), 0) FROM requests WHERE execution = ?",
        (uid,),
    ).fetchone()
    last = connection.execute(
        "SELECT provider, model FROM requests WHERE execution = ? "
        "ORDER BY started_ms DESC, rowid DESC LIMIT 1",
        (uid,),
    ).fetchone()
    attempts = connection.execute(
        "SELECT attempt, sum(cost_nanos), count(*) FROM requests WHERE execution = ? "
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
    """Nano-dollars and number of rows of an agent."""
    cost, requests = connection.execute(
        "SELECT coalesce(sum(cost_nanos), 0), count(*) FROM requests WHERE agent = ?", (name,)
    ).fetchone()
    return cost, requests
