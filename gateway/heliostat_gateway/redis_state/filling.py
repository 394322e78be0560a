"""Sums that are not in Redis: the writer has the rows, and brings them back when it is asked.

Without this a sum whose time ran out, or a key's first call, would silently start at zero.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import orjson
from redis.exceptions import RedisError

from heliostat_gateway.redis_state.connection import RedisAwayError
from heliostat_gateway.redis_state.scripts import MONEY, Commands, Reply, Scripts
from heliostat_gateway.storage import StorageError
from heliostat_gateway.tasks import SingleFlight

WANTED: Final = f"{MONEY}wanted"  # list of questions to the writer
_ANSWER_SECONDS: Final = 0.4  # below the client's own deadline
UNFILLED: Final = "The writer has not filled the shared ledger yet."


class WriterAwayError(RedisAwayError):
    """Redis is there, but a sum is missing and the writer does not bring it back."""


class Filling:
    """Reads sums, and asks the writer for those that are missing."""

    def __init__(self, redis: Commands, scripts: Scripts) -> None:
        self._redis = redis
        self._scripts = scripts
        self._flights = SingleFlight()

    async def ask(self, names: Sequence[str]) -> None:
        """Waits until the writer has brought back `sum:...`, `run:...` or `agent:...`.

        Whoever misses the same waits for the same answer: a key's first calls may be hundreds.
        Raises WriterAwayError when it does not answer in time, RedisAwayError.
        """
        await self._flights.join("\n".join(names), lambda: self._ask(names))

    async def _ask(self, names: Sequence[str]) -> None:
        answer = f"{MONEY}answer:{uuid4().hex}"
        question = orjson.dumps({"names": list(names), "answer": answer})
        try:
            async with asyncio.timeout(2 * _ANSWER_SECONDS):
                await self._redis.execute_command("RPUSH", WANTED, question)
                found = await self._redis.execute_command("BLPOP", answer, str(_ANSWER_SECONDS))
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisAwayError(f"Redis: {error or type(error).__name__}") from error
        if found is None:
            raise WriterAwayError(f"The ledger's writer does not answer; unknown: {names[0]}.")

    async def read(self, what: str, name: str) -> Reply:
        """The sum of a run, an agent or a counted key. Raises StorageError when it is unknown."""
        try:
            reply = await self._scripts.run("read", what, name)
            if reply.word == "missing":
                await self.ask([f"{what}:{name}"])
                reply = await self._scripts.run("read", what, name)
        except RedisAwayError as error:
            raise StorageError(f"The shared ledger can't be read: {error}") from error
        if reply.word != "ok":
            raise StorageError(f"The shared ledger can't be read: {UNFILLED}")
        return reply
