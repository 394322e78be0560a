"""Definitions of budgets that all gateways share; a change is in force for the next call."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import orjson
from pydantic import TypeAdapter
from redis.exceptions import RedisError

from heliostat_gateway.money.bookings import UnknownBudgetError
from heliostat_gateway.money.budgets import Budget, BudgetTotal, period_of
from heliostat_gateway.money.reservations import counted_budget
from heliostat_gateway.redis_state.connection import RedisAwayError
from heliostat_gateway.redis_state.filling import UNFILLED, Filling
from heliostat_gateway.redis_state.scripts import MONEY, Commands, Scripts
from heliostat_gateway.storage import StorageError
from heliostat_gateway.tasks import SingleFlight

DEFINITIONS: Final = f"{MONEY}budgets"
VERSION: Final = f"{MONEY}budgets:version"
_BUDGETS: Final = TypeAdapter(Budget)
_DEADLINE_SECONDS: Final = 0.5


class SharedBudgets:
    """The definitions as last seen; `version` tells the open script whether they still hold."""

    def __init__(self, redis: Commands, scripts: Scripts) -> None:
        self._redis = redis
        self._scripts = scripts
        self._flights = SingleFlight()
        self._known: dict[str, Budget] | None = None
        self.version = ""

    async def named(self, names: Sequence[str], *, again: bool = False) -> list[Budget]:
        """The budgets of a key. Raises UnknownBudgetError, RedisAwayError."""
        if not names:
            return []
        if again or self._known is None or any(name not in self._known for name in names):
            await self._flights.join("", self._load)
        known = self._known or {}
        for name in names:
            if name not in known:
                raise UnknownBudgetError(name)
        return [known[name] for name in names]

    async def put(self, budget: Budget) -> None:
        """Defines a budget. Raises StorageError."""
        await self._change(budget.name, orjson.dumps(budget))

    async def drop(self, name: str) -> bool:
        """Takes a definition away; False when there was none. Raises StorageError."""
        return await self._change(name, b"")

    async def totals(self, filling: Filling, now_ms: int) -> list[BudgetTotal]:
        """All budgets by name, with their present use. Raises StorageError."""
        try:
            await self._flights.join("", self._load)
        except RedisAwayError as error:
            raise StorageError(f"The shared ledger can't be read: {error}") from error
        known = sorted((self._known or {}).items())
        return [await _total(budget, filling, now_ms) for _, budget in known]

    async def total(self, name: str, filling: Filling, now_ms: int) -> BudgetTotal | None:
        """One of them; None for one that is not defined. Raises StorageError."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                found = await self._redis.execute_command("HGET", DEFINITIONS, name)
        except (RedisError, OSError, TimeoutError) as error:
            raise StorageError(f"The shared ledger can't be read: {error}") from error
        if not isinstance(found, bytes):
            return None
        return await _total(_BUDGETS.validate_json(found), filling, now_ms)

    async def _change(self, name: str, definition: bytes) -> bool:
        try:
            reply = await self._scripts.run("budget", name, definition, uuid4().hex)
        except RedisAwayError as error:
            raise StorageError(f"The budget can't be changed: {error}") from error
        if reply.word != "ok":
            raise StorageError(f"The budget can't be changed: {UNFILLED}")
        return reply.number(1) == 1

    async def _load(self) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                # The version first: definitions that are newer than it are only loaded once more.
                version = await self._redis.execute_command("GET", VERSION)
                found = await self._redis.execute_command("HGETALL", DEFINITIONS)
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisAwayError(f"Redis: {error or type(error).__name__}") from error
        if not isinstance(found, dict):
            raise RedisAwayError("Redis gave an answer of an unknown shape.")
        budgets = [_BUDGETS.validate_json(text) for text in found.values()]
        self._known = {budget.name: budget for budget in budgets}
        self.version = version.decode() if isinstance(version, bytes) else ""


async def _total(budget: Budget, filling: Filling, now_ms: int) -> BudgetTotal:
    reply = await filling.read("sum", counted_budget(budget, now_ms).key)
    return BudgetTotal(budget, period_of(budget, now_ms), reply.number(1), reply.number(2))
