"""Deep looks for cycles wait for times that are due, and only for those."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from heliostat_operator.gc_tuning import collect_deeply_in_calm
from heliostat_operator.queues import KeyQueue
from support.manual_loop import run


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


async def work(_: str) -> None:
    await asyncio.sleep(20)


async def thresholds_at(*times: float) -> list[bool]:
    """Whether deep looks are held up then; the queue is in a hurry from second 30 to 50."""
    found: list[bool] = []
    queue = KeyQueue(work, 1)
    queue.add_later("due", 30, urgent=True)
    loop = asyncio.get_running_loop()
    for time in times:
        loop.call_at(time, lambda: found.append(gc.get_threshold()[1] > 1000))
    with suppress(TimeoutError):
        async with asyncio.timeout(max(times) + 1), asyncio.TaskGroup() as group:
            group.create_task(queue.run())
            group.create_task(collect_deeply_in_calm(queue, 10))
    return found


def test_deep_looks_wait_in_a_hurry_but_not_for_long() -> None:
    assert run(thresholds_at(29, 31, 39, 41, 51)) == [False, True, True, False, False]


def test_they_are_made_again_when_the_operator_stops_in_a_hurry() -> None:
    run(thresholds_at(31))
    assert gc.get_threshold()[1] < 10
