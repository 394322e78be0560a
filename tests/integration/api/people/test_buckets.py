"""Limits of requests across replicas, counted in a real Redis, and what happens without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from heliostat_api.app.settings import ApiSettings
from heliostat_api.web.limits import Buckets, LocalBuckets
from heliostat_api.web.redis_buckets import PAUSE_SECONDS, RedisBuckets
from support.redis_server import RedisServer
from support.shared_api import api_app

MINUTE = 60.0


@asynccontextmanager
async def replicas(redis: RedisServer, count: int) -> AsyncIterator[list[RedisBuckets]]:
    each = [RedisBuckets(redis.url, patience=10) for _ in range(count)]
    try:
        yield each
    finally:
        for one in each:
            await one.close()


async def admitted(takers: list[Buckets], key: str, a_minute: int, asks: int) -> int:
    """How many of so many requests come in, asked in parallel of all in turn."""
    waits = await asyncio.gather(
        *(takers[number % len(takers)].take(key, a_minute) for number in range(asks))
    )
    assert all(0 <= wait <= MINUTE for wait in waits)
    return waits.count(0)


async def test_replicas_admit_together_what_one_would(redis_server: RedisServer) -> None:
    async with replicas(redis_server, 3) as three:
        # A few more come in where this machine is slow; each alone would admit all.
        assert 20 <= await admitted([*three], "person:ann", 20, 60) < 30
        assert await admitted([*three], "person:bob", 20, 10) == 10


async def test_a_full_bucket_is_forgotten_and_waits_are_told(redis_server: RedisServer) -> None:
    async with replicas(redis_server, 1) as (one,):
        assert await one.take("a", 6) == 0
        redis = Redis.from_url(redis_server.url)
        (key,) = await redis.keys("heliostat:bucket:*")
        assert 0 < await redis.pttl(key) <= 10_000
        await redis.aclose()
        assert await one.take("b", 1) == 0
        assert 59 < await one.take("b", 1) <= 60


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(a_minute=st.integers(1, 40), asks=st.integers(1, 60))
def test_it_decides_as_the_local_one(redis_server: RedisServer, a_minute: int, asks: int) -> None:
    async def play() -> None:
        redis_server.forget_all()
        async with replicas(redis_server, 1) as (one,):
            shared = await admitted([one], "a", a_minute, asks)
        alone = await admitted([LocalBuckets(lambda: 1000.0)], "a", a_minute, asks)
        assert alone <= shared <= alone + 5, "time passes in Redis"

    asyncio.run(play())


async def test_while_redis_is_away_each_counts_alone_and_nobody_waits(
    redis_server: RedisServer,
) -> None:
    now = 100.0
    alone = LocalBuckets(lambda: now)
    shared = RedisBuckets(redis_server.url, alone, lambda: now)
    assert await shared.take("a", 2) == 0
    redis_server.kill()
    async with asyncio.timeout(5):
        assert [await shared.take("a", 2) == 0 for _ in range(4)] == [True, True, False, False]
    redis_server.start()
    assert await shared.take("a", 2) > 0, "still left alone"
    now += PAUSE_SECONDS
    assert await shared.take("b", 2) == 0
    assert len(alone) == 1, "asked Redis again"
    await shared.close()


async def test_a_guest_is_limited_over_both_replicas(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    limits = ApiSettings().model_copy(update={"limit_guest": 4})
    async with (
        replicas(redis_server, 2) as (first, second),
        api_app(tmp_path, limits, buckets=first) as one,
        api_app(tmp_path, limits, buckets=second) as two,
        one.browser("guest-ann") as here,
        two.browser("guest-ann") as there,
    ):
        asked = [await each.get("/api/me") for _ in range(4) for each in (here, there)]
    answers = [each.status_code for each in asked]
    assert answers[:4] == [200] * 4
    assert answers[5:] == [429] * 3
