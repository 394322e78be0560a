"""Every screen hears all that is meant for it, however many there are."""

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from heliostat_api.base.person import Person, PersonKind, view_person
from heliostat_api.base.stream_views import SnapshotView
from heliostat_api.events.log import Report, ReportType
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.events.stream import Streams

ANN = Person("ann", PersonKind.GUEST)
BOB = Person("bob", PersonKind.GUEST)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REPORTS = 20


def report(text: str) -> Report:
    return Report(ReportType.EXECUTION_CHANGED, NOW, {"text": text})


async def test_two_screens_of_a_person_hear_everything_and_another_person_nothing_of_it(
    tmp_path: Path,
) -> None:
    log = SqliteEventLog(tmp_path / "events.sqlite")

    async def take_snapshot(person: Person) -> SnapshotView:
        shown = view_person(person, NOW)
        return SnapshotView(
            cursor=await log.end(), time=NOW, person=shown, agents=(), executions=()
        )

    streams, begun = Streams(log, take_snapshot), asyncio.Barrier(4)

    async def watch(person: Person) -> list[str]:
        heard: list[str] = []
        async with aclosing(streams.follow(person, None)) as events:
            async for event in events:
                if event.event == "snapshot":
                    await begun.wait()
                    continue
                heard.append(json.loads(event.raw_data or "")["payload"]["text"])
                if len(heard) == REPORTS:
                    return heard
        raise AssertionError("it ended")

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        screens = [group.create_task(watch(person)) for person in (ANN, ANN, BOB)]
        await begun.wait()
        for number in range(REPORTS):
            await log.append("person:ann", report(f"ann {number}"))
            await log.append("person:bob", report(f"bob {number}"))
            await asyncio.sleep(0)
    await log.close()
    anns, bobs = ([f"{who} {number}" for number in range(REPORTS)] for who in ("ann", "bob"))
    assert [each.result() for each in screens] == [anns, anns, bobs]
