"""The ledger: what each request costs, reserved and written before the call, settled after it.

A reservation always knows what would be booked if its gateway died now.
"""

import asyncio
from typing import Protocol

from heliostat_gateway.money import holds, rows
from heliostat_gateway.money.bookings import (
    Booking,
    ExecutionTotal,
    LedgerMode,
    LedgerRow,
    LedgerState,
    Opening,
    Reserved,
)
from heliostat_gateway.money.budgets import Budget, BudgetTotal
from heliostat_gateway.money.schema import make_schema
from heliostat_gateway.storage import Storage


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
        return self._storage.run_now(
            lambda connection: holds.book_open_requests(connection, now_ms)
        )

    async def open(self, opening: Opening) -> Reserved:
        """Reserves on every sum and writes ahead."""
        try:
            return await self._storage.run(
                lambda connection: holds.open_request(connection, opening)
            )
        except asyncio.CancelledError:
            # The work may be done all the same; nobody will settle it.
            task = asyncio.create_task(self._drop(opening.id))
            self._dropped.add(task)
            task.add_done_callback(self._dropped.discard)
            raise

    async def note(self, bookings: list[Booking]) -> None:
        """Writes what open requests have used so far."""
        await self._storage.run(lambda connection: holds.note_requests(connection, bookings))

    async def settle(self, bookings: list[Booking], now_ms: int) -> None:
        """Closes requests with all of their parts, once."""
        await self._storage.run(
            lambda connection: holds.settle_requests(connection, bookings, now_ms)
        )

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
        await self._storage.run(lambda connection: holds.write_budget(connection, budget))

    async def drop_budget(self, name: str) -> bool:
        """Takes a definition away; False when there was none."""
        return await self._storage.run(lambda connection: holds.drop_budget(connection, name))

    async def budgets(self, now_ms: int) -> list[BudgetTotal]:
        """All budgets by name, with their sums."""
        return await self._storage.run(lambda connection: holds.budget_totals(connection, now_ms))

    async def budget(self, name: str, now_ms: int) -> BudgetTotal | None:
        """One budget with its sums; None for one that is not defined."""
        return await self._storage.run(
            lambda connection: holds.budget_total(connection, name, now_ms)
        )

    def state(self) -> LedgerState:
        """How the ledger is."""
        return LedgerState(LedgerMode.EMBEDDED)

    async def start(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Has nothing to end. The storage is its owner's."""

    async def _drop(self, request: str) -> None:
        await self._storage.run(lambda connection: holds.drop_request(connection, request))
