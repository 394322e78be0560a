"""The stream of one screen: a snapshot, then reports; or only what it missed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass, field

from fastapi.sse import ServerSentEvent

from heliostat_api.events.audiences import audiences_of_person
from heliostat_api.events.log import EventLog
from heliostat_api.events.reports import Logged
from heliostat_api.people.person import Person
from heliostat_api.views import ReportView, SnapshotView

WAIT_SECONDS = 15.0
Snapshots = Callable[[Person], Awaitable[SnapshotView]]


@dataclass(frozen=True)
class Streams:
    """What every stream of a replica needs."""

    log: EventLog
    take_snapshot: Snapshots
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Ends every stream, now and from now on: clients go on elsewhere."""
        self.ending.set()

    async def follow(
        self, person: Person, cursor: int | None
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Until `end`. `cursor` None begins with a snapshot, and so does one that is too old."""
        audiences = audiences_of_person(person)
        while not self.ending.is_set():
            if cursor is None:
                snapshot = await self.take_snapshot(person)
                cursor = snapshot.cursor
                yield as_snapshot_event(snapshot)
            found = await self.log.read(audiences, cursor)
            if found.has_gap:
                cursor = None
                continue
            for each in found.reports:
                yield as_report_event(each)
            cursor = found.end
            if not found.reports:
                await self._wait(audiences, cursor)

    async def _wait(self, audiences: Collection[str], cursor: int) -> None:
        """Until there may be more to tell, or everything ends."""
        tasks = {
            asyncio.create_task(self.log.wait(audiences, cursor, WAIT_SECONDS)),
            asyncio.create_task(self.ending.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def as_snapshot_event(snapshot: SnapshotView) -> ServerSentEvent:
    """Its id is the cursor: a client that reconnects goes on from there."""
    return ServerSentEvent(
        raw_data=snapshot.model_dump_json(by_alias=True),
        event="snapshot",
        id=str(snapshot.cursor),
    )


def as_report_event(logged: Logged) -> ServerSentEvent:
    """One `report` event."""
    report = logged.report
    view = ReportView.model_validate(
        {
            "id": logged.id,
            "type": report.type,
            "correlation_id": report.correlation_id,
            "execution": report.execution,
            "time": report.time,
            "payload": report.payload,
        }
    )
    return ServerSentEvent(
        raw_data=view.model_dump_json(by_alias=True), event="report", id=str(logged.id)
    )


def read_cursor(text: str | None) -> int | None:
    """A cursor as a client sends it; whatever is none begins with a snapshot."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return int(text)
