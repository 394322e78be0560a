"""The ledger: what each request costs, reserved and written before the call, settled after it.

A reservation always knows what would be booked if its gateway died now. In SQLite it is a row of
`reservations`, what it holds of each sum a row of `holds`.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Protocol

import orjson
from pydantic import TypeAdapter

from heliostat_gateway.money import rows
from heliostat_gateway.money.bookings import (
    Booking,
    ExecutionTotal,
    Head,
    LedgerMode,
    LedgerRow,
    LedgerState,
    Opening,
    Reserved,
    UnknownBudgetError,
    first_booking,
    head_of,
    nanos_of,
    tokens_of,
)
from heliostat_gateway.money.budgets import Budget, BudgetTotal, period_of
from heliostat_gateway.money.reservations import (
    Used,
    counted_budget,
    counted_of,
    held_after_note,
    reserve,
)
from heliostat_gateway.money.schema import make_schema
from heliostat_gateway.storage import Storage

HEADS = TypeAdapter(Head)
BUDGETS = TypeAdapter(Budget)


class Ledger(Protocol):
    """Sums, caps and rows of requests. Every method may raise StorageError."""

    async def open(self, opening: Opening) -> Reserved:
        """Reserves on every sum and writes ahead.

        Raises CapReachedError, UnknownBudgetError, SharedLedgerAwayError; then nothing is kept.
        """
        ...

    async def note(self, bookings: list[Booking]) -> None:
        """Writes what open requests have used so far: each part that has changed."""
        ...

    async def settle(self, bookings: list[Booking], now_ms: int) -> None:
        """Closes requests with all of their parts, once: a repeat changes nothing."""
        ...

    async def execution(self, uid: str) -> ExecutionTotal:
        """Sums of an execution; zeros for one that made no call."""
        ...

    async def request(self, request: str) -> list[LedgerRow]:
        """The parts of a request, first to last; none of one that was never opened."""
        ...

    async def agent(self, name: str) -> tuple[int, int]:
        """Nano-dollars and number of settled requests of an agent, `namespace/name`."""
        ...

    async def put_budget(self, budget: Budget) -> None:
        """Defines a budget, effective for the next call on every gateway."""
        ...

    async def drop_budget(self, name: str) -> bool:
        """Takes a definition away; False when there was none."""
        ...

    async def budgets(self, now_ms: int) -> list[BudgetTotal]:
        """All budgets by name, with what is spent or reserved in their present period."""
        ...

    async def budget(self, name: str, now_ms: int) -> BudgetTotal | None:
        """One of them; None for one that is not defined."""
        ...

    def state(self) -> LedgerState:
        """How the ledger is."""
        ...

    async def start(self) -> None:
        """Begins what it does in the background."""
        ...

    async def close(self) -> None:
        """Ends what it does in the background."""
        ...


class SqliteLedger:
    """The ledger of one process: rows, sums and reservations in its own file."""

    def __init__(self, storage: Storage) -> None:
        """Raises NewerSchemaError."""
        self._storage = storage
        self._dropped: set[asyncio.Task[None]] = set()
        storage.run_now(make_schema)

    def recover(self, now_ms: int) -> int:
        """Books what a dead gateway left open, as estimated. Returns how many requests."""
        return self._storage.run_now(lambda connection: book_open_requests(connection, now_ms))

    async def open(self, opening: Opening) -> Reserved:
        """Reserves on every sum and writes ahead."""
        try:
            return await self._storage.run(lambda connection: open_request(connection, opening))
        except asyncio.CancelledError:
            # The work may be done all the same; nobody will settle it.
            task = asyncio.create_task(self._drop(opening.id))
            self._dropped.add(task)
            task.add_done_callback(self._dropped.discard)
            raise

    async def note(self, bookings: list[Booking]) -> None:
        """Writes what open requests have used so far."""
        await self._storage.run(lambda connection: note_requests(connection, bookings))

    async def settle(self, bookings: list[Booking], now_ms: int) -> None:
        """Closes requests with all of their parts, once."""
        await self._storage.run(lambda connection: settle_requests(connection, bookings, now_ms))

    async def execution(self, uid: str) -> ExecutionTotal:
        """The sums of an execution."""
        return await self._storage.run(lambda connection: rows.sum_execution(connection, uid))

    async def request(self, request: str) -> list[LedgerRow]:
        """The parts of a request, first to last."""
        return await self._storage.run(lambda connection: rows.read_rows(connection, request))

    async def agent(self, name: str) -> tuple[int, int]:
        """Nano-dollars and settled requests of an agent."""
        return await self._storage.run(lambda connection: rows.sum_agent(connection, name))

    async def put_budget(self, budget: Budget) -> None:
        """Defines a budget."""
        await self._storage.run(lambda connection: write_budget(connection, budget))

    async def drop_budget(self, name: str) -> bool:
        """Takes a definition away; False when there was none."""
        return await self._storage.run(lambda connection: drop_budget(connection, name))

    async def budgets(self, now_ms: int) -> list[BudgetTotal]:
        """All budgets by name, with their sums."""
        return await self._storage.run(lambda connection: budget_totals(connection, now_ms))

    async def budget(self, name: str, now_ms: int) -> BudgetTotal | None:
        """One budget with its sums; None for one that is not defined."""
        return await self._storage.run(lambda connection: budget_total(connection, name, now_ms))

    def state(self) -> LedgerState:
        """How the ledger is."""
        return LedgerState(LedgerMode.EMBEDDED)

    async def start(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Has nothing to end. The storage is its owner's."""

    async def _drop(self, request: str) -> None:
        await self._storage.run(lambda connection: drop_request(connection, request))


def used_of(connection: sqlite3.Connection, key: str) -> Used:
    """Settled and held, of an account or budget period."""
    settled = rows.settled_sum(connection, key)
    nanos, tokens, turns = connection.execute(
        "SELECT coalesce(sum(nanos), 0), coalesce(sum(tokens), 0), count(*) FROM holds "
        "WHERE counted = ?",
        (key,),
    ).fetchone()
    return Used(
        settled.nanos + nanos, settled.tokens + tokens, settled.turns + turns, settled.dearest
    )


def open_request(connection: sqlite3.Connection, opening: Opening) -> Reserved:
    """Reserves and writes the row ahead. Raises CapReachedError, UnknownBudgetError."""
    counted = counted_of(opening, [_budget(connection, name) for name in opening.caller.budgets])
    used = {one.key: used_of(connection, one.key) for one in counted}
    strict = opening.caller.caps.strict
    reserved = reserve(counted, used, opening.estimate, strict=strict)
    head = head_of(opening, tuple(one.key for one in counted))
    connection.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            opening.id,
            orjson.dumps(head).decode(),
            reserved.nanos,
            reserved.tokens,
            opening.estimate.output_nanos,
            opening.estimate.usage.output,
            strict,
        ),
    )
    connection.executemany(
        "INSERT INTO holds VALUES (?, ?, ?, ?)",
        [(key, opening.id, reserved.nanos, reserved.tokens) for key in head.counted],
    )
    rows.write_rows(connection, head, [first_booking(opening)], None)
    return reserved


def note_requests(connection: sqlite3.Connection, bookings: list[Booking]) -> None:
    """Writes what open requests have used so far; one that is settled stays as it is."""
    for request, parts in _by_request(bookings):
        found = connection.execute(
            "SELECT head, nanos, tokens, output_nanos, output_tokens, strict FROM reservations "
            "WHERE id = ?",
            (request,),
        ).fetchone()
        if found is None:
            continue
        head, nanos, tokens, output_nanos, output_tokens, strict = found
        rows.write_rows(connection, HEADS.validate_json(head), parts, None)
        noted = rows.read_bookings(connection, request)
        firm = bool(strict) or not noted[-1].reported
        nanos = held_after_note(nanos, nanos_of(noted), output_nanos, firm=firm)
        tokens = held_after_note(tokens, tokens_of(noted), output_tokens, firm=firm)
        for table in ("reservations", "holds"):
            connection.execute(
                f"UPDATE {table} SET nanos = ?, tokens = ? WHERE id = ?", (nanos, tokens, request)
            )


def settle_requests(connection: sqlite3.Connection, bookings: list[Booking], now_ms: int) -> None:
    """Closes requests with their last word; a repeat changes nothing."""
    for request, parts in _by_request(bookings):
        head = _release(connection, request)
        if head is not None:
            rows.write_rows(connection, head, parts, now_ms)
            # A part that was noted while it was under way and that the last word does not know
            # proved free: it is no row.
            rows.drop_open_rows(connection, request)
            rows.add_sums(connection, head.counted, parts)


def drop_request(connection: sqlite3.Connection, request: str) -> None:
    """Takes back an opening that nobody acted on."""
    if _release(connection, request) is not None:
        rows.drop_open_rows(connection, request)


def book_open_requests(connection: sqlite3.Connection, now_ms: int) -> int:
    """Closes open requests as they are; only right when no call is going on. Returns how many."""
    found = connection.execute("SELECT id FROM reservations").fetchall()
    for (request,) in found:
        parts = rows.read_bookings(connection, request)
        died = [_as_died(part) for part in parts]
        settle_requests(connection, died, now_ms)
    return len(found)


def write_budget(connection: sqlite3.Connection, budget: Budget) -> None:
    """Defines a budget, or defines it anew; what is spent in its period stays spent."""
    connection.execute(
        "INSERT INTO budgets VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
        "SET definition = excluded.definition",
        (budget.name, orjson.dumps(budget).decode()),
    )


def drop_budget(connection: sqlite3.Connection, name: str) -> bool:
    """Takes a definition away; False when there was none."""
    return connection.execute("DELETE FROM budgets WHERE name = ?", (name,)).rowcount > 0


def read_budgets(connection: sqlite3.Connection) -> list[Budget]:
    """All definitions, by name."""
    found = connection.execute("SELECT definition FROM budgets ORDER BY name")
    return [BUDGETS.validate_json(text) for (text,) in found]


def budget_totals(connection: sqlite3.Connection, now_ms: int) -> list[BudgetTotal]:
    """All budgets with what is spent or reserved of them now."""
    return [_total(connection, budget, now_ms) for budget in read_budgets(connection)]


def budget_total(connection: sqlite3.Connection, name: str, now_ms: int) -> BudgetTotal | None:
    """One budget with what is spent or reserved of it now; None for one that is not defined."""
    try:
        return _total(connection, _budget(connection, name), now_ms)
    except UnknownBudgetError:
        return None


def _total(connection: sqlite3.Connection, budget: Budget, now_ms: int) -> BudgetTotal:
    used = used_of(connection, counted_budget(budget, now_ms).key)
    return BudgetTotal(budget, period_of(budget, now_ms), used.nanos, used.tokens)


def _budget(connection: sqlite3.Connection, name: str) -> Budget:
    found = connection.execute("SELECT definition FROM budgets WHERE name = ?", (name,)).fetchone()
    if found is None:
        raise UnknownBudgetError(name)
    return BUDGETS.validate_json(found[0])


def _release(connection: sqlite3.Connection, request: str) -> Head | None:
    """Removes a reservation; its head, or None when there was none."""
    found = connection.execute(
        "DELETE FROM reservations WHERE id = ? RETURNING head", (request,)
    ).fetchone()
    if found is None:
        return None
    head = HEADS.validate_json(found[0])
    connection.executemany(
        "DELETE FROM holds WHERE counted = ? AND id = ?", [(key, request) for key in head.counted]
    )
    return head


def _as_died(part: Booking) -> Booking:
    return Booking(**(vars(part) | {"outcome": rows.DIED, "estimated": True}))


def _by_request(bookings: Sequence[Booking]) -> list[tuple[str, list[Booking]]]:
    ordered = sorted(bookings, key=attrgetter("id", "part"))
    return [(request, list(parts)) for request, parts in groupby(ordered, attrgetter("id"))]
