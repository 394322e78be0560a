"""Tasks in the background: they end, and so does a caller that is cancelled meanwhile."""

import asyncio

import pytest

from heliostat_gateway.tasks import SingleFlight, end_task


async def test_a_caller_that_is_cancelled_while_it_ends_a_task_stays_cancelled() -> None:
    may_end = asyncio.Event()

    async def end_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()

    task = asyncio.create_task(end_slowly())
    await asyncio.sleep(0)
    caller = asyncio.create_task(end_task(task))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_end.set()
    await asyncio.wait([task])


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    cancelled = 0

    async def reconnect() -> None:
        nonlocal cancelled
        while cancelled < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled += 1

    task = asyncio.create_task(reconnect())
    await asyncio.sleep(0)
    await end_task(task)
    assert task.done()
    assert cancelled == 2


async def test_several_tasks_end_and_those_that_had_ended_before_are_no_matter() -> None:
    over = asyncio.create_task(asyncio.sleep(0))
    await over
    waiting = [asyncio.create_task(forever()) for _ in range(2)]
    await end_task(over, *waiting)
    assert [task.cancelled() for task in waiting] == [True, True]


async def test_who_joins_a_flight_and_leaves_does_not_end_it() -> None:
    flights, may_land, begun = SingleFlight(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        await may_land.wait()

    first, second = (asyncio.create_task(flights.join("key", work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    may_land.set()
    await second
    assert begun == 1


async def forever() -> None:
    await asyncio.Event().wait()
