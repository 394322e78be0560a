"""Work beside the requests: what came to a bad end is known, and nothing outlives the block."""

import asyncio

import pytest

from heliostat_api.web.background import Background, end_task


async def fail() -> None:
    raise ValueError("a fault of ours")


async def test_what_ends_with_an_error_is_named_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Background()
    async with work.going_on(fail(), asyncio.sleep(0)):
        async with asyncio.timeout(5):
            while not work.failed:
                await asyncio.sleep(0)
    assert work.failed == ("fail",)
    assert "a fault of ours" in caplog.text


async def test_nothing_of_it_outlives_the_block() -> None:
    ended = asyncio.Event()

    async def go_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    work = Background()
    async with work.going_on(go_on()):
        await asyncio.sleep(0)
    assert ended.is_set()
    assert not work.failed


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
