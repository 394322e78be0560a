"""Rows in a real ledger, made through the ledger itself."""

import asyncio
from dataclasses import dataclass, field

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.money.bookings import Booking, Estimate, Opening, Usage
from heliostat_gateway.money.ledger import Ledger


@dataclass(frozen=True)
class Row:
    """One call. `cost` in nano-dollars; an open one has no outcome."""

    started_ms: int
    agent: str = "default/sales"
    execution: str = "e1"
    provider: str = "anthropic"
    model: str = "claude-opus-5-5"
    cost: int = 1000
    usage: Usage = field(default_factory=lambda: Usage(input=10, output=5))
    outcome: str = "answered"
    estimated: bool = False
    is_open: bool = False
    user: str = ""


async def book(ledger: Ledger, rows: list[Row], first: int = 0) -> None:
    """Opens and settles each row; ids count from `first`. All at once: they share a write."""
    named = [(f"row-{number}", row) for number, row in enumerate(rows, first)]
    await asyncio.gather(*(ledger.open(_opening(name, row)) for name, row in named))
    await asyncio.gather(
        *(
            ledger.settle([booking_of(name, row)], row.started_ms + 1000)
            for name, row in named
            if not row.is_open
        )
    )


def _opening(name: str, row: Row) -> Opening:
    caller = Caller(
        key=f"{row.execution}/1",
        kind=KeyKind.EXECUTION,
        account=row.execution,
        user=row.user,
        agent=row.agent,
        execution=row.execution,
        attempt=1,
    )
    return Opening(
        id=name,
        caller=caller,
        session="",
        provider=row.provider,
        model=row.model,
        started_ms=row.started_ms,
        usage=row.usage,
        cost_nanos=row.cost,
        estimate=Estimate(row.usage, row.cost),
    )


def booking_of(name: str, row: Row) -> Booking:
    """What settles the row of that name."""
    return Booking(
        id=name,
        part=1,
        provider=row.provider,
        model=row.model,
        credential="",
        usage=row.usage,
        cost_nanos=row.cost,
        reported=True,
        estimated=row.estimated,
        outcome=row.outcome,
    )
