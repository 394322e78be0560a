"""Breakers of several replicas on one real Redis."""

import asyncio
import json
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from heliostat_gateway.breakers import (
    CLOSED,
    Admission,
    BreakerPolicy,
    BreakerState,
    Closed,
    Limited,
    LocalBreakers,
    Open,
    Probe,
    Result,
)
from heliostat_gateway.redis_state.breakers import SharedBreakers
from heliostat_gateway.redis_state.connection import PREFIX, open_redis
from support.redis_server import RedisServer
from support.waiting import until

KEY = "anthropic/opus/main"
Answer = TypeVar("Answer")
POLICY = BreakerPolicy(minimum=4, first_wait=0.3, longest_wait=2, probe=5, ask_again=0.05)
REPLICAS = 3
CHANNEL = f"{PREFIX}breakers"


@asynccontextmanager
async def replicas(
    server: RedisServer, policy: BreakerPolicy = POLICY
) -> AsyncIterator[list[SharedBreakers]]:
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(REPLICAS):
            redis = open_redis(server.url)
            stack.push_async_callback(redis.aclose)
            breakers = SharedBreakers(redis, policy)
            await breakers.start()
            stack.push_async_callback(breakers.close)
            found.append(breakers)
        yield found


async def fail(breakers: SharedBreakers, times: int) -> None:
    for _ in range(times):
        await breakers.record(KEY, Result.FAILED, CLOSED)


def are_open(replicas: Iterable[SharedBreakers]) -> bool:
    return all([s.key for s in each.states()] == [KEY] for each in replicas)


async def test_failures_of_all_replicas_add_up(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        await fail(found[0], 2)
        await fail(found[1], 1)
        assert await found[0].admit(KEY) == CLOSED
        await fail(found[2], 1)
        await until(lambda: are_open(found))
        for each in found:
            assert isinstance(await each.admit(KEY), Open)


async def test_all_see_it_in_100_ms(redis_server: RedisServer) -> None:
    """The middle of several, because the machine may be busy with something else for a moment."""
    async with replicas(redis_server, BreakerPolicy(minimum=1)) as found:
        took = []
        for number in range(1, 8):
            await found[0].record(f"{KEY}-{number}", Result.FAILED, CLOSED)
            took.append(
                await until(lambda: all(len(each.states()) == number for each in found))  # noqa: B023
            )
        assert statistics.median(took) < 0.1


def elsewhere(server: RedisServer, work: Callable[[SharedBreakers], Awaitable[Answer]]) -> Answer:
    """Work of a replica in an event loop of its own; to be called in a thread of its own."""

    async def run() -> Answer:
        redis = open_redis(server.url)
        breakers = SharedBreakers(redis, POLICY)
        await breakers.start()
        try:
            return await work(breakers)
        finally:
            await breakers.close()
            await redis.aclose()

    return asyncio.run(run())


async def test_two_event_loops_open_together_and_have_one_probe(
    redis_server: RedisServer,
) -> None:
    async def ask_often(breakers: SharedBreakers) -> int:
        asked = await asyncio.gather(*(breakers.admit(KEY) for _ in range(30)))
        return sum(isinstance(each, Probe) for each in asked)

    async with replicas(redis_server) as found:
        await asyncio.to_thread(elsewhere, redis_server, lambda breakers: fail(breakers, 4))
        await until(lambda: are_open(found))
        await until(lambda: found[0].states()[0].state is BreakerState.HALF_OPEN)
        probes = await asyncio.gather(
            asyncio.to_thread(elsewhere, redis_server, ask_often),
            asyncio.to_thread(elsewhere, redis_server, ask_often),
            ask_often(found[0]),
        )
        assert sum(probes) == 1


async def test_a_crowd_at_one_replica_asks_once_for_the_probe(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        await fail(found[0], 4)
        await until(lambda: are_open(found))
        await until(lambda: found[0].states()[0].state is BreakerState.HALF_OPEN)
        before = await calls(redis_server, "hget")
        asked = await asyncio.gather(*(found[0].admit(KEY) for _ in range(30)))
        assert [type(each) for each in asked] == [Probe] + [Open] * 29
        assert await calls(redis_server, "hget") - before == 1


async def test_exactly_one_probe_among_all(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        await fail(found[0], 4)
        for level in (1, 2):
            await until(
                lambda: all(
                    [s.state for s in each.states()] == [BreakerState.HALF_OPEN] for each in found
                )
            )
            asked = await asyncio.gather(*(each.admit(KEY) for each in found for _ in range(20)))
            probes = [(i // 20, each) for i, each in enumerate(asked) if isinstance(each, Probe)]
            assert len(probes) == 1
            assert sum(isinstance(each, Open) for each in asked) == REPLICAS * 20 - 1
            number, probe = probes[0]
            await found[number].record(KEY, Result.OK if level == 2 else Result.FAILED, probe)
        await until(lambda: not any(each.states() for each in found))
        assert [await each.admit(KEY) for each in found] == [CLOSED] * REPLICAS


async def test_successes_of_others_count_after_a_batch(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        for _ in range(10):
            await found[0].record(KEY, Result.OK, CLOSED)
        await found[0].send_successes()
        await fail(found[1], 5)
        assert found[1].states() == []
        await fail(found[1], 5)
        await until(lambda: are_open(found))


async def test_a_closed_breaker_costs_no_trip(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        before = await calls(redis_server, *NAMES)
        for _ in range(100):
            await found[0].record(KEY, Result.OK, await found[0].admit(KEY))
        assert await calls(redis_server, *NAMES) == before


NAMES = ("eval", "evalsha", "hget", "hset", "hgetall", "publish")


async def calls(server: RedisServer, *names: str) -> int:
    """How often Redis was asked for one of these, also by scripts."""
    redis = open_redis(server.url)
    found = await redis.info("commandstats")
    await redis.aclose()
    return sum(found.get(f"cmdstat_{name}", {}).get("calls", 0) for name in names)


async def test_a_limit_of_one_is_believed_by_all(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        stated = time.time() + 86400
        await found[0].record(KEY, Limited(stated), CLOSED)
        await until(lambda: are_open(found))
        for each in found:
            admission = await each.admit(KEY)
            assert isinstance(admission, Open)
            assert abs(admission.until - stated) < 1


async def test_redis_killed_alone_with_what_was_known_and_healed(
    redis_server: RedisServer,
) -> None:
    known, new = KEY, "openai/gpt/main"
    policy = BreakerPolicy(minimum=4, first_wait=60)
    async with replicas(redis_server, policy) as found:
        await fail(found[0], 4)
        await until(lambda: are_open(found))
        redis_server.kill()
        # The one that notices by a failed command answers at once; the others by their connection.
        await found[0].record(new, Result.FAILED, CLOSED)
        await until(lambda: all(each.state().mode == "away" for each in found), 2)
        for each in found:
            assert isinstance(await each.admit(known), Open)  # still known
        for _ in range(4):
            await found[0].record(new, Result.FAILED, CLOSED)
        assert isinstance(await found[0].admit(new), Open)
        assert await found[1].admit(new) == CLOSED  # each alone
        assert all(each.state().decisions > 0 and each.state().away == 1 for each in found)

        redis_server.start()
        await until(lambda: all(each.state().mode == "shared" for each in found))
        await until(lambda: all(len(each.states()) == 2 for each in found))  # told afterwards
        assert isinstance(await found[2].admit(new), Open)


async def test_a_redis_that_hangs_is_away_after_a_moment(redis_server: RedisServer) -> None:
    async with replicas(redis_server) as found:
        redis = open_redis(redis_server.url)
        process: int = (await redis.info("server"))["process_id"]
        await redis.aclose()
        os.kill(process, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            await fail(found[0], 4)
            assert isinstance(await found[0].admit(KEY), Open)
            assert time.monotonic() - begin < 2  # one deadline, not one for each
            await until(lambda: all(each.state().mode == "away" for each in found))
        finally:
            os.kill(process, signal.SIGCONT)
        await until(lambda: all(each.state().mode == "shared" for each in found))


async def test_starts_without_redis_and_heals(redis_server: RedisServer) -> None:
    redis_server.kill()
    async with replicas(redis_server) as found:
        assert found[0].state().mode == "away"
        assert await found[0].admit(KEY) == CLOSED
        redis_server.start()
        await until(lambda: all(each.state().mode == "shared" for each in found))
        await fail(found[0], 4)
        await until(lambda: are_open(found))


class Clock:
    """One time for both worlds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 8000)),
        st.tuples(st.just("ask"), st.integers(0, 1)),
        st.tuples(st.sampled_from(["ok", "failed", "unknown"]), st.integers(0, 9)),
        st.tuples(st.just("failed"), st.integers(0, 9)),
        st.tuples(st.just("limited"), st.integers(-1000, 60000)),
    ),
    max_size=40,
)
MODEL = BreakerPolicy(
    window=30, minimum=3, failures=0.5, first_wait=5, longest_wait=12, probe=20, ask_again=1
)


def test_the_scripts_decide_as_the_pure_rules_do(redis_server: RedisServer) -> None:
    """Two replicas together against one machine of pure rules, whatever happens in what order."""

    @settings(max_examples=30, deadline=None)
    @given(STEPS)
    def holds(steps: list[tuple[str, int]]) -> None:
        asyncio.run(compare(redis_server, steps))

    holds()


async def compare(server: RedisServer, steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    pure = LocalBreakers(MODEL, clock)
    redis = open_redis(server.url)
    await redis.flushall()
    pair = [SharedBreakers(redis, MODEL, clock) for _ in range(2)]
    for each in pair:
        await each.start()
    admitted: list[tuple[Closed | Probe, Closed | Probe]] = [(CLOSED, CLOSED)]
    try:
        for number, (what, value) in enumerate(steps):
            one = pair[number % 2]
            if what == "wait":
                clock.now += value / 1000
            elif what == "ask":
                expected, actual = await pure.admit(KEY), await one.admit(KEY)
                assert shape(actual) == shape(expected)
                if not isinstance(expected, Open) and not isinstance(actual, Open):
                    admitted.append((expected, actual))
            else:
                result: Result | Limited
                if what != "limited":
                    result = Result(what)
                else:
                    result = Limited(clock.now + value / 1000, 429 if value % 2 else 529)
                mine, shared = admitted.pop(value % len(admitted)) if admitted else (CLOSED, CLOSED)
                await pure.record(KEY, result, mine)
                await one.record(KEY, result, shared)
                await one.send_successes()
            for each in pair:
                await heard_all(redis, each, number)
                seen = [(s.key, s.state, ms(s.until), s.opened, s.status) for s in each.states()]
                assert [s for s in seen if s[0] == KEY] == [
                    (s.key, s.state, ms(s.until), s.opened, s.status) for s in pure.states()
                ]
    finally:
        for each in pair:
            await each.close()
        await redis.aclose()


async def heard_all(redis: Redis, breakers: SharedBreakers, number: int) -> None:
    """Messages come in order: with this one, all before it were heard."""
    told = json.dumps({"key": f"mark-{number}", "left": 1, "opened": 1})
    await redis.publish(CHANNEL, told)
    await until(lambda: any(s.key == f"mark-{number}" for s in breakers.states()))
    await redis.publish(CHANNEL, json.dumps({"key": f"mark-{number}", "opened": 0}))
    await until(lambda: not any(s.key == f"mark-{number}" for s in breakers.states()))


def shape(admission: Admission) -> tuple[str, int]:
    until_ms = ms(admission.until) if isinstance(admission, Open) else 0
    return type(admission).__name__, until_ms


def ms(seconds: float | None) -> int:
    return round((seconds or 0) * 1000)
