"""The writer's work: three loops over one Redis and one file."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from redis.exceptions import ResponseError

from heliostat_gateway.money import holds
from heliostat_gateway.money.schema import make_schema
from heliostat_gateway.shared.ending import end_all
from heliostat_gateway.shared.pipe import RedisAwayError
from heliostat_gateway.shared.scripts import Commands, Scripts
from heliostat_gateway.storage import Storage, StorageError
from heliostat_gateway.writer.burying import Burying
from heliostat_gateway.writer.draining import Draining
from heliostat_gateway.writer.filling import Refilling

_LOG = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 1.0
_NOT_STARTED: Final = "not started yet"


class Writer:
    """Starts and ends the loops. `fault` says why it does not get on; empty while it does."""

    def __init__(self, redis: Commands, storage: Storage) -> None:
        """Raises NewerSchemaError."""
        storage.run_now(make_schema)
        # Those that one gateway alone, which had this file before and died, left open.
        now_ms = int(time.time() * 1000)
        storage.run_now(lambda connection: holds.book_open_requests(connection, now_ms))
        self._scripts = scripts = Scripts(redis)
        self.draining = Draining(redis, storage)
        self.refilling = Refilling(self.draining, scripts, storage)
        self.burying = Burying(self.draining, scripts)
        self.fault = _NOT_STARTED
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to work."""
        loops = (self.draining.step, self.refilling.answer_one, self._look)
        self._tasks = [asyncio.create_task(self._keep(step)) for step in loops]

    async def close(self) -> None:
        """Ends at once: whatever is half done is done again by the next."""
        await end_all(self._tasks)
        self._tasks = []
        await self._scripts.close()

    async def _look(self) -> None:
        """Every second: has Redis lost its memory, is a gateway dead?"""
        await self.refilling.ensure_epoch()
        if self.fault:
            _LOG.info("the writer works")
        self.fault = ""
        await self.burying.step()
        await asyncio.sleep(_LOOK_SECONDS)

    async def _keep(self, step: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await step()
            except (RedisAwayError, ResponseError, StorageError) as error:
                if self.fault in ("", _NOT_STARTED):
                    _LOG.warning("the writer waits: %s", error)
                await self._wait(str(error))
            except Exception as error:  # noqa: BLE001  a loop that ends in silence loses records
                _LOG.exception("the writer failed and tries again")
                await self._wait(f"{type(error).__name__}: see the log.")

    async def _wait(self, fault: str) -> None:
        self.fault = fault
        self.burying.lose()
        await asyncio.sleep(_AGAIN_SECONDS)
