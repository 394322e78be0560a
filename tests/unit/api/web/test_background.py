"""Work beside the requests: what came to a bad end is known, and nothing outlives the block."""

import asyncio

import pytest

from heliostat_api.web.background import Background, end_task, repeat


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


async def test_work_is_repeated_after_its_pause_and_after_an_error_that_is_expected(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: list[Exception | float | None] = [None, OSError("away"), 0.0]
    done = asyncio.Event()

    async def work() -> float | None:
        if not outcomes:
            done.set()
            return 3600.0
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    going_on = asyncio.create_task(repeat(work, 0.0, OSError, "it is done later"))
    async with asyncio.timeout(5):
        await done.wait()
    await end_task(going_on)
    assert "it is done later: away" in caplog.text
    assert going_on.cancelled()


async def test_work_that_is_asked_for_begins_before_its_pause_is_over() -> None:
    asked, began = asyncio.Event(), asyncio.Queue[None]()

    async def work() -> float:
        began.put_nowait(None)
        return 3600.0

    going_on = asyncio.create_task(repeat(work, 3600.0, OSError, "later", asked))
    async with asyncio.timeout(5):
        await began.get()
        asked.set()
        await began.get()
    await end_task(going_on)


async def test_work_that_is_asked_for_while_it_goes_on_is_done_once_more() -> None:
    asked, began = asyncio.Event(), asyncio.Queue[None]()

    async def work() -> float:
        began.put_nowait(None)
        if began.qsize() == 1:
            asked.set()
        return 3600.0

    going_on = asyncio.create_task(repeat(work, 3600.0, OSError, "later", asked))
    async with asyncio.timeout(5):
        while began.qsize() < 2:
            await asyncio.sleep(0)
    await end_task(going_on)


async def test_an_error_that_is_not_expected_ends_the_work() -> None:
    with pytest.raises(ValueError, match="a fault of ours"):
        await repeat(fail, 3600.0, OSError, "later")
