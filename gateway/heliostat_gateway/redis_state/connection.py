"""The one way to Redis."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

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
