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
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.names import RESUMED_ANNOTATION
from heliostat_core.schedules.status import Outcome, Receipt, ScheduleStatus
from heliostat_core.worlds import AGENT, EXECUTION, Ref
from support.builders.resources import make_condition_status
from support.objects import make_agent, make_execution

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
    await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW, NOW)
    await backfill(opened, Terminal(), REF, NOW - 15 * DAY, NOW, NOW)
    assert capsys.readouterr().out.splitlines() == [
        "execution.heliostat.dev/sales-20261115t230000z created",
        "execution.heliostat.dev/sales-20261108t230000z created",
        "execution.heliostat.dev/sales-20261115t230000z is there already: Pending",
    ]
    made = [Execution.model_validate(each) async for each in opened.world.list(EXECUTION)]
    assert {each.spec.trigger.kind for each in made} == {"Backfill"}
    assert all(each.spec.trigger.scheduled_time for each in made)


LAST = "sales-20261115t230000z"
LAST_TIME = datetime(2026, 11, 15, 23, tzinfo=UTC)


async def give(opened: OpenWorld, reason: FinishedReason) -> str:
    """The Execution of the last time, ended in that way: its uid."""
    trigger = {"kind": "Schedule", "id": "CronJob", "scheduledTime": "2026-11-15T23:00:00Z"}
    made = await opened.world.create(make_execution("default", LAST, trigger=trigger))
    went_well = reason is FinishedReason.VERIFIED
    ended = make_condition_status(
        succeeded="True" if went_well else "False", reason=reason, at=LAST_TIME
    )
    await opened.world.patch_status({**made, "status": ended.to_json()})
    return Execution.model_validate(made).metadata.uid


async def last(opened: OpenWorld) -> Execution:
    return Execution.model_validate(await opened.world.get(Ref(EXECUTION, "default", LAST)))


async def test_backfill_takes_the_place_of_what_was_skipped(
    opened: OpenWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trigger outside had made it; the schedule let it not run."""
    await declare(opened)
    uid = await give(opened, FinishedReason.SKIPPED)
    await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW, NOW)
    found = await last(opened)
    assert (found.spec.trigger.kind, found.is_finished) == ("Backfill", False)
    assert found.metadata.uid != uid
    assert capsys.readouterr().out == (
        f"execution.heliostat.dev/{LAST} created in place of the one that was skipped\n"
    )


@pytest.mark.parametrize(
    ("reason", "phase"),
    [(FinishedReason.VERIFIED, "Succeeded"), (FinishedReason.AGENT_ERROR, "Failed")],
)
async def test_backfill_says_how_what_is_there_ended(
    opened: OpenWorld,
    capsys: pytest.CaptureFixture[str],
    reason: FinishedReason,
    phase: str,
) -> None:
    await declare(opened)
    uid = await give(opened, reason)
    await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW, NOW)
    assert (await last(opened)).metadata.uid == uid
    assert capsys.readouterr().out == (
        f"execution.heliostat.dev/{LAST} is there already: {phase}\n"
    )


@pytest.mark.parametrize(
    ("outcome", "is_made"), [("Ran", False), ("Late", False), ("Missed", True)]
)
async def test_backfill_leaves_alone_what_ran_and_is_gone(
    opened: OpenWorld, capsys: pytest.CaptureFixture[str], outcome: Outcome, is_made: bool
) -> None:
    await declare(opened)
    receipt = Receipt(
        scheduled_time=LAST_TIME, outcome=outcome, reason="Any", time=LAST_TIME, result="Succeeded"
    )
    state = ScheduleStatus(decided_time=LAST_TIME, recent=(receipt,))
    found = await opened.world.get(REF)
    status = {"schedule": state.to_json()}
    await opened.world.patch_status({**(found or {}), "status": status})
    await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW, NOW)
    assert (await opened.world.get(Ref(EXECUTION, "default", LAST)) is not None) == is_made
    said = "created" if is_made else "ran already: Succeeded"
    assert capsys.readouterr().out == f"execution.heliostat.dev/{LAST} {said}\n"


async def test_backfill_says_that_a_time_lies_in_a_blackout(
    opened: OpenWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    blackout = {"cron": "0 0 * * 1", "durationSeconds": 86_400, "reason": "move"}
    await declare(opened, blackouts=[blackout])
    await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW, NOW)
    assert capsys.readouterr().out == (
        f"execution.heliostat.dev/{LAST} created, in a blackout: move\n"
    )


async def test_backfill_runs_nothing_before_its_time(opened: OpenWorld) -> None:
    await declare(opened)
    with pytest.raises(UsageError, match="lies ahead"):
        await backfill(opened, Terminal(), REF, NOW - 8 * DAY, NOW + DAY, NOW)
    assert [each async for each in opened.world.list(EXECUTION)] == []


async def test_backfill_is_bounded(opened: OpenWorld) -> None:
    await declare(opened)
    with pytest.raises(UsageError, match="more than 100"):
        await backfill(opened, Terminal(), REF, NOW - 900 * DAY, NOW, NOW)


async def test_an_agent_without_a_schedule_is_told_how_to_have_one(opened: OpenWorld) -> None:
    await opened.world.apply(make_agent("default"))
    with pytest.raises(CliError, match="has no schedule"):
        await pause(opened, Terminal(), REF)


def test_an_instant_without_offset_is_utc() -> None:
    assert parse_instant("--from", "2026-11-09") == datetime(2026, 11, 9, tzinfo=UTC)
    with pytest.raises(UsageError, match="is no instant"):
        parse_instant("--from", "monday")
