"""A thousand schedules on one tick, fired by the engine over the embedded world."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.figures import Report, percentile, spread
from heliostat_api.records.schedules import starts_in_a_month
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.host import embedded_operator_settings
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.keys import new_private_key
from heliostat_core.schedules import Blackout, Schedule, faults_of, fires
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, Kind
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import Signer
from support.fake_gateway import FakeGateway
from support.objects import make_agent, name_of

SCHEDULES = int(os.environ.get("BENCH_SCHEDULES", "1000"))
READY_SECONDS = 120


class Shifted:
    """The clock of the world, moved so that the next minute begins when everybody is ready."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move_to(self, wanted: datetime) -> None:
        self._ahead = wanted - datetime.now(UTC)


class NotingWorld(EmbeddedWorld):
    """Notes when each Execution was there; one that is made twice is refused by the world."""

    def __init__(self, store: Store, clock: Shifted) -> None:
        super().__init__(store, clock=clock.now)
        self._shifted = clock
        self.made: dict[str, datetime] = {}

    async def create(self, obj: JsonObject) -> JsonObject:
        made = await super().create(obj)
        if obj["kind"] == EXECUTION.name:
            self.made[name_of(made)] = self._shifted.now()
        return made


@pytest.mark.timeout(300)
async def test_a_thousand_schedules_on_one_tick(tmp_path: Path, report: Report) -> None:
    clock = Shifted()
    clock.move_to(datetime.now(UTC).replace(minute=0, second=1, microsecond=0))
    due = clock.now().replace(minute=30, second=0)
    with closing(Store(StateFolder(tmp_path / "state").world_file)) as store:
        world = NotingWorld(store, clock)
        for number in range(SCHEDULES):
            schedule = {"cron": "30 * * * *", "trigger": "Builtin"}
            await world.create(make_agent("default", f"agent-{number}", schedule=schedule))
        used = await fire(world, clock, due)
    lateness = [(each - due).total_seconds() for each in world.made.values()]
    assert len(lateness) == SCHEDULES
    assert min(lateness) >= 0
    p99 = percentile(lateness, 99)
    report.add(
        f"time of {SCHEDULES} schedules → Execution made, embedded world",
        spread(lateness),
        "p99 <= 2 s",
        p99 <= 2,
        f"{used / SCHEDULES * 1000:.1f} ms of this process's CPU for one",
    )


BLACKOUTS = tuple(
    Blackout(cron=f"0 {number % 24} {number % 28 + 1} {number % 12 + 1} *", duration_seconds=86_400)
    for number in range(32)
)
WITH_BLACKOUTS = Schedule(cron="* * * * *", time_zone="America/New_York", blackouts=BLACKOUTS)


@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("judged", lambda _: faults_of.__wrapped__(WITH_BLACKOUTS)),
        ("its next 50 times", lambda now: fires(WITH_BLACKOUTS, now, 50)),
        ("a month of it counted", lambda now: starts_in_a_month(WITH_BLACKOUTS, now)),
    ],
)
def test_a_schedule_with_32_blackouts(
    what: str, ask: Callable[[datetime], object], report: Report
) -> None:
    """Each is done while an event loop waits."""
    used = []
    for day in range(10):
        began = time.process_time()
        ask(datetime(2026, 11, 20 + day, 12, tzinfo=UTC))
        used.append(time.process_time() - began)
    longest = max(used)
    limit = "<= 0.1 s"
    report.add(f"a schedule with 32 blackouts: {what}", spread(used), limit, longest <= 0.1)


async def fire(world: NotingWorld, clock: Shifted, due: datetime) -> float:
    """The engine as the embedded world has it, until all were made: processor time from 5 s before
    the tick on."""
    engine = Engine(
        world,
        FakeGateway(),
        Signer(new_private_key(), utc_now),
        embedded_operator_settings(),
        clock.now,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(engine.run())]
        tasks += [group.create_task(feed(engine, world, each)) for each in (AGENT, EXECUTION)]
        await until(lambda: len(engine.queue("schedule")) == 0)
        clock.move_to(due - timedelta(seconds=5))
        began = time.process_time()
        for number in range(SCHEDULES):
            engine.queue("schedule").add(("default", f"agent-{number}"))
        await until(lambda: len(world.made) == SCHEDULES)
        used = time.process_time() - began
        for task in tasks:
            task.cancel()
    return used


async def feed(engine: Engine, world: EmbeddedWorld, kind: Kind) -> None:
    async for change in world.watch(kind):
        engine.see(kind, change)


async def until(is_so: Callable[[], bool]) -> None:
    await asyncio.sleep(1)
    async with asyncio.timeout(READY_SECONDS):
        while not is_so():
            await asyncio.sleep(0.05)
