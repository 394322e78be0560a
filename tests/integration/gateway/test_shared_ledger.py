"""One ledger for all gateways: a real Redis, gateways and writer in one event loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.money.bookings import (
    Bound,
    CapReachedError,
    LedgerMode,
    SharedLedgerAwayError,
    UnknownBudgetError,
    Usage,
)
from heliostat_gateway.money.budgets import Budget, BudgetPeriod
from heliostat_gateway.redis_state.connection import DEADLINE_SECONDS
from heliostat_gateway.redis_state.recovery import _SWEEP_BEATS
from heliostat_gateway.redis_state.scripts import MONEY
from heliostat_gateway.tasks import end_task
from support.ledgers import booking, opening, run, service
from support.redis_server import RedisServer
from support.shared_ledgers import SharedWorld, shared_world, until, until_mode

DAY_MS = 24 * 3600 * 1000
NO_CAPS = Caps()
CALLS = 100


@pytest.fixture
async def world(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[SharedWorld]:
    async with shared_world(redis_server.url, tmp_path) as found:
        yield found


async def test_sums_are_right_at_once_on_every_gateway(world: SharedWorld) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    await one.open(opening("1", run("uid", NO_CAPS)))
    total = await two.execution("uid")
    assert (total.cost_nanos, total.settled, total.requests) == (100, False, 1)
    parts = [booking("1", 30, estimated=True), replace(booking("1", 40, part=2), provider="other")]
    await one.note(parts)
    assert (await two.execution("uid")).cost_nanos == 70
    await one.settle(parts, 5)
    await one.settle(parts, 5)
    total = await two.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled, total.estimated) == (70, 1, True, True)
    assert (total.usage, total.provider) == (Usage(input=10, output=4), "other")
    assert await two.agent("default/a") == (70, 1)
    rows = await world.rows()
    assert await rows.execution("uid") == total
    assert await rows.agent("default/a") == (70, 1)


async def test_a_part_that_was_noted_and_proved_free_is_no_row(world: SharedWorld) -> None:
    ledger = await world.gateway("one")
    await ledger.open(opening("1", run("uid", NO_CAPS)))
    under_way = booking("1", 50, part=2, estimated=True, outcome="open")
    await ledger.note([booking("1", 30, estimated=True), under_way])
    await ledger.settle([booking("1", 30, estimated=True)], 5)  # the second provider refused
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled) == (30, 1, True)
    assert await (await world.rows()).execution("uid") == total


async def test_a_call_takes_one_round_trip_to_reserve_and_one_to_settle(world: SharedWorld) -> None:
    ledger = await world.gateway()
    await ledger.put_budget(Budget("team", cap_nanos=10**9))
    caps = Caps(cost_nanos=10**9, tokens=10**9, turns=10**6)
    caller = service("key", caps, budgets=("team",))
    await ledger.open(opening("first", caller))  # its sums may be brought back by the writer
    await ledger.settle([booking("first", 1)], 5)
    before = await scripts_run(world)
    for number in range(CALLS):
        await ledger.open(opening(str(number), caller))
        await ledger.settle([booking(str(number), 1)], 5)
    beats = CALLS // 5  # of the gateway, one a second, and of the writer
    assert 2 * CALLS <= await scripts_run(world) - before <= 2 * CALLS + beats


async def scripts_run(world: SharedWorld) -> int:
    """How often Redis was asked to run one."""
    told = await world.redis.info("commandstats")
    return int(told["cmdstat_evalsha"]["calls"])


async def test_an_execution_without_calls_is_all_zeros(world: SharedWorld) -> None:
    total = await (await world.gateway()).execution("nobody")
    assert (total.cost_nanos, total.settled, total.requests, total.model) == (0, True, 0, None)


async def test_all_attempts_share_one_cap_on_all_gateways(world: SharedWorld) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    caps = Caps(cost_nanos=200, turns=9)
    await one.open(opening("1", run("uid", caps)))
    await one.settle([booking("1", 200)], 5)
    with pytest.raises(CapReachedError) as caught:
        await two.open(opening("2", run("uid", caps, attempt=2)))
    assert (caught.value.what, caught.value.cap, caught.value.spent) == ("cost", 200, 200)
    assert await world.open_requests() == 0


async def test_a_strict_key_is_lowered_to_what_is_left(world: SharedWorld) -> None:
    ledger = await world.gateway()
    bound = Bound(input_tokens=10, input_nanos=100, max_tokens=500, output_rate=2500)
    who = service("key", Caps(cost_nanos=1000, strict=True))
    first = await ledger.open(opening("1", who, bound=bound))
    assert (first.nanos, first.tokens, first.max_tokens) == (1000, 370, 360)
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("2", who, bound=bound))
    assert caught.value.left == 0
    await ledger.settle([booking("1", 850)], 5)
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("3", who, bound=replace(bound, input_nanos=149)))
    assert (caught.value.left, caught.value.needed) == (150, 152)


async def test_a_budget_is_changed_and_seen_at_once(world: SharedWorld) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    key = service("key", NO_CAPS, budgets=("team",))
    with pytest.raises(UnknownBudgetError):
        await one.open(opening("0", key))
    await one.put_budget(Budget("team", cap_nanos=100, period=BudgetPeriod.DAY))
    await two.open(opening("1", key))
    with pytest.raises(CapReachedError) as caught:
        await one.open(opening("2", key))
    assert (caught.value.budget, caught.value.until_ms) == ("team", DAY_MS)
    await one.put_budget(Budget("team", cap_nanos=101, period=BudgetPeriod.DAY))
    await two.open(opening("3", key))
    await one.open(opening("4", key, started_ms=DAY_MS))
    assert [total.spent_nanos for total in await two.budgets(5)] == [200]
    assert await one.drop_budget("team")
    with pytest.raises(UnknownBudgetError):
        await two.open(opening("5", key))
    assert [b.budget for b in await (await world.rows()).budgets(5)] == []


async def test_a_sum_that_left_redis_comes_back_from_rows_stream_and_open_requests(
    world: SharedWorld,
) -> None:
    ledger = await world.gateway()
    key = service("key", Caps(cost_nanos=10_000))
    for name, cost in (("1", 70), ("2", 30)):
        await ledger.open(opening(name, key))
        await ledger.settle([booking(name, cost)], 5)
    await world.rows()
    await ledger.open(opening("open", key, cost=55))
    async with world.writer.consumer._reading:  # this one stays in the stream
        await ledger.open(opening("3", key))
        await ledger.settle([booking("3", 9)], 5)
        await world.redis.delete(f"{MONEY}sum:account:key", f"{MONEY}agent:default/a")
        with pytest.raises(CapReachedError) as caught:
            await ledger.open(opening("4", service("key", Caps(cost_nanos=164))))
        assert caught.value.spent == 70 + 30 + 9 + 55
        assert await ledger.agent("default/a") == (109, 3)
    assert (await (await world.rows()).agent("default/a")) == (109, 3)


@pytest.mark.parametrize("budgets", [(), ("team",)], ids=["key", "budget"])
async def test_many_first_calls_of_a_key_ask_once(
    world: SharedWorld, budgets: tuple[str, ...]
) -> None:
    await (await world.gateway("other")).put_budget(Budget("team", 10**9))
    ledger = await world.gateway()
    caps = Caps(cost_nanos=10**9, strict=True)
    bound = Bound(input_tokens=10, input_nanos=100, max_tokens=10, output_rate=1000)
    openings = [opening(str(n), service("fresh", caps, budgets), bound=bound) for n in range(200)]
    await asyncio.gather(*(ledger.open(each) for each in openings))
    assert (ledger.state().mode, ledger.state().outages) == (LedgerMode.SHARED, 0)
    assert await world.open_requests() == 200
    await ledger.settle([booking(each.id, 1) for each in openings], 5)


async def test_a_redis_without_memory_is_filled_before_it_is_trusted(world: SharedWorld) -> None:
    ledger = await world.gateway()
    caps = Caps(cost_nanos=300)
    await ledger.put_budget(Budget("team", cap_nanos=10**9))
    for name in ("1", "open"):
        now = int(time.time() * 1000)
        await ledger.open(opening(name, run("uid", caps, budgets=("team",)), started_ms=now))
    await ledger.settle([booking("1", 290)], 5)
    await world.rows()
    await world.redis.flushall()

    async def is_filled() -> bool:
        return bool(await world.redis.exists(f"{MONEY}epoch"))

    await until(is_filled)
    await ledger._recovery.heartbeat()
    assert (await ledger.execution("uid")).cost_nanos == 290 + 100
    await ledger.settle([booking("open", 20)], 6)
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("3", run("uid", caps, budgets=("team",))))
    assert caught.value.spent == 310
    assert (await (await world.rows()).execution("uid")).cost_nanos == 310
    assert [total.spent_nanos for total in await ledger.budgets(5)] == [310]


async def test_what_a_dead_gateway_left_is_booked_once_and_corrected_by_its_own_word(
    world: SharedWorld,
) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    await one.open(opening("1", run("uid", NO_CAPS), cost=40))
    await one.note([booking("1", 60)])
    requests, shared = one._requests, one._health.epoch
    await world.bury(one)
    total = await two.execution("uid")
    assert (total.cost_nanos, total.settled, total.estimated) == (60, True, True)
    assert await (await world.rows()).execution("uid") == total
    # It was not dead, only slow: its process goes on and settles.
    slow = await world.gateway("slow")
    slow._requests = requests
    assert slow._health.epoch == shared
    await slow.settle([booking("1", 75)], 9)
    await slow.settle([booking("1", 75)], 9)
    total = await two.execution("uid")
    assert (total.cost_nanos, total.requests, total.estimated) == (75, 1, False)
    assert await (await world.rows()).execution("uid") == total
    assert await two.agent("default/a") == (75, 1)


async def test_an_opening_whose_caller_went_is_taken_back(world: SharedWorld) -> None:
    ledger = await world.gateway()
    cancelled = 0
    for moment in range(8):
        task = asyncio.create_task(ledger.open(opening(f"r{moment}", run("uid", NO_CAPS))))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        cancelled += task.cancelled()
        if not task.cancelled():
            await ledger.settle([booking(f"r{moment}", 0, usage=Usage())], 5)

    async def is_clean() -> bool:
        return await world.open_requests() == 0

    await until(is_clean)
    total = await ledger.execution("uid")
    assert (total.requests, total.settled) == (8 - cancelled, True)
    assert cancelled > 2


async def test_a_reservation_that_nobody_knows_is_swept_and_redis_stays(
    world: SharedWorld,
) -> None:
    ledger = await world.gateway()
    for name in ("known", "unknown"):
        await ledger.open(opening(name, run("uid", NO_CAPS)))
    ledger._requests.remove("unknown")
    for _ in range(2 * _SWEEP_BEATS):
        await ledger._recovery.heartbeat()
    assert await world.open_requests() == 1
    await ledger.settle([booking("known", 1)], 5)
    assert (ledger.state().mode, ledger.state().outages) == (LedgerMode.SHARED, 0)


async def test_a_gateway_that_was_held_up_does_not_blame_redis(world: SharedWorld) -> None:
    ledger = await world.gateway()
    outages = []
    for turns in range(1, 6):  # somewhere there the command is under way
        name = str(turns)
        opened = asyncio.create_task(ledger.open(opening(name, run("uid", NO_CAPS))))
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(1.2 * DEADLINE_SECONDS)  # nothing of this process runs
        await opened
        await ledger.settle([booking(name, 1)], 5)
        outages.append(ledger.state().outages)
    assert outages == [0] * 5
    assert ledger.state().mode is LedgerMode.SHARED


async def test_without_redis_a_gateway_spends_its_share_and_strict_keys_wait(
    world: SharedWorld, redis_server: RedisServer
) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    await one._recovery.heartbeat()
    caps = Caps(cost_nanos=1000)
    await one.open(opening("1", run("uid", caps)))
    redis_server.kill()
    first = [one.open(opening(f"a{n}", run("uid", caps))) for n in range(20)]
    results = await asyncio.gather(*first, return_exceptions=True)
    opened = [f"a{n}" for n, found in enumerate(results) if not isinstance(found, Exception)]
    assert len(opened) == 5  # half of 900 is left to it: 450, and the fifth overshoots
    assert all(isinstance(r, CapReachedError) for r in results if isinstance(r, Exception))
    strict = run("s", Caps(cost_nanos=10**9, strict=True))
    with pytest.raises(SharedLedgerAwayError):
        await two.open(opening("s", strict, bound=Bound(1, 1, 1, 1)))
    assert (one.state().mode, one.state().gateways) == (LedgerMode.LOCAL, 2)
    await one.settle([booking("1", 90)], 5)
    for name in opened[:3]:
        await one.settle([booking(name, 80)], 5)
    assert one.state().spooled >= 4
    redis_server.start()
    await until_mode(one, LedgerMode.SHARED)
    total = await one.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled) == (90 + 3 * 80 + 2 * 100, 6, False)
    for name in opened[3:]:
        await one.settle([booking(name, 70)], 5)
    total = await one.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled) == (90 + 3 * 80 + 2 * 70, 6, True)
    assert await (await world.rows()).execution("uid") == total
    assert await world.open_requests() == 0
    assert one.state().spooled == 0


async def test_nothing_is_settled_while_another_gateway_has_not_brought_home_its_spool(
    world: SharedWorld, redis_server: RedisServer
) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    redis_server.kill()
    for ledger, name in ((one, "1"), (two, "2")):
        await ledger.open(opening(name, run("uid", NO_CAPS)))
        await ledger.settle([booking(name, 70)], 5)
    assert two._beating is not None
    await end_task(two._beating)  # it comes late
    redis_server.start()
    await until_mode(one, LedgerMode.SHARED)

    async def is_writing() -> bool:
        return not world.writer.fault

    await until(is_writing)
    total = await one.execution("uid")
    assert (total.cost_nanos, total.settled) == (70, False)
    await two._recovery.heartbeat()
    for ledger in (one, two):
        total = await ledger.execution("uid")
        assert (total.cost_nanos, total.settled) == (140, True)


async def test_a_writer_whose_disk_refuses_says_so_until_it_writes_again(
    world: SharedWorld,
) -> None:
    async def works() -> bool:
        return not world.writer.fault

    async def waits() -> bool:
        return "can't be written" in world.writer.fault

    async def looks() -> int:
        counted = await world.redis.info("commandstats")
        return int(counted["cmdstat_exists"]["calls"])

    await until(works)
    world.storage.run_now(lambda disk: disk.execute("PRAGMA query_only = ON"))
    ledger = await world.gateway()
    await ledger.open(opening("1", run("uid", NO_CAPS)))
    await ledger.settle([booking("1", 70)], 5)
    await until(waits)
    before = await looks()

    async def has_looked() -> bool:
        assert await waits()  # Redis is well all the time
        return await looks() > before + 2

    await until(has_looked)
    world.storage.run_now(lambda disk: disk.execute("PRAGMA query_only = OFF"))
    await until(works)
    assert await (await world.rows()).agent("default/a") == (70, 1)


async def test_a_gateway_that_leaves_is_not_waited_for(world: SharedWorld) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    await two.open(opening("1", run("uid", NO_CAPS)))
    await two.settle([booking("1", 70)], 5)
    await world.abandon(two)
    assert await world.redis.zrange(f"{MONEY}gateways", 0, -1) == [one.gateway.encode()]
    assert (await one.execution("uid")).settled


async def test_a_gateway_that_is_silent_is_waited_for_until_it_counts_as_dead(
    world: SharedWorld,
) -> None:
    one, two = await world.gateway("one"), await world.gateway("two")
    assert two._beating is not None
    await end_task(two._beating)
    lease = int(time.time() * 1000) + 15_000
    for ago_ms, settled in ((2_000, True), (5_000, False)):
        await world.redis.zadd(f"{MONEY}gateways", {two.gateway: lease - ago_ms})
        assert (await one.execution("uid")).settled is settled


async def test_the_spool_of_a_dead_gateway_is_replayed_by_the_next(
    world: SharedWorld, redis_server: RedisServer
) -> None:
    ledger = await world.gateway("pod")
    redis_server.kill()
    for name in ("1", "2", "3"):
        await ledger.open(opening(name, run("uid", NO_CAPS)))
    await ledger.note([booking("2", 44)])
    await ledger.settle([booking("1", 70)], 5)
    await world.abandon(ledger)
    spool = next((world.folder / "pod" / "spool").iterdir())
    spool.write_bytes(spool.read_bytes() + b'{"kind":"settle","id":"3","he')  # a torn line
    again = await world.gateway("pod")
    redis_server.start()
    await until_mode(again, LedgerMode.SHARED)
    total = await again.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled, total.estimated) == (
        70 + 44 + 100,
        3,
        True,
        True,
    )
    assert await (await world.rows()).execution("uid") == total
    assert list((world.folder / "pod" / "spool").iterdir()) == []


async def test_a_replay_that_breaks_off_adds_nothing_twice(
    world: SharedWorld, redis_server: RedisServer
) -> None:
    ledger = await world.gateway("pod")
    await ledger.open(opening("shared", run("uid", NO_CAPS)))
    redis_server.kill()
    await ledger.open(opening("local", run("uid", NO_CAPS)))
    await ledger.settle([booking("shared", 50), booking("local", 60)], 5)
    spool = {path: path.read_bytes() for path in (world.folder / "pod" / "spool").iterdir()}
    redis_server.start()
    await until_mode(ledger, LedgerMode.SHARED)
    await world.abandon(ledger)
    for path, text in spool.items():  # as if it had died before it forgot them
        path.write_bytes(text)
    again = await world.gateway("pod")
    total = await again.execution("uid")
    assert (total.cost_nanos, total.requests) == (110, 2)
    assert await (await world.rows()).execution("uid") == total


async def test_a_writer_that_dies_between_insert_and_confirmation_doubles_nothing(
    world: SharedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await world.gateway()
    await world.writer.close()
    for name in ("1", "2"):
        await ledger.open(opening(name, run("uid", NO_CAPS)))
        await ledger.settle([booking(name, 50)], 5)
    consumer = world.writer.consumer
    entries = await consumer._read(">")
    monkeypatch.setattr(consumer, "_confirm", _die)
    with pytest.raises(ConnectionError):
        await consumer._write(entries)
    assert await world.redis.xlen(f"{MONEY}records") == 2
    await world.restart_writer()
    rows = await world.rows()
    total = await rows.execution("uid")
    assert (total.cost_nanos, total.requests) == (100, 2)
    assert total == await ledger.execution("uid")
    pending = await world.redis.xpending(f"{MONEY}records", "writer")
    assert pending["pending"] == 0


async def _die(_entries: object) -> None:
    raise ConnectionError
