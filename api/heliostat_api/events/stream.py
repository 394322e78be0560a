"""The stream of one screen: a snapshot, then reports; or only what it missed."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, TypeVar

from fastapi.sse import ServerSentEvent

from heliostat_api.base.person import Person
from heliostat_api.base.stream_views import SnapshotView
from heliostat_api.documents.port import StoreError
from heliostat_api.events.log import EventLog, Logged, Report, ReportType, Slice
from heliostat_api.events.revocations import StreamLease
from heliostat_api.people.topics import topics_of_person

WAIT_SECONDS = 15.0
"""Silence after which a heartbeat is sent."""
PATIENCE_SECONDS: Final = 15.0
"""A store that is away for longer ends the stream: a screen says then that its line is broken."""
_RETRY_SECONDS: Final = 0.5
_T = TypeVar("_T")
Snapshots = Callable[[Person], Awaitable[SnapshotView]]


@dataclass(frozen=True)
class Streams:
    """What every stream of a replica needs."""

    log: EventLog
    take_snapshot: Snapshots
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[object] = field(default_factory=set)

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._open)

    def end(self) -> None:
        """Ends every stream, now and from now on: clients go on elsewhere."""
        self.ending.set()

    async def follow(
        self, person: Person, cursor: int | None, lease: StreamLease | None = None
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Until `end`, or the end of the tenure. `cursor` None begins with a snapshot, and so does
        one that is too old."""
        this = object()
        self._open.add(this)
        try:
            async for event in self._follow(person, cursor, lease):
                yield event
        finally:
            self._open.discard(this)

    async def _follow(
        self, person: Person, cursor: int | None, lease: StreamLease | None
    ) -> AsyncGenerator[ServerSentEvent, None]:
        audiences = {*topics_of_person(person), *([lease.audience] if lease else [])}
        is_told = False
        while not self.ending.is_set():
            if lease and not await lease.holds(is_told=is_told):
                yield ENDED
                return
            if cursor is None:
                snapshot = await self._patiently(lambda: self.take_snapshot(person))
                cursor = snapshot.cursor
                yield as_snapshot_event(snapshot)
            found = await self._read(audiences, cursor)
            if found.has_gap:
                cursor = None
                continue
            for each in found.reports:
                if each.report.type is not ReportType.RIGHTS_CHANGED:
                    yield as_report_event(each)
            cursor = found.end
            is_told = any(each.report.type is ReportType.RIGHTS_CHANGED for each in found.reports)
            if not found.reports and await self._is_silent(audiences, cursor):
                yield HEARTBEAT

    async def _read(self, audiences: Collection[str], cursor: int) -> Slice:
        return await self._patiently(lambda: self.log.read(audiences, cursor))

    async def _patiently(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """What a store answers; one that is away may only be starting anew. Raises StoreError."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return await ask()
            except StoreError:
                if monotonic() >= deadline or self.ending.is_set():
                    raise
            with suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await self.ending.wait()

    async def _is_silent(self, audiences: Collection[str], cursor: int) -> bool:
        """Waits until there may be more to tell, or everything ends; True when nothing came."""
        begin = monotonic()
        tasks = {
            asyncio.create_task(self.log.wait(audiences, cursor, WAIT_SECONDS)),
            asyncio.create_task(self.ending.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return monotonic() - begin >= WAIT_SECONDS and not self.ending.is_set()


HEARTBEAT: Final = ServerSentEvent(raw_data="{}", event="heartbeat")
"""A browser hears no comments, so this is an event: who hears none for long has lost the line."""
ENDED: Final = ServerSentEvent(raw_data="{}", event="ended")
"""The session ended or its rights changed: whoever comes again gets what is theirs then."""


EARLIER_TYPES: Final[Mapping[ReportType, str]] = {
    ReportType.APPROVAL_ASKED: "ask_created",
    ReportType.APPROVAL_DECIDED: "ask_resolved",
    ReportType.APPROVAL_EXECUTED: "ask_resolved",
    ReportType.APPROVAL_OUTCOME_UNKNOWN: "ask_resolved",
}


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
    said: Mapping[str, object] = {  # a ReportView: checked when it was made, not for each screen
        "id": logged.id,
        "type": report.type,
        "correlationId": report.correlation_id,
        "execution": report.execution,
        "time": report.time.isoformat().replace("+00:00", "Z"),
        "payload": report.payload,
        **earlier_names(report),
    }
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return ServerSentEvent(raw_data=text, event="report", id=str(logged.id))


def earlier_names(report: Report) -> Mapping[str, str]:
    """What the earlier platform's clients read of the reports of asks."""
    known = EARLIER_TYPES.get(report.type)
    return {"report_type": known, "correlation_id": report.correlation_id} if known else {}


def read_cursor(text: str | None) -> int | None:
    """A cursor as a client sends it; whatever is none begins with a snapshot."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return int(text)
