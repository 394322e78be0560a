"""The ledger: one row per model call, written before the call, settled after it.

An open row always holds what would be booked if the gateway died now, so recovery only marks it.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from heliostat_core.keys import ExecutionClaims
from heliostat_gateway.storage import Storage
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


class CapReachedError(Exception):
    """The execution may make no further call. `left` is in the unit of `cap`."""

    def __init__(self, what: str, cap: int, spent: int) -> None:
        super().__init__(what)
        self.what = what
        self.cap = cap
        self.spent = spent


@dataclass(frozen=True)
class Opening:
    """What is known of a call before it is made."""

    id: str
    claims: ExecutionClaims
    session: str
    provider: str
    model: str
    started_ms: int
    usage: Usage  # counted input
    cost_nanos: int


@dataclass(frozen=True)
class Booking:
    """What a call has used: so far, or in the end."""

    id: str
    usage: Usage
    cost_nanos: int
    reported: bool
    estimated: bool
    outcome: str
    provider_request: str = ""


@dataclass(frozen=True)
class AttemptTotal:
    """Sums of one attempt."""

    attempt: int
    cost_nanos: int
    requests: int


@dataclass(frozen=True)
class ExecutionTotal:
    """Sums of one execution. Every figure is a sum over the rows."""

    cost_nanos: int
    requests: int
    settled: bool
    estimated: bool
    usage: Usage
    provider: str | None
    model: str | None
    attempts: tuple[AttemptTotal, ...]


class Ledger:
    """Rows of model calls in the storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.run_now(_make_schema)

    def recover(self, now_ms: int) -> int:
        """Books what a dead gateway left open, as estimated. Returns how many rows."""
        return self._storage.run_now(lambda connection: _book_open_rows(connection, now_ms))

    async def open(self, opening: Opening) -> None:
        """Writes the row ahead of the call. Raises CapReachedError; then there is no row."""

        def work(connection: sqlite3.Connection) -> None:
            _check_caps(connection, opening.claims)
            _insert(connection, opening)

        await self._storage.run(work)

    async def note(self, bookings: list[Booking]) -> None:
        """Writes what open calls have used so far."""
        await self._storage.run(lambda connection: _update(connection, bookings, None))

    async def settle(self, booking: Booking, now_ms: int) -> None:
        """Closes a row with its last word."""
        await self._storage.run(lambda connection: _update(connection, [booking], now_ms))

    async def execution(self, uid: str) -> ExecutionTotal:
        """Sums of an execution; zeros for one that made no call."""
        return await self._storage.run(lambda connection: _execution(connection, uid))

    async def agent(self, name: str) -> tuple[int, int]:
        """Nano-dollars and number of requests of an agent, `namespace/name`."""
        return await self._storage.run(lambda connection: _agent(connection, name))


def _make_schema(connection: sqlite3.Connection) -> None:
    connection.executescript(_SCHEMA)


def _book_open_rows(connection: sqlite3.Connection, now_ms: int) -> int:
    return connection.execute(
        "UPDATE requests SET open = 0, estimated = 1, outcome = 'gateway_died', ended_ms = ? "
        "WHERE open",
        (now_ms,),
    ).rowcount


def _check_caps(connection: sqlite3.Connection, claims: ExecutionClaims) -> None:
    """Settled rows count with their cost, open ones with what they have used so far.

    An open row without a report counts at most as the dearest settled one: its input is counted
    without knowing the cache, and would else stop runs with a long, cached conversation.
    """
    if claims.cap_nanos is None and claims.cap_tokens is None:
        return
    uid = claims.execution_uid
    nanos, tokens, dearest = connection.execute(
        f"SELECT coalesce(sum(cost_nanos), 0), coalesce(sum({_TOKENS}), 0), max(cost_nanos) "
        "FROM requests WHERE execution = ? AND (NOT open OR reported)",
        (uid,),
    ).fetchone()
    for cost, size in connection.execute(
        f"SELECT cost_nanos, {_TOKENS} FROM requests WHERE execution = ? AND open AND NOT reported",
        (uid,),
    ):
        nanos += cost if dearest is None else min(cost, dearest)
        tokens += size
    if claims.cap_nanos is not None and nanos >= claims.cap_nanos:
        raise CapReachedError("cost", claims.cap_nanos, nanos)
    if claims.cap_tokens is not None and tokens >= claims.cap_tokens:
        raise CapReachedError("tokens", claims.cap_tokens, tokens)


def _insert(connection: sqlite3.Connection, opening: Opening) -> None:
    claims, usage = opening.claims, opening.usage
    connection.execute(
        "INSERT INTO requests (id, execution, attempt, agent, correlation, session, provider, "
        "model, started_ms, open, reported, estimated, outcome, input, output, cache_read, "
        "cache_write_5m, cache_write_1h, web_searches, cost_nanos) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 1, 'open', ?, ?, ?, ?, ?, ?, ?)",
        (
            opening.id,
            claims.execution_uid,
            claims.attempt,
            claims.agent,
            claims.correlation_id,
            opening.session,
            opening.provider,
            opening.model,
            opening.started_ms,
            *_counts(usage),
            opening.cost_nanos,
        ),
    )


def _update(connection: sqlite3.Connection, bookings: list[Booking], ended: int | None) -> None:
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


def _execution(connection: sqlite3.Connection, uid: str) -> ExecutionTotal:
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


def _agent(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    cost, requests = connection.execute(
        "SELECT coalesce(sum(cost_nanos), 0), count(*) FROM requests WHERE agent = ?", (name,)
    ).fetchone()
    return cost, requests
