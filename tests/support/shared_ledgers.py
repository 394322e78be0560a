"""A writer and shared ledgers over a real Redis, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from heliostat_gateway.money.bookings import LedgerMode
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.ledger import SharedLedger
from heliostat_gateway.redis_state.scripts import MONEY
from heliostat_gateway.storage import Storage
from heliostat_gateway.writer.service import Writer

DEADLINE_SECONDS = 30


@dataclass
class SharedWorld:
    """Redis, the writer's file, and whatever runs on them."""

    url: str
    folder: Path
    redis: Redis
    writers: Redis
    storage: Storage
    writer: Writer
    ledgers: dict[SharedLedger, Redis] = field(default_factory=dict)

    async def gateway(self, name: str = "gateway") -> SharedLedger:
        """A ledger with a spool folder of its own name."""
        redis = open_redis(self.url)
        ledger = SharedLedger(redis, self.folder / name / "spool")
        self.ledgers[ledger] = redis
        await ledger.start()
        return ledger

    async def restart_writer(self) -> None:
        """Another writer over the same file."""
        await self.writer.close()
        self.writer = Writer(self.writers, self.storage)
        await self.writer.start()

    async def rows(self) -> SqliteLedger:
        """What the writer has written, once nothing waits in the stream."""

        async def is_drained() -> bool:
            return await self.redis.xlen(f"{MONEY}records") == 0

        await until(is_drained)
        return SqliteLedger(self.storage)

    async def open_requests(self) -> int:
        """Reservations in Redis."""
        return len([key async for key in self.redis.scan_iter(f"{MONEY}request:*", count=1000)])

    async def bury(self, ledger: SharedLedger) -> None:
        """Ends a ledger as `kill -9` would, and lets its lease run out."""
        await self.abandon(ledger)
        await self.redis.zadd(f"{MONEY}gateways", {ledger.gateway: 1})
        self.writer.dead_gateways._since = 0  # Redis was there all the time
        await until(self._has_forgotten(ledger.gateway))

    async def abandon(self, ledger: SharedLedger) -> None:
        """Ends a ledger; what it left open stays open."""
        redis = self.ledgers.pop(ledger)
        await ledger.close()
        await redis.aclose()

    def _has_forgotten(self, gateway: str) -> Callable[[], Awaitable[bool]]:
        async def is_forgotten() -> bool:
            return await self.redis.zscore(f"{MONEY}gateways", gateway) is None

        return is_forgotten


@asynccontextmanager
async def shared_world(url: str, folder: Path) -> AsyncIterator[SharedWorld]:
    """A world whose writer has filled Redis."""
    redis = Redis.from_url(url, retry=Retry(ConstantBackoff(0.1), 20))  # the test's own
    writers = open_redis(url)
    storage = Storage(folder / "writer")
    world = SharedWorld(url, folder, redis, writers, storage, Writer(writers, storage))
    await world.writer.start()

    async def is_filled() -> bool:
        return bool(await redis.exists(f"{MONEY}epoch"))

    await until(is_filled)
    try:
        yield world
    finally:
        for ledger in list(world.ledgers):
            await world.abandon(ledger)
        await world.writer.close()
        await redis.aclose()
        await writers.aclose()
        storage.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a condition, not for long."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.02)


async def until_mode(ledger: SharedLedger, mode: LedgerMode) -> None:
    """Waits until a ledger has seen that Redis went or came."""

    async def has_mode() -> bool:
        return ledger.state().mode is mode

    await until(has_mode)
