"""A cap holds across processes, and through `kill -9` of a gateway and of Redis."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.money.bookings import LedgerMode
from heliostat_gateway.redis_state.ledger import SharedLedger
from heliostat_gateway.redis_state.scripts import MONEY
from support.ledgers import booking, opening, run
from support.redis_server import RedisServer
from support.shared_ledgers import SharedWorld, shared_world, until, until_mode

from .money_worker import CALL_NANOS, CAP_NANOS

WORKER = Path(__file__).with_name("money_worker.py")
DEADLINE_SECONDS = 60


@pytest.fixture
async def world(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[SharedWorld]:
    async with shared_world(redis_server.url, tmp_path) as found:
        yield found


async def start(world: SharedWorld, name: str, count: int) -> Process:
    folder = str(world.folder / name)
    tests = str(Path(__file__).parents[2])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        world.url,
        folder,
        name,
        str(count),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": tests},
    )


async def opened(process: Process) -> tuple[str, int, int]:
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_SECONDS):
        line = (await process.stdout.readline()).decode().split()
    return line[0], int(line[1]), int(line[2])


async def finish(process: Process) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        await process.communicate(b"\n")
    assert process.returncode == 0


async def test_200_calls_on_money_for_50_from_two_processes(world: SharedWorld) -> None:
    processes = [await start(world, name, 100) for name in ("one", "two")]
    found = [await opened(process) for process in processes]
    assert sum(made for _, made, _ in found) == CAP_NANOS // CALL_NANOS
    assert sum(refused for _, _, refused in found) == 150
    for process in processes:
        await finish(process)
    ledger = await world.gateway("reader")
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled) == (CAP_NANOS, 50, True)
    assert await (await world.rows()).execution("uid") == total
    assert await world.open_requests() == 0


async def test_what_a_killed_process_reserved_is_neither_leaked_nor_set_free(
    world: SharedWorld,
) -> None:
    one = await start(world, "one", 30)
    dead, made, _ = await opened(one)
    assert made == 30
    one.kill()
    await one.communicate()
    two = await start(world, "two", 100)
    _, made, refused = await opened(two)
    assert (made, refused) == (20, 80)
    await world.redis.zadd(f"{MONEY}gateways", {dead: 1})  # its lease runs out
    world.writer.dead_gateways._since = 0

    async def is_buried() -> bool:
        return not await world.redis.exists(f"{MONEY}gateway:{dead}")

    await until(is_buried)
    await finish(two)
    ledger = await world.gateway("reader")
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled) == (CAP_NANOS, 50, True)
    assert total.estimated
    assert await (await world.rows()).execution("uid") == total
    assert await world.open_requests() == 0


async def test_a_killed_redis_loses_and_doubles_nothing(
    world: SharedWorld, redis_server: RedisServer
) -> None:
    gateways = [await world.gateway(name) for name in ("one", "two")]
    going = asyncio.Event()

    async def converse(ledger: SharedLedger, name: str) -> None:
        for turn in range(30):
            request = f"{name}-{turn}"
            await ledger.open(opening(request, run("uid", Caps())))
            await ledger.note([booking(request, 50)])
            await ledger.settle([booking(request, CALL_NANOS)], 5)
            if turn == 10:
                going.set()

    talks = [
        asyncio.create_task(converse(ledger, f"{index}-{name}"))
        for index, ledger in enumerate(gateways)
        for name in range(6)
    ]
    await going.wait()
    redis_server.kill()

    async def is_away() -> bool:
        return any(ledger.state().mode is LedgerMode.LOCAL for ledger in gateways)

    await until(is_away)
    redis_server.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(*talks)
    for ledger in gateways:
        await until_mode(ledger, LedgerMode.SHARED)
    total = await gateways[0].execution("uid")
    assert (total.requests, total.cost_nanos) == (360, 360 * CALL_NANOS)
    assert (total.settled, total.estimated) == (True, False)
    assert await (await world.rows()).execution("uid") == total
    assert await world.open_requests() == 0
    assert sum(ledger.state().outages for ledger in gateways) > 0
