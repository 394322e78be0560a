"""The queue of keys, in simulated time."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from heliostat_operator.queues import KeyQueue, Rest
from support.manual_loop import run

Work = Callable[[str], Awaitable[float | None]]


def worked(work: Work, *keys: str, seconds: float, workers: int = 2) -> KeyQueue[str]:
    """The queue after so many seconds of work on these keys."""

    async def go() -> KeyQueue[str]:
        queue = KeyQueue(work, workers)
        for key in keys:
            queue.add(key)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await queue.run()
        return queue

    return run(go())


def test_a_key_that_comes_twice_is_worked_on_once() -> None:
    seen: list[str] = []

    async def work(key: str) -> None:
        seen.append(key)

    assert len(worked(work, "a", "b", "a", seconds=1)) == 0
    assert seen == ["a", "b"]


def test_one_key_is_never_with_two_workers() -> None:
    active: set[str] = set()
    most = 0

    async def go() -> None:
        async def work(key: str) -> float:
            nonlocal most
            assert key not in active
            active.add(key)
            most = max(most, len(active))
            queue.add(key)
            await asyncio.sleep(1)
            active.discard(key)
            return 0.5

        queue = KeyQueue(work, 4)
        for key in "abc":
            queue.add(key)
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                await queue.run()

    run(go())
    assert most == 3


def test_a_wake_during_the_work_is_not_lost() -> None:
    seen: list[float] = []

    async def go() -> None:
        async def work(key: str) -> None:
            seen.append(asyncio.get_running_loop().time())
            if len(seen) == 1:
                queue.add(key)
            await asyncio.sleep(2)

        queue = KeyQueue(work, 1)
        queue.add("a")
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                await queue.run()

    run(go())
    assert seen == [0.0, 2.0]


def test_what_the_work_asks_for_is_kept() -> None:
    times: list[float] = []

    async def work(_: str) -> float | None:
        times.append(asyncio.get_running_loop().time())
        return 10.0 if len(times) < 3 else None

    worked(work, "a", seconds=60)
    assert times == [0.0, 10.0, 20.0]


def test_a_later_wish_does_not_put_off_an_earlier_one() -> None:
    times: list[float] = []

    async def go() -> None:
        async def work(_: str) -> None:
            times.append(asyncio.get_running_loop().time())

        queue = KeyQueue(work, 1)
        queue.add_later("a", 5)
        queue.add_later("a", 50)
        queue.add_later("a", 3)
        with suppress(TimeoutError):
            async with asyncio.timeout(100):
                await queue.run()

    run(go())
    assert times == [3.0]


def test_failures_come_back_later_and_later_and_a_success_forgets_them() -> None:
    times: list[float] = []

    async def work(_: str) -> float | None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 4:
            return 1.0
        raise RuntimeError("not today")

    worked(work, "a", seconds=4)
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    expected = [0.2, 0.4, 0.8, 1.0, 0.2]
    assert len(waits) >= len(expected)
    assert all(0.8 <= got / want <= 1.2 for got, want in zip(waits, expected, strict=False))


def test_a_key_that_fails_for_hours_neither_stops_the_worker_nor_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "heliostat_operator.queues")  # a thousand warnings
    seen = 0

    async def work(key: str) -> float | None:
        nonlocal seen
        if key == "broken":
            raise RuntimeError("not today")
        seen += 1
        return 3600

    worked(work, "broken", "fine", seconds=9.5 * 3600, workers=1)
    assert seen == 10


def test_what_is_urgent_goes_first_also_when_it_waited_already() -> None:
    seen: list[str] = []

    async def go() -> None:
        async def work(key: str) -> None:
            seen.append(key)
            await asyncio.sleep(1)

        queue = KeyQueue(work, 1)
        for key in ("a", "b", "c"):
            queue.add(key)
        queue.add_later("d", 0.5, urgent=True)
        queue.add("c", urgent=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                await queue.run()

    run(go())
    assert seen == ["c", "d", "a", "b"]


def test_what_is_urgent_and_fails_stays_urgent() -> None:
    seen: list[str] = []

    async def go() -> None:
        async def work(key: str) -> None:
            seen.append(key)
            await asyncio.sleep(1)
            if seen == ["hurry"]:
                raise OSError

        queue = KeyQueue(work, 1)
        for key in ("a", "b", "c"):
            queue.add(key)
        queue.add("hurry", urgent=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                await queue.run()

    run(go())
    assert seen == ["hurry", "a", "hurry", "b", "c"]


@pytest.mark.parametrize(("hurry", "begins"), [(3, 3), (30, 5)])
def test_others_wait_for_what_is_urgent_but_not_for_ever(hurry: float, begins: float) -> None:
    seen: list[tuple[str, float]] = []

    async def go() -> None:
        async def first(key: str) -> None:
            seen.append((key, asyncio.get_running_loop().time()))
            await asyncio.sleep(hurry)

        async def second(key: str) -> None:
            seen.append((key, asyncio.get_running_loop().time()))

        hasty = KeyQueue(first, 1)
        others = KeyQueue(second, 1, lambda: hasty.calm(5))
        for key in ("a", "b", "c"):
            others.add(key)
        hasty.add("hurry", urgent=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                group.create_task(hasty.run())
                group.create_task(others.run())

    run(go())
    assert seen == [("hurry", 0), ("a", begins), ("b", begins), ("c", begins)]


def test_a_hurry_is_told_once_however_long_it_lasts() -> None:
    told: list[float] = []

    async def go() -> None:
        async def work(_: str) -> None:
            await asyncio.sleep(20)

        async def listen() -> None:
            while True:
                await queue.hurry()
                told.append(asyncio.get_running_loop().time())
                await queue.calm(5)

        queue = KeyQueue(work, 1)
        queue.add("usual")
        queue.add_later("due", 30, urgent=True)
        queue.add_later("due too", 40, urgent=True)
        queue.add_later("due later", 100, urgent=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(150), asyncio.TaskGroup() as group:
                group.create_task(queue.run())
                group.create_task(listen())

    run(go())
    assert told == [30, 100]


def test_a_crowd_of_one_namespace_keeps_no_other_waiting() -> None:
    """A thousand slow looks in one namespace, and one key of another: it is worked on at once."""
    begun: dict[str, float] = {}

    async def go() -> None:
        async def work(key: str) -> None:
            begun[key] = asyncio.get_running_loop().time()
            await asyncio.sleep(3.6)

        queue = KeyQueue(work, 16, group=lambda key: key.split("/")[0])
        for number in range(1000):
            queue.add(f"busy/{number}")
        asyncio.get_running_loop().call_later(10, queue.add, "calm/1")
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                await queue.run()

    run(go())
    assert begun["calm/1"] == 10.0
    assert sum(key.startswith("busy") for key in begun) > 12 * 15


def test_the_rank_of_a_key_is_asked_when_it_is_added() -> None:
    seen: list[str] = []

    async def go() -> None:
        async def work(key: str) -> None:
            seen.append(key)
            await asyncio.sleep(1)

        queue = KeyQueue(work, 1, rank=lambda key: int(key[0]))
        for key in ("2 waits", "1 begins", "0 ends"):
            queue.add(key)
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await queue.run()

    run(go())
    assert seen == ["0 ends", "1 begins", "2 waits"]


def test_a_slow_look_puts_the_next_one_off_for_a_bounded_time() -> None:
    """On a busy machine an Agent said for a minute that a run was active which had ended."""
    times: list[float] = []

    async def go() -> None:
        async def work(_: str) -> float:
            times.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.01)
            return 300

        queue = KeyQueue(work, 1, rest=Rest(seconds=1.0, factor=1e12))
        queue.add("a")
        asyncio.get_running_loop().call_later(5, queue.add_rested, "a")
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                await queue.run()

    run(go())
    assert times == [0.0, 20.0]
