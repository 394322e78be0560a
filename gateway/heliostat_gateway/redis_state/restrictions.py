"""Restrictions of agents in Redis: the writer says all of them, every gateway hears them."""

import logging
from collections.abc import Sequence

import orjson
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from heliostat_gateway.limits.restrictions import AT_WRITER, Restriction, Verdict, judge
from heliostat_gateway.redis_state.connection import PREFIX
from heliostat_gateway.redis_state.listening import AWAY, Listener

_LOG = logging.getLogger(__name__)
_KEY = f"{PREFIX}restrictions"  # the list, and the channel of its changes
_RESTRICTIONS = TypeAdapter(list[Restriction])


class SharedRestrictions:
    """Restrictions that the writer publishes. While Redis is away, what was known last holds."""

    resumes = AT_WRITER

    def __init__(self, redis: Redis, slow_seconds: float) -> None:
        self._redis = redis
        self._slow_seconds = slow_seconds
        self._listener = Listener(redis, _KEY, self._read, self._hear)
        self._restrictions: dict[str, Restriction] = {}

    async def start(self) -> None:
        """Reads the restrictions and begins to follow changes."""
        await self._listener.start()

    async def close(self) -> None:
        """Stops following."""
        await self._listener.close()

    def check(self, agent: str) -> Verdict:
        """What the agent may do now, from memory."""
        return judge(self._restrictions.get(agent), self._slow_seconds, self.resumes)

    def restriction(self, agent: str) -> Restriction | None:
        """Why an agent is held, or None."""
        return self._restrictions.get(agent)

    async def _read(self) -> None:
        said = await self._redis.get(_KEY)
        if said is not None:
            self._hear(said)

    def _hear(self, said: bytes | str) -> None:
        try:
            found = _RESTRICTIONS.validate_json(said)
        except ValidationError:
            _LOG.exception("what Redis says of restricted agents can't be read")
            return
        self._restrictions = {each.agent: each for each in found}


class RedisRestrictionPublisher:
    """Publishes restrictions to all gateways of one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(self, restrictions: Sequence[Restriction]) -> None:
        """Puts the whole list into Redis and says it to all who listen."""
        said = orjson.dumps(list(restrictions))
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(_KEY, said)
                pipe.publish(_KEY, said)
                await pipe.execute()
        except AWAY as error:
            _LOG.warning("gateways could not be told of restricted agents: %s", error)
