"""The ledger that all gateways share in Redis, and what each does alone while Redis is away.

Opening and settling are one script each. A request belongs to the gateway that opened it, and the
gateway says every second that it lives. Records go through a stream to the writer. With Redis away
this gateway spends its share of what was left and writes to its spool, which is replayed.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson

from heliostat_gateway.money.bookings import (
    Booking,
    CapReachedError,
    ExecutionTotal,
    Head,
    LedgerMode,
    LedgerRow,
    LedgerState,
    Opening,
    Reserved,
    SharedLedgerAwayError,
    first_booking,
    head_of,
    nanos_of,
    tokens_of,
    turns_of,
)
from heliostat_gateway.money.budgets import Budget, BudgetTotal
from heliostat_gateway.money.reservations import Counted, Used, counted_of
from heliostat_gateway.redis_state.budgets import SharedBudgets
from heliostat_gateway.redis_state.connection import Argument, RedisAwayError, RedisHealth
from heliostat_gateway.redis_state.filling import UNFILLED, Filling, WriterAwayError
from heliostat_gateway.redis_state.offline_quota import OfflineQuota
from heliostat_gateway.redis_state.recovery import Recovery
from heliostat_gateway.redis_state.requests import (
    OpenRequest,
    OpenRequests,
    execution_total,
    find_request,
    open_arguments,
    open_rows,
    settle_arguments,
)
from heliostat_gateway.redis_state.scripts import Commands, Reply, Scripts
from heliostat_gateway.redis_state.spool import Line, LineKind, Spool
from heliostat_gateway.storage import StorageError
from heliostat_gateway.tasks import end_task

_TRIES: Final = 5
_WHAT: Final = ("cost", "tokens", "turns")
_TOTALS: Final = 5  # index in an answer of open.lua


class SharedLedger:
    """Keeps the ledger in Redis: sums are right at once everywhere, rows follow with the writer."""

    def __init__(self, redis: Commands, spool_folder: Path) -> None:
        """Raises StorageError when the spool can't be used."""
        self.gateway = uuid4().hex
        self._redis = redis
        self._scripts = Scripts(redis)
        self._filling = Filling(redis, self._scripts)
        self._budgets = SharedBudgets(redis, self._scripts)
        self._spool = Spool(spool_folder, self.gateway)
        self._quota = OfflineQuota()
        self._requests = OpenRequests()
        self._health = RedisHealth()
        self._recovery = Recovery(
            self.gateway,
            self._scripts,
            self._filling,
            self._spool,
            self._quota,
            self._requests,
            self._health,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks for Redis once, then every second. Raises StorageError."""
        await self._recovery.heartbeat()
        self._beating = asyncio.create_task(self._recovery.keep_beating())

    async def open(self, opening: Opening) -> Reserved:
        """Reserves on every sum and writes ahead."""
        try:
            return await self._open_shared(opening, await self._counted(opening))
        except asyncio.CancelledError:
            # What was asked of Redis happens all the same, before this; nobody will settle it.
            self._requests.remove(opening.id)
            self._quota.settle(opening.id, 0, 0, 0)
            self._begin(self._drop(opening.id))
            raise

    async def note(self, bookings: list[Booking]) -> None:
        """Writes what open requests have used so far."""
        shared: list[Argument] = []
        for request, parts in self._requests.of(bookings):
            if request.epoch:
                shared += _note_arguments(request.head.id, parts)
            else:
                line = Line(LineKind.NOTE, request.head.id, bookings=tuple(parts))
                await self._spool.append(line)
        if shared and self._health.is_up:
            try:
                await self._scripts.run("note", *shared)
            except RedisAwayError as error:
                self._health.lose(error)

    async def settle(self, bookings: list[Booking], now_ms: int) -> None:
        """Closes requests with all of their parts, once."""
        for request, parts in self._requests.ending(bookings):
            async with request.lock:
                await self._settle(request, parts, now_ms)
            self._requests.remove(request.head.id)

    async def execution(self, uid: str) -> ExecutionTotal:
        """The sums of an execution. Raises StorageError while Redis, which has them, is away."""
        if not uid:
            return ExecutionTotal()
        reply = await self._filling.read("run", uid)
        total = execution_total(reply.list(1), reply.list(2))
        return replace(total, settled=False) if reply.number(3) else total

    async def request(self, request: str) -> list[LedgerRow]:
        """The parts of a request. Raises StorageError while Redis or the writer is away."""
        if (own := self._requests.get(request)) is not None:
            return open_rows(own.head, own.bookings)
        return await find_request(self._redis, self._filling, request)

    async def agent(self, name: str) -> tuple[int, int]:
        """Cost and settled requests of an agent. Raises StorageError while Redis is away."""
        reply = await self._filling.read("agent", name)
        return reply.number(1), reply.number(2)

    async def put_budget(self, budget: Budget) -> None:
        """Defines a budget."""
        await self._budgets.put(budget)

    async def drop_budget(self, name: str) -> bool:
        """Takes a definition away; False when there was none."""
        return await self._budgets.drop(name)

    async def budgets(self, now_ms: int) -> list[BudgetTotal]:
        """All budgets by name, with their sums."""
        return await self._budgets.totals(self._filling, now_ms)

    async def budget(self, name: str, now_ms: int) -> BudgetTotal | None:
        """One budget with its sums; None for one that is not defined."""
        return await self._budgets.total(name, self._filling, now_ms)

    def state(self) -> LedgerState:
        """How the ledger is."""
        health = self._health
        mode = LedgerMode.SHARED if health.is_up else LedgerMode.LOCAL
        return LedgerState(
            mode, self._spool.waiting, health.gateways, health.outages, health.reason
        )

    async def close(self) -> None:
        """Ends the heartbeat and what is under way, and gives the lease up."""
        if self._beating is not None:
            await end_task(self._beating)
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._recovery.leave()
        await self._spool.close()
        await self._scripts.close()

    async def _counted(self, opening: Opening, *, again: bool = False) -> tuple[Counted, ...]:
        """Raises UnknownBudgetError; SharedLedgerAwayError when the budgets are unknown."""
        try:
            budgets = await self._budgets.named(opening.caller.budgets, again=again)
        except RedisAwayError as error:
            self._health.lose(error)
            raise SharedLedgerAwayError(
                "The key's budgets can't be read while the shared ledger is away."
            ) from error
        return counted_of(opening, budgets)

    async def _open_shared(self, opening: Opening, counted: tuple[Counted, ...]) -> Reserved:
        for _ in range(_TRIES):
            if not self._health.is_up:
                break
            try:
                head = _head(opening, counted)
                reply = await self._scripts.run(
                    "open", *self._open_arguments(opening, head, counted)
                )
                match reply.word:
                    case "ok":
                        self._requests.add(OpenRequest(opening, head, counted, reply.text(1)))
                        return self._opened(counted, reply)
                    case "cap":
                        raise _refusal(counted, reply)
                    case "stale":
                        counted = await self._counted(opening, again=True)
                    case "missing":
                        await self._filling.ask(_missing(reply, opening))
                    case _:
                        self._health.lose(RedisAwayError(UNFILLED))
            except WriterAwayError:
                break
            except RedisAwayError as error:
                self._health.lose(error)
                return await self._open_alone(opening, counted, unsure=True)
        return await self._open_alone(opening, counted, unsure=False)

    def _open_arguments(
        self, opening: Opening, head: Head, counted: Sequence[Counted]
    ) -> list[Argument]:
        return open_arguments(
            opening,
            head,
            counted,
            gateway=self.gateway,
            budgets=self._budgets.version if opening.caller.budgets else "",
        )

    def _opened(self, counted: Sequence[Counted], reply: Reply) -> Reserved:
        nanos, tokens, allowed = (reply.number(index) for index in range(2, _TOTALS))
        if len(reply) > _TOTALS:
            for at, one in enumerate(counted):
                first = _TOTALS + 3 * at
                before = [reply.number(index) for index in range(first, first + 3)]
                used = Used(before[0] + nanos, before[1] + tokens, before[2] + 1)
                self._quota.saw(one.key, used)
        return Reserved(nanos, tokens, allowed if allowed >= 0 else None)

    async def _open_alone(
        self, opening: Opening, counted: tuple[Counted, ...], *, unsure: bool
    ) -> Reserved:
        """On this gateway's share. `unsure`: Redis may have made the reservation, too."""
        try:
            if opening.caller.caps.strict:
                raise SharedLedgerAwayError(
                    "A key with the policy strict needs the shared ledger, which is away."
                )
            reserved = self._quota.reserve(
                opening.id, counted, opening.estimate, self._health.gateways
            )
        except (SharedLedgerAwayError, CapReachedError):
            if unsure:
                self._begin(self._drop(opening.id))
            raise
        request = OpenRequest(opening, _head(opening, counted), counted, "")
        self._requests.add(request)
        line = Line(LineKind.OPEN, opening.id, request.head, (first_booking(opening),))
        try:
            await self._spool.append(line)
        except StorageError:
            self._requests.remove(opening.id)
            self._quota.settle(opening.id, 0, 0, 0)
            raise
        return reserved

    async def _settle(self, request: OpenRequest, parts: list[Booking], now_ms: int) -> None:
        how = "shared" if request.epoch else "local"
        used = (nanos_of(parts), tokens_of(parts), turns_of(parts))
        if self._health.is_up:
            try:
                reply = await self._scripts.run(
                    "settle", *settle_arguments(how, request.epoch, now_ms, request.head, parts)
                )
                if reply.word != "unfilled":
                    self._quota.settle(request.head.id, *used)
                    return
                self._health.lose(RedisAwayError(UNFILLED))
            except RedisAwayError as error:
                self._health.lose(error)
        line = Line(
            LineKind.SETTLE, request.head.id, request.head, tuple(parts), now_ms, request.epoch
        )
        await self._spool.append(line)
        self._quota.settle(request.head.id, *used)

    async def _drop(self, request: str) -> None:
        try:
            await self._scripts.run("drop", request)
        except RedisAwayError as error:
            self._health.lose(error)
        if not self._health.is_up:
            with contextlib.suppress(StorageError):  # then the sweep finds it
                await self._spool.append(Line(LineKind.DROP, request))

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _head(opening: Opening, counted: Sequence[Counted]) -> Head:
    return head_of(opening, tuple(one.key for one in counted))


def _refusal(counted: Sequence[Counted], reply: Reply) -> CapReachedError:
    one, what = counted[reply.number(1) - 1], reply.number(2) - 1
    cap = (one.nanos, one.tokens, one.turns)[what] or 0
    return one.refusal(_WHAT[what], cap, reply.number(3), reply.number(4))


def _missing(reply: Reply, opening: Opening) -> list[str]:
    names = [f"sum:{reply.text(index)}" for index in range(1, len(reply))]
    return [*names, f"run:{opening.caller.execution}"] if opening.caller.execution else names


def _note_arguments(request: str, parts: Sequence[Booking]) -> list[Argument]:
    bookings = list(parts)
    firm = not bookings[-1].reported
    encoded = orjson.dumps(bookings)
    return [request, nanos_of(bookings), tokens_of(bookings), int(firm), encoded]
