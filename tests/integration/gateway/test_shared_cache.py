"""The exact cache of several replicas on one real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from heliostat_gateway.caching.answers import AnswerCache, CachedAnswer, Leader
from heliostat_gateway.redis_state.cache import SharedAnswers
from heliostat_gateway.redis_state.connection import open_redis
from support.redis_server import RedisServer
from support.waiting import until

KEY = "0" * 64
ANSWER = CachedAnswer((("content-type", "text/event-stream"),), (b"\xff1\n\n", b"2\n\n"), 5.5)
Found = CachedAnswer | Leader | None


@asynccontextmanager
async def replicas(server: RedisServer) -> AsyncIterator[tuple[Redis, list[AnswerCache]]]:
    redis = open_redis(server.url)
    yield (
        redis,
        [AnswerCache(SharedAnswers(redis, 1000, 0.6), look_seconds=0.02) for _ in range(3)],
    )
    await redis.aclose()


async def crowd(caches: list[AnswerCache]) -> tuple[Leader, list[asyncio.Task[Found]]]:
    """Many on every replica; one of them leads."""
    tasks = [asyncio.create_task(each.lookup(KEY)) for each in caches for _ in range(10)]
    await until(lambda: any(task.done() for task in tasks))
    (done,) = [task for task in tasks if task.done()]
    leader = done.result()
    assert isinstance(leader, Leader)
    return leader, [task for task in tasks if task is not done]


async def test_one_call_for_all_replicas(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as (redis, caches):
        leader, waiting = await crowd(caches)
        async with leader:
            begin = time.monotonic()
            await renewed(redis, 5)
            assert time.monotonic() - begin > 0.6  # the lock alone would be gone
            assert not any(task.done() for task in waiting)
            await leader.store(ANSWER, 60)
        assert await asyncio.gather(*waiting) == [ANSWER] * 29
        assert [await each.lookup(KEY) for each in caches] == [ANSWER] * 3
        assert sum(each.counts.led for each in caches) == 1
        assert 0 < await redis.pttl(f"heliostat:cache:{{{KEY}}}:answer") <= 60_000


async def test_what_can_not_be_kept_holds_nobody_up(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as (redis, caches):
        leader, waiting = await crowd(caches)
        await leader.refuse()
        assert await asyncio.gather(*waiting) == [None] * 29
        await until_free(redis)
        again, waiting = await crowd(caches)
        await again.store(CachedAnswer((), (b"x" * 2000,), 1.0), 60)  # too large for Redis
        found = await asyncio.gather(*waiting)
        assert not any(isinstance(each, Leader) for each in found)
        assert await redis.keys("*answer") == []


async def renewed(redis: Redis, times: int) -> None:
    async with asyncio.timeout(10):
        while True:
            counted = (await redis.info("commandstats")).get("cmdstat_pexpire", {"calls": 0})
            if counted["calls"] >= times:
                return
            await asyncio.sleep(0.02)


async def until_free(redis: Redis) -> None:
    async with asyncio.timeout(10):
        while await redis.exists(f"heliostat:cache:{{{KEY}}}:lock"):
            await asyncio.sleep(0.02)


async def test_a_leader_that_leaves_is_followed_by_one(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as (_, caches):
        leader, waiting = await crowd(caches)
        await leader.leave()
        await until(lambda: any(task.done() for task in waiting))
        (done,) = [task for task in waiting if task.done()]
        following = done.result()
        assert isinstance(following, Leader)
        await following.store(ANSWER, 60)
        waiting.remove(done)
        assert await asyncio.gather(*waiting) == [ANSWER] * 28


async def test_the_lock_of_a_dead_replica_is_free_after_a_moment(
    redis_server: RedisServer,
) -> None:
    async with replicas(redis_server) as (redis, caches):
        await redis.set(f"heliostat:cache:{{{KEY}}}:lock", "of the dead", px=600)
        begin = time.monotonic()
        leader = await caches[0].lookup(KEY)
        assert isinstance(leader, Leader)
        assert 0.3 < time.monotonic() - begin < 5
        await leader.leave()
        assert not await redis.exists(f"heliostat:cache:{{{KEY}}}:lock")


async def test_without_redis_everybody_asks_at_once_and_it_heals(
    redis_server: RedisServer,
) -> None:
    async with replicas(redis_server) as (_, caches):
        leader = await caches[0].lookup(KEY)
        assert isinstance(leader, Leader)
        redis_server.kill()
        begin = time.monotonic()
        assert await caches[1].lookup(KEY) is None
        assert await caches[1].lookup(KEY) is None
        waiting = asyncio.create_task(caches[0].lookup(KEY))
        await asyncio.sleep(0)
        await leader.store(ANSWER, 60)  # given to those who wait, kept nowhere
        assert await waiting == ANSWER
        assert time.monotonic() - begin < 3
        redis_server.start()

        async def leads() -> Leader:
            async with asyncio.timeout(10):
                while not isinstance(found := await caches[1].lookup(KEY), Leader):
                    await asyncio.sleep(0.05)
                return found

        await (await leads()).store(ANSWER, 60)
        assert await caches[2].lookup(KEY) == ANSWER
