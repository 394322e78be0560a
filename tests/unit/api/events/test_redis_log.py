"""The event log in Redis ends with the task that asks it, whatever the client of Redis does."""

import asyncio
from contextlib import suppress

import pytest
from redis.exceptions import ConnectionError as NoConnectionError

from heliostat_api.events.redis_log import RedisEventLog


@pytest.mark.parametrize("raises", [False, True])
async def test_a_cancellation_that_the_client_swallows_ends_the_task(
    monkeypatch: pytest.MonkeyPatch, *, raises: bool
) -> None:
    log = RedisEventLog("redis://127.0.0.1:1/0")
    asked = asyncio.Event()

    async def swallow(keys: list[str]) -> int:
        asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if raises:
            raise NoConnectionError
        return len(keys)

    monkeypatch.setattr(log, "_end", swallow)
    task = asyncio.create_task(log.end())
    await asked.wait()
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
    await log.close()
