"""The writer's work: three loops over one Redis and one file."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from redis.exceptions import ResponseError

from heliostat_gateway.money.ledger import book_open_requests
from heliostat_gateway.money.schema import make_schema
from heliostat_gateway.redis_state.connection import RedisAwayError
from heliostat_gateway.redis_state.scripts import Commands, Scripts
from heliostat_gateway.storage import Storage, StorageError
from heliostat_gateway.tasks import end_task
from heliostat_gateway.writer.cache_warmup import CacheWarmup
from heliostat_gateway.writer.dead_gateways import DeadGatewayReaper
from heliostat_gateway.writer.stream_consumer import StreamConsumer

_LOG = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 1.0
_NOT_STARTED: Final = "not started yet"


@dataclass
class _Loop:
    """One step again and again. `fault` says why the last one failed; only the next that goes well
    clears it."""

    step: Callable[[], Awaitable[object]]
    pause_seconds: float = 0.0
    fault: str = _NOT_STARTED


class Writer:
    """Starts and ends the loops."""

    def __init__(self, redis: Commands, storage: Storage) -> None:
        """Raises NewerSchemaError."""
        storage.run_now(make_schema)
        # Those that one gateway alone, which had this file before and died, left open.
        now_ms = int(time.time() * 1000)
        storage.run_now(lambda connection: book_open_requests(connection, now_ms))
        self._scripts = scripts = Scripts(redis)
        self.consumer = StreamConsumer(redis, storage)
        self.cache_warmup = CacheWarmup(self.consumer, scripts, storage)
        self.dead_gateways = DeadGatewayReaper(self.consumer, scripts)
        self._loops = (
            _Loop(self.consumer.step),
            _Loop(self.cache_warmup.answer_one),
            _Loop(self._look, _LOOK_SECONDS),
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def fault(self) -> str:
        """Why it does not get on; empty while all loops do."""
        return next((loop.fault for loop in self._loops if loop.fault), "")

    async def start(self) -> None:
        """Begins to work."""
        self._tasks = [asyncio.create_task(self._keep(loop)) for loop in self._loops]

    async def close(self) -> None:
        """Ends at once: whatever is half done is done again by the next."""
        await end_task(*self._tasks)
        self._tasks = []
        await self._scripts.close()

    async def _look(self) -> None:
        """Has Redis lost its memory, is a gateway dead?"""
        await self.cache_warmup.ensure_epoch()
        await self.dead_gateways.step()

    async def _keep(self, loop: _Loop) -> None:
        while True:
            try:
                await loop.step()
            except (RedisAwayError, ResponseError, StorageError) as error:
                if all(each.fault in ("", _NOT_STARTED) for each in self._loops):
                    _LOG.warning("the writer waits: %s", error)
                await self._wait(loop, str(error))
            except Exception as error:  # noqa: BLE001  a loop that ends in silence loses records
                _LOG.exception("the writer failed and tries again")
                await self._wait(loop, f"{type(error).__name__}: see the log.")
            else:
                self._went_well(loop)
                await asyncio.sleep(loop.pause_seconds)

    def _went_well(self, loop: _Loop) -> None:
        was = self.fault
        loop.fault = ""
        if was and not self.fault:
            _LOG.info("the writer works")

    async def _wait(self, loop: _Loop, fault: str) -> None:
        loop.fault = fault
        self.dead_gateways.lose()
        await asyncio.sleep(_AGAIN_SECONDS)
