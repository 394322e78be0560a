"""One upstream call for many that ask the same, and answers that are kept within a size."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.caching.answers import (
    AnswerCache,
    CachedAnswer,
    Claim,
    Leader,
    MemoryAnswers,
)
from support.waiting import until

ANSWER = CachedAnswer(
    (("content-type", "text/event-stream"),), (b"data: 1\n\n", b"data: 2\n\n"), 5.0
)
CROWD = 20


async def lead(cache: AnswerCache, key: str = "k") -> Leader:
    found = await cache.lookup(key)
    assert isinstance(found, Leader)
    return found


async def crowd(cache: AnswerCache) -> list[asyncio.Task[CachedAnswer | Leader | None]]:
    """Many that wait for the one who leads already."""
    tasks = [asyncio.create_task(cache.lookup("k")) for _ in range(CROWD)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    return tasks


@pytest.fixture
def cache() -> AnswerCache:
    return AnswerCache(MemoryAnswers())


async def test_all_get_the_one_answer_and_later_ones_too(cache: AnswerCache) -> None:
    async with await lead(cache) as leader:
        waiting = await crowd(cache)
        await leader.store(ANSWER, 60)
    assert await asyncio.gather(*waiting) == [ANSWER] * CROWD
    assert await cache.lookup("k") == ANSWER
    assert (cache.counts.led, cache.counts.joined, cache.counts.hit) == (1, CROWD, 1)


async def test_an_answer_that_can_not_be_kept_sends_all_on_their_own_way(
    cache: AnswerCache,
) -> None:
    async with await lead(cache) as leader:
        waiting = await crowd(cache)
        await leader.refuse()
    assert await asyncio.gather(*waiting) == [None] * CROWD
    assert cache.counts.alone == CROWD
    await (await lead(cache)).leave()


class BusyStore(MemoryAnswers):
    """Is away: it lets nobody have or lead anything, and says so when `answers` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.claims = 0

    async def claim(self, key: str, token: str) -> CachedAnswer | Claim:
        del key, token
        self.claims += 1
        await self.answers.wait()
        return Claim.ALONE


async def test_where_the_store_is_away_all_that_wait_go_their_own_way_at_once() -> None:
    store = BusyStore()
    cache = AnswerCache(store)
    first = asyncio.create_task(cache.lookup("k"))
    await asyncio.sleep(0)
    waiting = await crowd(cache)
    store.answers.set()
    async with asyncio.timeout(20):
        assert await asyncio.gather(first, *waiting) == [None] * (1 + CROWD)
    assert (store.claims, cache.counts.alone) == (1, 1 + CROWD)
    assert await cache.lookup("k") is None
    assert store.claims == 2, "the next asks the store again"


async def test_when_the_leader_leaves_exactly_one_other_leads(cache: AnswerCache) -> None:
    leader = await lead(cache)
    waiting = await crowd(cache)
    with pytest.raises(ConnectionError):
        async with leader:
            raise ConnectionError
    for left in range(CROWD, 0, -1):  # each in its turn
        await until(lambda: any(task.done() for task in waiting))
        (done,) = [task for task in waiting if task.done()]
        following = done.result()
        assert isinstance(following, Leader)
        waiting.remove(done)
        if left == CROWD // 2:
            await following.store(ANSWER, 60)
            break
        await following.leave()
    assert await asyncio.gather(*waiting) == [ANSWER] * (CROWD // 2 - 1)


async def test_one_who_leaves_ends_nobody_elses_wait(cache: AnswerCache) -> None:
    leader = await lead(cache)
    waiting = await crowd(cache)
    for task in waiting[::2]:
        task.cancel()
    await leader.store(ANSWER, 60)
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[1::2] == [ANSWER] * (CROWD // 2)


async def test_nobody_waits_for_ever() -> None:
    cache = AnswerCache(MemoryAnswers(), wait_seconds=0.05)
    leader = await lead(cache)
    assert await cache.lookup("k") is None
    await leader.store(ANSWER, 60)
    assert await cache.lookup("k") == ANSWER


async def test_other_keys_do_not_wait(cache: AnswerCache) -> None:
    first = await lead(cache, "one")
    second = await lead(cache, "two")
    await first.leave()
    await second.leave()


async def test_an_answer_grows_old() -> None:
    now = [100.0]
    store = MemoryAnswers(clock=lambda: now[0])
    await store.put("k", "", ANSWER, 60)
    now[0] = 159.9
    assert await store.claim("k", "") == ANSWER
    now[0] = 160.0
    assert await store.claim("k", "") is Claim.LEAD
    assert store.size == 0


async def test_the_least_recently_used_goes_first() -> None:
    store = MemoryAnswers(largest_sum=2 * ANSWER.size)
    await store.put("a", "", ANSWER, 60)
    await store.put("b", "", ANSWER, 60)
    await store.claim("a", "")
    await store.put("c", "", ANSWER, 60)
    found = [await store.claim(key, "") for key in "abc"]
    assert found == [ANSWER, Claim.LEAD, ANSWER]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 400)), max_size=40))
def test_never_more_bytes_than_allowed(puts: list[tuple[str, int]]) -> None:
    store = MemoryAnswers(largest_sum=1000, largest=400)

    async def run() -> None:
        kept: dict[str, CachedAnswer] = {}
        for key, length in puts:
            answer = CachedAnswer((), (b"x" * length,), 0.0)
            await store.put(key, "", answer, 60)
            if answer.size <= 400:
                kept[key] = answer
                assert await store.claim(key, "") == answer
            assert store.size <= 1000
        found = {key: await store.claim(key, "") for key in kept}
        sizes = [each.size for each in found.values() if isinstance(each, CachedAnswer)]
        assert sum(sizes) == store.size
        assert all(each in (kept[key], Claim.LEAD) for key, each in found.items())

    asyncio.run(run())
