"""The stream: a snapshot, then every report once and in order, wherever the client was dropped."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi.sse import ServerSentEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_api.base.person import Person, PersonKind, view_person
from heliostat_api.base.stream_views import SnapshotView
from heliostat_api.events.log import Bounds, EventLog, Report, ReportType
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.events.stream import Streams, read_cursor
from support.redis_server import RedisServer

ANN = Person("ann", PersonKind.GUEST)
MANY = 300
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Screen:
    """A client: what it was told so far, and where it goes on when it is dropped."""

    def __init__(self) -> None:
        self.cursor: int | None = None
        self.told: list[int] = []
        self.snapshots = 0

    async def read(self, log: SqliteEventLog, reports: int) -> None:
        """Connects, reads so many reports, and is dropped."""
        if not reports and self.cursor is not None:
            return
        async with aclosing(streams(log).follow(ANN, self.cursor)) as events:
            async with asyncio.timeout(10):
                await self._take(events, reports)

    async def _take(self, events: AsyncIterator[ServerSentEvent], reports: int) -> None:
        async for event in events:
            self.cursor = read_cursor(event.id)
            body = json.loads(event.raw_data or "")
            if event.event == "snapshot":
                self.snapshots += 1
            else:
                self.told.append(body["payload"]["number"])
                reports -= 1
            if reports <= 0:
                return


def streams(log: EventLog) -> Streams:
    async def snapshot(person: Person) -> SnapshotView:
        return SnapshotView(
            cursor=await log.end(),
            time=NOW,
            person=view_person(person, NOW),
            agents=(),
            executions=(),
        )

    return Streams(log, snapshot)


def report(number: int) -> Report:
    return Report(ReportType.EXECUTION_CHANGED, NOW, {"number": number})


async def play(path: Path, steps: Sequence[tuple[int, int]], *, restart: bool) -> None:
    """Each step appends some reports and lets the client read some of those that are left."""
    log = SqliteEventLog(path)
    screen = Screen()
    await screen.read(log, 0)
    numbers = count()
    appended = 0
    for more, wanted in steps:
        for number in islice(numbers, more):
            await log.append(f"person:{ANN.id}", report(number))
            await log.append("person:bob", report(number))
        appended += more
        await screen.read(log, min(wanted, appended - len(screen.told)))
        if restart:
            await log.close()
            log = SqliteEventLog(path)
    await screen.read(log, appended - len(screen.told))
    await log.close()
    assert screen.told == list(range(appended))
    assert screen.snapshots == 1


@settings(deadline=None)  # every step writes to a disk
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=8),
    st.booleans(),
)
def test_exactly_the_missing_suffix_arrives_once_and_in_order(
    steps: list[tuple[int, int]], restart: bool
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "events.sqlite", steps, restart=restart))


async def test_a_client_that_was_away_too_long_gets_a_new_snapshot(tmp_path: Path) -> None:
    log = SqliteEventLog(tmp_path / "events.sqlite", Bounds(bound=3, slack=1))
    for number in range(8):
        await log.append(f"person:{ANN.id}", report(number))
    async with aclosing(streams(log).follow(ANN, 1)) as events:
        first = await anext(events)
    end = await log.end()
    await log.close()
    assert (first.event, first.id) == ("snapshot", str(end))


def test_a_cursor_is_a_number_and_anything_else_none() -> None:
    assert read_cursor("12") == 12
    for text in (None, "", "-1", "1.5", "٣", "1" * 40, "abc"):
        assert read_cursor(text) is None


async def test_a_restart_of_redis_ends_none_of_many_streams(redis_server: RedisServer) -> None:
    log = RedisEventLog(redis_server.url)
    opened, begun = streams(log), asyncio.Barrier(MANY + 1)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        told = [group.create_task(first_report(opened, begun)) for _ in range(MANY)]
        await begun.wait()  # all of them came at once
        await asyncio.to_thread(redis_server.kill)
        await asyncio.to_thread(redis_server.start)
        await log.append(f"person:{ANN.id}", report(1))
    assert [each.result() for each in told] == [1] * MANY
    await log.close()


async def first_report(opened: Streams, begun: asyncio.Barrier) -> int:
    async with aclosing(opened.follow(ANN, None)) as events:
        async for event in events:
            body = json.loads(event.raw_data or "")
            if event.event == "report":
                return int(body["payload"]["number"])
            await begun.wait()
    raise AssertionError("it ended")
