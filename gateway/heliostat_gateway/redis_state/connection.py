"""Connections to Redis: how one is opened, one that many commands share, and whether it is up."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Final, Protocol, TypeAlias

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

PREFIX = "heliostat:"  # of every key, so that a Redis may serve others too
_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 1.0


def open_redis(url: str) -> Redis:
    """A client with short deadlines and no silent repeats: the callers know what to do without it.

    Raises ValueError for a malformed address. Connections open with the first command.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        max_connections=64,
    )


def text_of(value: bytes | str) -> str:
    """What Redis answered, as text; the client leaves it as bytes unless it is told otherwise."""
    return value.decode() if isinstance(value, bytes) else value


Argument: TypeAlias = str | int | bytes
DEADLINE_SECONDS: Final = 0.5
_STEPS: Final = 5
# In C, where redis-py packs in Python. Imported so because its stub knows only tuples of one.
_pack: Callable[[tuple[Argument, ...]], bytes] = import_module("hiredis").pack_command


class RedisAwayError(Exception):
    """Redis did not answer in time, or not with sense."""


class Pool(Protocol):
    """The part of a connection pool of redis-py that is needed here."""

    def get_connection(self) -> Awaitable[AbstractConnection]:
        """A connection that is open."""
        ...

    def release(self, connection: AbstractConnection) -> Awaitable[None]:
        """Gives it back."""
        ...


class _Deadline:
    """Ends what is inside of `limit` after DEADLINE_SECONDS, counted in steps.

    A process that was held up itself sees all of its timers due at once, before it sees answers
    that are there already: it must not blame Redis.
    """

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._steps = 0
        self._timer = self._loop.call_later(DEADLINE_SECONDS / _STEPS, self._step)

    def cancel(self) -> None:
        """It was in time."""
        self._timer.cancel()

    def _step(self) -> None:
        self._steps += 1
        if self._steps == _STEPS:
            self._limit.reschedule(self._loop.time())
        else:
            self._timer = self._loop.call_later(DEADLINE_SECONDS / _STEPS, self._step)


class PipelinedConnection:
    """Sends commands of many requests over one connection, in their order.

    A command that is called while others are under way waits for them, with all that come
    meanwhile; then they share one write. Once called, a command runs, whatever becomes of the
    caller: what is called after it runs after it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: AbstractConnection | None = None
        self._queue: list[tuple[bytes, asyncio.Future[object]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def call(self, *command: Argument) -> object:
        """The answer. Raises ResponseError for an error of this command, else RedisAwayError."""
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._queue.append((_pack(command), done))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        return await done

    async def close(self) -> None:
        """Waits for what is under way and gives the connection back."""
        while self._sending is not None and not self._sending.done():
            await asyncio.wait([self._sending])
        if self._connection is not None:
            await self._pool.release(self._connection)
            self._connection = None

    async def _send(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            try:
                async with asyncio.timeout(None) as limit:
                    deadline = _Deadline(limit)
                    try:
                        await self._exchange(batch)
                    finally:
                        deadline.cancel()
            except (RedisError, OSError, TimeoutError) as error:
                await self._fail([*batch, *self._queue], error)

    async def _exchange(self, batch: Sequence[tuple[bytes, asyncio.Future[object]]]) -> None:
        if self._connection is None:
            self._connection = await self._pool.get_connection()
            # The deadline here is enough: the client's own takes a task and a timer each time.
            self._connection.socket_timeout = None
        connection = self._connection
        packed = b"".join(command for command, _ in batch)
        await connection.send_packed_command(packed, check_health=False)
        for _, done in batch:
            try:
                answer = await connection.read_response(timeout=math.inf)
            except ResponseError as error:
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(answer)

    async def _fail(
        self, calls: Sequence[tuple[bytes, asyncio.Future[object]]], error: Exception
    ) -> None:
        """Nothing that comes later may read answers that are still on their way."""
        self._queue = []
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)
        for _, done in calls:
            if not done.done():
                done.set_exception(RedisAwayError(f"Redis: {error or type(error).__name__}"))


_LOG = logging.getLogger(__name__)


class RedisHealth:
    """Knows whether Redis is up. While it is down, only the heartbeat asks, once a second."""

    def __init__(self) -> None:
        self.reason = "The shared ledger was not asked yet."  # empty while it is up
        self.epoch = ""  # of the shared ledger; a new one means that Redis has lost its memory
        self.gateways = 1  # live ones, last known
        self.outages = 0

    @property
    def is_up(self) -> bool:
        """Whether to ask Redis."""
        return not self.reason

    def lose(self, error: RedisAwayError) -> None:
        """From now on this gateway is on its own."""
        if self.is_up:
            self.outages += 1
            _LOG.warning("the shared ledger is away, this gateway goes on alone: %s", error)
        self.reason = str(error)

    def find(self, epoch: str) -> None:
        """Everything is in the shared ledger again."""
        if not self.is_up:
            _LOG.info("the shared ledger is there")
        self.reason, self.epoch = "", epoch
