"""Local memory of what is in Redis: read whole after each connection, then told of each change."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from heliostat_gateway.tasks import end_task

_LOG = logging.getLogger(__name__)
# A dead connection is found, and a living one in its place, within a second.
_PING_SECONDS = 0.25
_PINGS = 3
_AGAIN_SECONDS = 0.1

AWAY = (RedisError, OSError, TimeoutError)  # every way in which Redis may be missing


class Listener:
    """Follows one channel for as long as the process lives, over every loss of the connection.

    After each subscription `read` brings the memory up to date, so that nothing said in between
    is missed. `hear` gets each message; it must not wait for long. `lost` is called once for each
    time that Redis goes away.
    """

    def __init__(
        self,
        redis: Redis,
        channel: str,
        read: Callable[[], Awaitable[None]],
        hear: Callable[[bytes], None],
        lost: Callable[[], None] = lambda: None,
        pings: int = _PINGS,
    ) -> None:
        """`pings` is how many are left without an answer before Redis is away."""
        self.is_connected = False
        self._redis = redis
        self._channel = channel
        self._read = read
        self._hear = hear
        self._lost = lost
        self._pings = pings
        self._task: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._was_told = False

    async def start(self) -> None:
        """Begins to listen; returns when the memory was read, or Redis was found to be away."""
        if self._task is not None:
            return
        tried = asyncio.Event()
        self._task = asyncio.create_task(self._keep_listening(tried))
        await tried.wait()

    async def close(self) -> None:
        """Stops listening."""
        if self._task is not None:
            following = [] if self._following is None else [self._following]
            await end_task(self._task, *following)
            self._task = None

    def doubt(self) -> None:
        """A command failed: the connection is not trusted until it was made anew."""
        self._leave()
        if self._following is not None:
            self._following.cancel()

    def _leave(self) -> None:
        self.is_connected = False
        if not self._was_told:
            self._was_told = True
            self._lost()

    async def _keep_listening(self, tried: asyncio.Event) -> None:
        while True:
            self._following = asyncio.create_task(self._follow(tried))
            try:
                await asyncio.wait([self._following])
            finally:
                await end_task(self._following)
            if not self._following.cancelled() and (error := self._following.exception()):
                if not isinstance(error, AWAY):
                    _LOG.error("following %s failed", self._channel, exc_info=error)
                elif not self._was_told:
                    _LOG.warning("Redis is away (%s): %s", self._channel, error)
            self._leave()
            tried.set()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _follow(self, tried: asyncio.Event) -> None:
        """Reads messages until the connection is lost. Raises one of AWAY."""
        pubsub = self._redis.pubsub()
        try:
            await pubsub.subscribe(self._channel)
            await self._next_message(pubsub)  # the subscription itself
            await self._read()
            if self._was_told:
                _LOG.warning("Redis is back (%s)", self._channel)
            self._was_told = False
            self.is_connected = True
            tried.set()
            await self._hear_all(pubsub)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _hear_all(self, pubsub: PubSub) -> None:
        """Reads until the connection is doubted: the client may have swallowed the cancellation."""
        while self.is_connected:
            message = await self._next_message(pubsub)
            if message is not None:
                self._hear(message)

    async def _next_message(self, pubsub: PubSub) -> bytes | None:
        """The next message; None for an answer to a ping. Raises TimeoutError when all is silent.

        Counted in pings, not by the clock: a busy process that reads late has lost nothing.
        """
        for _ in range(self._pings):
            found = await pubsub.get_message(timeout=_PING_SECONDS)
            if found is not None:
                data = found["data"]
                return data if found["type"] == "message" and isinstance(data, bytes) else None
            await pubsub.ping()
        raise TimeoutError("the connection is silent")
