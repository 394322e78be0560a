"""One timer for many waits: each ends in time, and nothing else is ended."""

import asyncio

import pytest

from heliostat_gateway.calls.provider_attempt import DeadlineTimer

SOON, LATER, NEVER = 0.01, 0.04, 3600.0


def now() -> float:
    return asyncio.get_running_loop().time()


async def wait_while_it_changes(timer: DeadlineTimer, first: float, then: float) -> None:
    with timer.until(first):
        timer.until(then)
        await asyncio.Event().wait()


async def pass_time(seconds: float) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


async def test_a_wait_ends_at_its_deadline_and_the_task_goes_on() -> None:
    timer = DeadlineTimer()
    with pytest.raises(TimeoutError), timer.until(now() + SOON):
        await asyncio.Event().wait()
    await pass_time(SOON)  # the cancellation does not leak
    with pytest.raises(TimeoutError), timer.until(now() + SOON):
        await asyncio.Event().wait()


async def test_a_deadline_that_moves_on_is_the_one_that_counts() -> None:
    timer, began = DeadlineTimer(), now()
    with pytest.raises(TimeoutError):
        await wait_while_it_changes(timer, began + SOON, began + LATER)
    assert now() >= began + LATER


async def test_an_earlier_deadline_counts_too_also_in_the_middle_of_a_wait() -> None:
    timer = DeadlineTimer()
    with timer.until(now() + NEVER):
        pass
    with pytest.raises(TimeoutError), timer.until(now() + SOON):
        await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        await wait_while_it_changes(timer, now() + NEVER, now() + SOON)


async def test_a_deadline_that_has_passed_ends_a_wait_and_spares_what_need_not_wait() -> None:
    timer = DeadlineTimer()
    with timer.until(now() - SOON):
        pass
    with pytest.raises(TimeoutError), timer.until(now() - SOON):
        await asyncio.Event().wait()


async def test_between_two_waits_nothing_is_ended() -> None:
    timer = DeadlineTimer()
    with timer.until(now() + SOON):
        pass
    await pass_time(LATER)
    with pytest.raises(TimeoutError), timer.until(now() + SOON):
        await asyncio.Event().wait()


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def work() -> None:
        with DeadlineTimer().until(now() + NEVER):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_that_is_cancelled_at_its_deadline_is_cancelled() -> None:
    """As with asyncio.timeout: who cancels a task must see it end so."""

    async def work() -> None:
        with DeadlineTimer().until(now() - SOON):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)  # the timer is due
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_close_no_timer_is_left() -> None:
    ended = asyncio.Event()
    timer = DeadlineTimer()
    with timer.until(now() + SOON):
        timer.close()
        asyncio.get_running_loop().call_later(LATER, ended.set)
        await ended.wait()
