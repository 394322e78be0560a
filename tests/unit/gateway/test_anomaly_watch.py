"""The check at work: over a real ledger, one sweep at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from heliostat_gateway.limits.restrictions import Allowed, Paused, SlowDown, StoredRestrictions
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.prices import Rates
from heliostat_gateway.reports.findings import Findings
from heliostat_gateway.reports.reading import LedgerReader
from heliostat_gateway.reports.watches import Action, AnomalyWatch, WatchRules
from heliostat_gateway.storage import Storage
from support.ledger_rows import Row, book

CENT = 10_000_000
HOUR = 3_600_000
NOW = 1_795_000_000_000
AGENT = "default/sales"


def no_rates(provider: str, model: str, at: datetime) -> Rates | None:  # noqa: ARG001
    return None


class World:
    """A ledger with twenty finished runs at 20 cents, and the check over it."""

    def __init__(self, folder: Path) -> None:
        self.storage = Storage(folder)
        self.ledger = SqliteLedger(self.storage)
        self.agent_restrictions = StoredRestrictions(self.storage, 1)
        self.findings = Findings(self.storage)
        self.failures = 0
        self.rows = 0

    async def book(self, *rows: Row) -> None:
        await book(self.ledger, list(rows), first=self.rows)
        self.rows += len(rows)

    def watch(self, action: Action = Action.FLAG, path: Path | None = None) -> AnomalyWatch:
        return AnomalyWatch(
            LedgerReader(path or self.storage.path),
            self.findings,
            self.agent_restrictions,
            no_rates,
            WatchRules(action, CENT, 60),
            self.fail,
        )

    def fail(self) -> None:
        self.failures += 1


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    past = [Row(NOW - 30 * HOUR + n, execution=f"past-{n}", cost=10 * CENT) for n in range(20)]
    await world.book(*past, *past)
    yield world
    world.storage.close()


async def test_a_run_of_six_times_the_median_is_flagged_while_it_goes_on(world: World) -> None:
    watch = world.watch()
    await world.book(Row(NOW - 10, execution="wild", cost=119 * CENT))
    await watch.sweep(NOW)
    assert world.findings.newest(9) == []
    await world.book(Row(NOW + 10, execution="wild", cost=CENT))
    await watch.sweep(NOW + 1000)
    await watch.sweep(NOW + 2000)
    (found,) = world.findings.newest(9)
    assert (found.execution, found.agent, found.action) == ("wild", AGENT, "flag")
    assert (found.cost_nanos, found.times_basis_points) == (120 * CENT, 60_000)
    assert (found.median_nanos, found.known) == (20 * CENT, 20)
    assert world.agent_restrictions.check(AGENT) == Allowed()


async def test_a_pause_is_made_once_for_a_run_and_a_resumed_agent_goes_on(world: World) -> None:
    watch = world.watch(Action.PAUSE)
    await world.book(Row(NOW - 10, execution="wild", cost=200 * CENT))
    await watch.sweep(NOW)
    verdict = world.agent_restrictions.check(AGENT)
    assert isinstance(verdict, Paused)
    assert verdict.reason == (
        "execution wild cost $2.000000, 10.0 times the median of the agent's last 20 runs "
        "($0.200000)."
    )
    await world.agent_restrictions.release(AGENT)
    await world.book(Row(NOW + 10, execution="wild", cost=300 * CENT))
    watch.finished("wild")
    await watch.sweep(NOW + 1000)
    assert world.agent_restrictions.check(AGENT) == Allowed()


async def test_an_ordinary_run_ends_a_slow_down(world: World) -> None:
    watch = world.watch(Action.SLOW_DOWN)
    await world.book(Row(NOW - 10, execution="wild", cost=200 * CENT))
    watch.finished("wild")
    await watch.sweep(NOW)
    assert world.agent_restrictions.check(AGENT) == SlowDown(
        1, world.agent_restrictions.all()[0].reason
    )
    await world.book(Row(NOW + 10, execution="tame", cost=20 * CENT))
    await watch.sweep(NOW + 1000)
    assert isinstance(world.agent_restrictions.check(AGENT), SlowDown)  # it has not ended
    watch.finished("tame")
    await watch.sweep(NOW + 2000)
    assert world.agent_restrictions.check(AGENT) == Allowed()


async def test_what_has_finished_is_known_and_a_second_attempt_is_not_counted_twice(
    world: World,
) -> None:
    watch = world.watch()
    await watch.sweep(NOW)
    for number in range(12):
        await world.book(Row(NOW + number, agent="default/new", execution=f"new-{number}"))
        watch.finished(f"new-{number}")
        await watch.sweep(NOW + number)
        watch.finished(f"new-{number}")
        await watch.sweep(NOW + number)
    assert watch.histories.of("default/new") == [1000] * 12


async def test_a_run_that_falls_silent_has_finished(world: World) -> None:
    watch = world.watch()
    await world.book(Row(NOW, agent="default/new", execution="silent", cost=7))
    await watch.sweep(NOW + 1000)
    assert watch.histories.of("default/new") == []
    await watch.sweep(NOW + 2 * HOUR)
    assert watch.histories.of("default/new") == [7]
    await watch.sweep(NOW + 4 * HOUR)
    assert watch.histories.of("default/new") == [7]


async def test_a_new_process_knows_what_the_old_one_knew(world: World) -> None:
    """Neither lost nor counted twice, wherever the restart falls."""
    old = world.watch()
    for minute in range(0, 200, 7):
        row = Row(NOW + minute * 60_000, agent="default/new", execution=f"m{minute}", cost=minute)
        await world.book(row)
        old.finished(row.execution)
        await old.sweep(row.started_ms)
    new = world.watch()
    for later in (201, 230, 270, 330):
        await new.sweep(NOW + later * 60_000)
    assert new.histories.of("default/new") == old.histories.of("default/new")


async def test_calls_of_no_agent_are_nobodys_runs(world: World) -> None:
    await world.book(Row(NOW - 10, agent="", execution="", cost=10**15))
    await world.watch().sweep(NOW)
    assert world.findings.newest(9) == []


async def test_a_check_that_fails_is_counted_and_goes_on(world: World, tmp_path: Path) -> None:
    watch = world.watch(path=tmp_path / "nothing.sqlite")
    with pytest.raises(Exception, match="can't be read as a ledger"):
        await watch.sweep(NOW)
    watch.start()
    async with asyncio.timeout(10):
        while world.failures < 2:
            watch.finished("any")
            await asyncio.sleep(0)
    await watch.stop()
    assert (watch.failures >= 2, watch.learned) == (True, False)
    assert world.agent_restrictions.check(AGENT) == Allowed()


async def test_findings_are_bounded_and_kept(world: World, tmp_path: Path) -> None:
    watch = world.watch()
    await world.book(Row(NOW - 10, execution="wild", cost=200 * CENT))
    await watch.sweep(NOW)
    (found,) = world.findings.newest(9)
    world.storage.close()
    storage = Storage(tmp_path)
    again = Findings(storage, kept=5)
    assert again.newest(9, AGENT) == [found]
    assert again.newest(9, "default/other") == []
    for number in range(6):
        await again.add(type(found)(**vars(found) | {"execution": str(number), "seen_ms": NOW + 1}))
    assert (len(again.newest(9)), "wild" in again) == (5, False)
    assert len(Findings(storage).newest(9)) == 5
    storage.close()
    world.storage = Storage(tmp_path)
