"""`heliostat schedule` over an embedded world."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.logs import EmbeddedLogs
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_cli.errors import CliError, UsageError
from heliostat_cli.schedules import backfill, parse_instant, pause, preview, resume
from heliostat_cli.screen import Terminal
from heliostat_cli.worlds import OpenWorld
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import RESUMED_ANNOTATION
from heliostat_core.worlds import AGENT, EXECUTION, Ref
from support.objects import make_agent

REF = Ref(AGENT, "default", "sales")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenWorld]:
    folder = StateFolder(tmp_path)
    store = Store(folder.world_file)
    world = EmbeddedWorld(store, manager="heliostat-cli")
    yield OpenWorld(
        world,
        EmbeddedWorld(store, manager="heliostat-cancel"),
        EmbeddedLogs(world, folder),
        lambda _: None,
        goes_on=True,
    )
    store.close()


async def declare(opened: OpenWorld, **schedule: object) -> None:
    given = {"frequency": "weekly", "time": "08:00", "timeZone": "Asia/Seoul", **schedule}
    await opened.world.apply(make_agent("default", schedule=given))


async def agent(opened: OpenWorld) -> Agent:
    return Agent.model_validate(await opened.world.get(REF))


async def test_a_preview_tells_words_and_times(
    opened: OpenWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    blackout = {
        "startTime": "2026-11-29T00:00:00Z",
        "endTime": "2026-12-01T00:00:00Z",
        "reason": "move",
    }
    await declare(opened, blackouts=[blackout])
    await preview(opened, Terminal(), REF, 2, NOW)
    assert capsys.readouterr().out.splitlines() == [
        "agent sales: every Monday at 08:00, Asia/Seoul",
        "LOCAL                        UTC                    NOTE",
        "Mon 2026-11-23 08:00 +0900   2026-11-22T23:00:00Z",
        "Mon 2026-11-30 08:00 +0900   2026-11-29T23:00:00Z   Blackout: move",
    ]


async def test_a_pause_is_taken_back_by_resume(opened: OpenWorld) -> None:
    await declare(opened)
    await pause(opened, Terminal(), REF)
    schedule = (await agent(opened)).spec.schedule
    assert schedule is not None
    assert schedule.suspend
    await resume(opened, Terminal(), REF, NOW)
    resumed = await agent(opened)
    assert resumed.spec.schedule is not None
    assert not resumed.spec.schedule.suspend
    assert resumed.metadata.annotations[RESUMED_ANNOTATION] == "2026-11-20T12:00:00Z"


async def test_a_suspension_of_the_manifest_is_not_ours_to_end(opened: OpenWorld) -> None:
    await declare(opened, suspend=True)
    with pytest.raises(CliError, match="was set by somebody else"):
        await resume(opened, Terminal(), REF, NOW)


async def test_backfill_makes_each_missing_run_once(
    opened: OpenWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    await declare(opened)
    await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW)
    await backfill(opened, Terminal(), REF, NOW - 15 * DAY, NOW)
    assert capsys.readouterr().out.splitlines() == [
        "execution.heliostat.dev/sales-20261115t230000z created",
        "execution.heliostat.dev/sales-20261108t230000z created",
        "execution.heliostat.dev/sales-20261115t230000z is there already",
    ]
    made = [Execution.model_validate(each) async for each in opened.world.list(EXECUTION)]
    assert {each.spec.trigger.kind for each in made} == {"Backfill"}
    assert all(each.spec.trigger.scheduled_time for each in made)


async def test_backfill_is_bounded(opened: OpenWorld) -> None:
    await declare(opened)
    with pytest.raises(UsageError, match="more than 100"):
        await backfill(opened, Terminal(), REF, NOW - 900 * DAY, NOW)


async def test_an_agent_without_a_schedule_is_told_how_to_have_one(opened: OpenWorld) -> None:
    await opened.world.apply(make_agent("default"))
    with pytest.raises(CliError, match="has no schedule"):
        await pause(opened, Terminal(), REF)


def test_an_instant_without_offset_is_utc() -> None:
    assert parse_instant("--from", "2026-11-09") == datetime(2026, 11, 9, tzinfo=UTC)
    with pytest.raises(UsageError, match="is no instant"):
        parse_instant("--from", "monday")
