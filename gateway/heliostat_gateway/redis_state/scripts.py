"""Decisions that Redis makes in one step: the Lua scripts of this folder, by name.

No Redis cluster: the scripts compute names of keys. Redis must not evict (`noeviction`).
"""

import hashlib
from collections.abc import Awaitable, Sequence
from importlib.resources import files
from typing import Final, Protocol

from redis.exceptions import NoScriptError, ResponseError

from heliostat_gateway.redis_state.connection import (
    PREFIX,
    Argument,
    PipelinedConnection,
    Pool,
    RedisAwayError,
)

MONEY: Final = f"{PREFIX}money:"
SCRIPTS: Final = (
    "open",
    "note",
    "settle",
    "drop",
    "beat",
    "read",
    "fill",
    "budget",
    "forget",
    "mine",
)


class Commands(Protocol):
    """The part of a Redis client that is needed here."""

    @property
    def connection_pool(self) -> Pool:
        """Where it has its connections from."""
        ...

    def execute_command(self, *args: Argument) -> Awaitable[object]:
        """The answer of any command."""
        ...


class Reply:
    """A script's answer: a list of texts, numbers and lists."""

    def __init__(self, values: Sequence[object]) -> None:
        self._values = values
        self.word = self.text(0)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, index: int) -> str:
        """The text at an index. Raises RedisAwayError for something else."""
        value = self._values[index]
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, int):
            return str(value)
        raise RedisAwayError("Redis gave an answer of an unknown shape.")

    def number(self, index: int) -> int:
        """The number at an index."""
        value = self._values[index]
        return int(value if isinstance(value, (bytes, int)) else self.text(index))

    def list(self, index: int) -> list[str]:
        """The texts of the list at an index."""
        value = self._values[index]
        if not isinstance(value, list):
            raise RedisAwayError("Redis gave an answer of an unknown shape.")
        inner = Reply([b"", *value])
        return [inner.text(at) for at in range(1, len(inner))]


class Scripts:
    """Runs scripts with a deadline, one round trip each, in the order of the calls."""

    def __init__(self, redis: Commands) -> None:
        common = read_source("common")
        self._connection = PipelinedConnection(redis.connection_pool)
        self._sources = {name: f"{common}\n{read_source(name)}" for name in SCRIPTS}
        self._digests = {
            name: hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
            for name, source in self._sources.items()
        }

    async def run(self, name: str, *arguments: Argument) -> Reply:
        """The answer of a script. Raises RedisAwayError; the script may have run all the same."""
        try:
            try:
                found = await self._connection.call("EVALSHA", self._digests[name], 0, *arguments)
            except NoScriptError:
                found = await self._connection.call("EVAL", self._sources[name], 0, *arguments)
        except ResponseError as error:
            raise RedisAwayError(f"Redis: {error}") from error
        if not isinstance(found, list):
            raise RedisAwayError("Redis gave an answer of an unknown shape.")
        return Reply(found)

    async def close(self) -> None:
        """Gives the connection back."""
        await self._connection.close()


def read_source(name: str) -> str:
    """The text of a script of this folder."""
    return (files(__package__) / "scripts" / f"{name}.lua").read_text()
