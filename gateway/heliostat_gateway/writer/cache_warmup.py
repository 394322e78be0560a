"""Sums go back into Redis: what a gateway asks for, and all when Redis has lost its memory."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import uuid4

import orjson
from pydantic import BaseModel, ValidationError

from heliostat_gateway.money import rows
from heliostat_gateway.money.ledger import read_budgets
from heliostat_gateway.money.reservations import account_key
from heliostat_gateway.redis_state.budgets import DEFINITIONS, VERSION
from heliostat_gateway.redis_state.connection import Argument, RedisAwayError
from heliostat_gateway.redis_state.filling import WANTED
from heliostat_gateway.redis_state.requests import LIFE_SECONDS, ROWS_SECONDS, rows_key
from heliostat_gateway.redis_state.scripts import MONEY, Scripts
from heliostat_gateway.storage import Storage
from heliostat_gateway.writer.records import (
    agent_values,
    read_place,
    recent_executions,
    run_values,
    sum_values,
)
from heliostat_gateway.writer.stream_consumer import StreamConsumer

_LOG = logging.getLogger(__name__)
EPOCH: Final = f"{MONEY}epoch"
_WAIT_SECONDS: Final = "0.2"
_ANSWER_LIFE_SECONDS: Final = 10
_VALUES: Final[dict[str, Callable[[sqlite3.Connection, str], dict[str, str | int]]]] = {
    "sum": sum_values,
    "run": run_values,
    "agent": agent_values,
}


class Question(BaseModel):
    """What a gateway misses, and the list on which it waits."""

    names: list[str]
    answer: str


class CacheWarmup:
    """Brings sums back into Redis: those that are asked for, and all after a loss."""

    def __init__(self, consumer: StreamConsumer, scripts: Scripts, storage: Storage) -> None:
        self._consumer = consumer
        self._scripts = scripts
        self._storage = storage

    async def answer_one(self) -> bool:
        """Waits a moment for a question and answers it. Raises RedisAwayError, StorageError."""
        found = await self._consumer.command("BLPOP", WANTED, _WAIT_SECONDS)
        if not isinstance(found, (list, tuple)):
            return False
        try:
            question = Question.model_validate_json(found[1])
        except ValidationError:
            _LOG.exception("a question of a gateway can't be read")
            return True
        await self.fill(question.names)
        await self._consumer.command("RPUSH", question.answer, 1)
        await self._consumer.command("EXPIRE", question.answer, _ANSWER_LIFE_SECONDS)
        return True

    async def fill(self, names: Iterable[str]) -> None:
        """Brings back `sum:...`, `run:...`, `agent:...`; one that is there stays as it is.

        `rows:ID` are shown anew each time.
        """
        for full in names:
            what, _, name = full.partition(":")
            if what == "rows":
                await self._show(name)
            values = _VALUES.get(what)
            if values is not None and name:
                await self._fill(what, name, values)

    async def _show(self, request: str) -> None:
        """Puts the rows of a request where the one who asks will look, for a while."""
        found = await self._storage.run(lambda connection: rows.read_rows(connection, request))
        if found:
            said = orjson.dumps(found)
            await self._consumer.command("SET", rows_key(request), said, "EX", ROWS_SECONDS)

    async def ensure_epoch(self) -> bool:
        """Fills an empty Redis: budgets, and the sums of executions that may go on.

        From then on gateways trust it, and ask for what is missing. False when it was full.
        """
        if await self._consumer.command("EXISTS", EPOCH):
            return False
        await self._consumer.drain()
        definitions = await self._storage.run(read_budgets)
        for budget in definitions:
            await self._consumer.command("HSET", DEFINITIONS, budget.name, orjson.dumps(budget))
        await self._consumer.command("SET", VERSION, uuid4().hex)
        since = int((time.time() - LIFE_SECONDS) * 1000)
        for uid in await self._storage.run(lambda c: recent_executions(c, since)):
            await self.fill([f"sum:{account_key(uid)}", f"run:{uid}"])
        await self._consumer.command("SET", EPOCH, uuid4().hex)
        _LOG.warning("the shared ledger was empty and has been filled from the rows")
        return True

    async def _fill(
        self,
        what: str,
        name: str,
        values: Callable[[sqlite3.Connection, str], dict[str, str | int]],
    ) -> None:
        # Rows and stream must not move against each other in between.
        async with self._consumer.lock:
            place, fields = await self._storage.run(
                lambda connection: (read_place(connection), values(connection, name))
            )
            pairs: list[Argument] = [part for pair in fields.items() for part in pair]
            reply = await self._scripts.run("fill", what, name, place, LIFE_SECONDS, *pairs)
        if reply.word != "ok":
            raise RedisAwayError("Redis did not take a sum.")
