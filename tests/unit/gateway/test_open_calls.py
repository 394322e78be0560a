"""Ending calls from outside: at once, with a reason, and without hurting what comes after."""

import asyncio

import pytest

from heliostat_gateway.calls.lifecycle import CallEndedError, EndReason, OpenCall, OpenCalls


async def test_end_interrupts_what_the_scope_awaits() -> None:
    call = OpenCall("k")
    asyncio.get_running_loop().call_soon(call.end, EndReason.REVOKED)
    with pytest.raises(CallEndedError) as caught, call.scope():
        await asyncio.Event().wait()
    assert caught.value.reason is EndReason.REVOKED
    await asyncio.sleep(0)  # the cancellation does not leak


async def test_a_call_that_was_ended_between_scopes_starts_no_other() -> None:
    call = OpenCall("k")
    with call.scope():
        pass
    call.end(EndReason.CLIENT_GONE)
    call.end(EndReason.SHUTDOWN)
    with pytest.raises(CallEndedError) as caught, call.scope():
        pytest.fail("the scope must not begin")
    assert caught.value.reason is EndReason.CLIENT_GONE


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def work() -> None:
        with OpenCall("k").scope():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_ending_a_key_waits_until_its_calls_are_closed() -> None:
    calls = OpenCalls()
    mine, other = OpenCall("mine"), OpenCall("other")
    calls.add(mine)
    calls.add(other)

    async def work() -> None:
        try:
            with mine.scope():
                await asyncio.Event().wait()
        except CallEndedError:
            calls.remove(mine)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert await calls.end_key("mine") == 1
    assert (len(calls), task.done()) == (1, True)
    assert await calls.end_key("mine") == 0
