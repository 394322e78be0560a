"""Buckets that replicas share: in Redis, one round trip for each request.

While Redis is away each replica counts for itself, so that nobody is turned away and nobody asks
without end.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from heliostat_api.base.cancellation import keep_cancellation
from heliostat_api.web.limits import Buckets, LocalBuckets

_PREFIX: Final = "heliostat:bucket:"
_CONNECTIONS: Final = 16
PATIENCE_SECONDS: Final = 0.25
PAUSE_SECONDS: Final = 1.0
"""A Redis that did not answer is left alone for so long: no request waits for it meanwhile."""
_MICROS: Final = 1_000_000
_LOG = logging.getLogger(__name__)

# See `admit`, with the clock of Redis. KEYS: the bucket. ARGV: microseconds between two requests,
# and of a whole bucket. Answers the microseconds to wait; a bucket that is full again is forgotten.
_TAKE: Final = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
local after = math.max(full_at, now) + tonumber(ARGV[1])
local wait = after - now - tonumber(ARGV[2])
if wait > 1 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return 0
"""


class RedisBuckets:
    """See Buckets. `alone` counts while Redis is away."""

    def __init__(
        self,
        url: str,
        alone: Buckets | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Raises ValueError for a malformed address."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=patience,
            socket_connect_timeout=patience,
            socket_timeout=patience,
        )
        self._redis = Redis.from_pool(pool)
        self._take = self._redis.register_script(_TAKE)
        self._alone = LocalBuckets(time.monotonic) if alone is None else alone
        self._clock = clock
        self._away_until = float("-inf")

    async def take(self, key: str, a_minute: int) -> float:
        """See Buckets."""
        if self._clock() < self._away_until:
            return await self._alone.take(key, a_minute)
        try:
            whole = 60 * _MICROS
            with keep_cancellation():
                wait = await self._take([f"{_PREFIX}{key}"], [whole // a_minute, whole])
        except (RedisError, OSError) as error:
            _LOG.warning("each replica limits requests by itself: %s", error)
            self._away_until = self._clock() + PAUSE_SECONDS
            return await self._alone.take(key, a_minute)
        return int(wait) / _MICROS

    async def close(self) -> None:
        """Gives the connections back."""
        await self._redis.aclose()
