"""Following a channel of a real Redis with a client that swallows a cancellation.

redis-py does so now and then, when it is cancelled in the middle of a reconnect.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.listening import Listener
from support.redis_server import RedisServer

CHANNEL = "heliostat:news"


class Stubborn(PubSub):
    """Goes on after the first cancellation."""

    swallowed = 0

    async def get_message(self, *arguments: Any, **how: Any) -> Any:
        try:
            return await super().get_message(*arguments, **how)
        except asyncio.CancelledError:
            if type(self).swallowed:
                raise
            type(self).swallowed += 1
            return None


@pytest.fixture
async def redis(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    client = open_redis(redis_server.url)
    monkeypatch.setattr(Stubborn, "swallowed", 0)
    monkeypatch.setattr(client, "pubsub", lambda: Stubborn(client.connection_pool))
    yield client
    await client.aclose()


class Memory:
    def __init__(self, redis: Redis) -> None:
        self.readings = 0
        self.listener = Listener(redis, CHANNEL, self.read, lambda _: None)

    async def read(self) -> None:
        self.readings += 1


async def test_it_stops_all_the_same(redis: Redis) -> None:
    memory = Memory(redis)
    await memory.listener.start()
    async with asyncio.timeout(10) as limit:
        await memory.listener.close()
    assert not limit.expired()
    assert Stubborn.swallowed == 1


async def test_a_doubt_leads_to_a_new_connection_all_the_same(redis: Redis) -> None:
    memory = Memory(redis)
    await memory.listener.start()
    memory.listener.doubt()
    async with asyncio.timeout(10):
        while not memory.listener.is_connected:
            await asyncio.sleep(0.01)
        await memory.listener.close()
    assert memory.readings == 2
