"""The recorder: what happens in the world goes into documents, then into reports.

A document is committed before its report is appended, so that a snapshot never lacks what its
cursor says was heard. A crash between the two is mended by the next start: everything that is
there is seen again, and a report that was heard already is left out by its key. What is gone
cannot be seen again, so its document says until then that it is not reported.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
    StoreError,
)
from heliostat_api.events.audiences import audiences_of_owner_field
from heliostat_api.events.log import EventLog
from heliostat_api.recording.closing import Closing
from heliostat_api.recording.owners import Owners
from heliostat_api.recording.subjects import (
    LIVE,
    Subject,
    revision_in,
    subject_of_agent,
    subject_of_execution,
    subject_of_gone,
)
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.worlds import AGENT, EXECUTION, Change, JsonObject, Kind, World, WorldError

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_PAGE = 200
_UNREPORTED = "unreported"


@dataclass(frozen=True)
class Recorder:
    """Watches Agents and Executions until it is cancelled."""

    world: World
    documents: Documents
    log: EventLog
    owners: Owners
    closing: Closing
    clock: Callable[[], datetime]
    _caught_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_caught_up(self) -> bool:
        """Whether what happened before this start is recorded."""
        return self._caught_up.is_set()

    async def run(self) -> None:
        """A world or a store that is away is tried again; nothing of it is lost."""
        while True:
            try:
                await self.catch_up()
                self._caught_up.set()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._follow(AGENT))
                    group.create_task(self._follow(EXECUTION))
                    group.create_task(self.closing.run())
            except* (WorldError, StoreError) as errors:
                _LOG.warning("recording goes on in a moment: %s", errors.exceptions[0])
            await asyncio.sleep(_RETRY_SECONDS)

    async def audiences_of(self, uid: str) -> tuple[str, ...] | None:
        """Who hears of an Execution; None when there is none. Raises UnavailableError."""
        document = await self.documents.get(f"executions/{uid}")
        return audiences_of_owner_field(str(document.fields[OWNER])) if document else None

    async def catch_up(self) -> None:
        """Records what happened while nobody watched: agents first, who own the executions."""
        for kind in (AGENT, EXECUTION):
            seen = {await self.see(kind, obj) async for obj in self.world.list(kind)}
            async for document in self._left_open(kind):
                if document.path not in seen:
                    await self._see_gone(document.path)

    async def _follow(self, kind: Kind) -> None:
        """Raises what ends the watch."""
        async for change in self.world.watch(kind):
            await self._see_change(kind, change)

    async def _see_change(self, kind: Kind, change: Change) -> None:
        path = await self.see(kind, change.object)
        if change.type == "DELETED":
            await self._see_gone(path)

    async def see(self, kind: Kind, obj: JsonObject) -> str:
        """Records one state of a resource, however often; returns the path of its document."""
        subject = self._subject(kind, obj)
        if await self._commit(subject):
            await self._report(subject)
        return subject.path

    def _subject(self, kind: Kind, obj: JsonObject) -> Subject:
        if kind is AGENT:
            agent = Agent.model_validate(obj)
            return subject_of_agent(agent, self.owners.of_agent(agent), self.clock())
        execution = Execution.model_validate(obj)
        self.closing.see(execution)
        return subject_of_execution(execution, self.owners.of_execution(execution), self.clock())

    async def _see_gone(self, path: str) -> None:
        document = await self.documents.get(path)
        self.closing.forget(path.partition("/")[2])
        if document is None or not is_left_open(document):
            return
        subject = subject_of_gone(document, self.clock())
        if await self._commit(subject, {_UNREPORTED: True}):
            await self._report(subject)
            await self._commit(subject, {_UNREPORTED: False})

    async def _commit(self, subject: Subject, mark: Fields | None = None) -> bool:
        """Whether the subject is the last word: not when another replica saw a later state."""
        while True:
            known = await self.documents.get(subject.path)
            before: Fields = known.fields if known else {}
            if known and revision_in(known) > subject.revision:
                return False
            fields = {**before, **subject.fields, **(mark or {})}
            if fields == before:
                return True
            try:
                expected = known.version if known else Expected.ABSENT
                await self.documents.commit(Put(subject.path, fields, expected))
            except ConflictError:
                continue
            return True

    async def _report(self, subject: Subject) -> None:
        for audience in subject.audiences:
            await self.log.append(audience, subject.report, subject.key)

    async def _left_open(self, kind: Kind) -> AsyncIterator[Document]:
        """Documents of things that were there, or whose end was not reported."""
        for name in (LIVE, _UNREPORTED):
            query = Query(kind.plural, owner=None, where={name: True}, limit=_PAGE)
            cursor: str | None = None
            while True:
                page = await self.documents.query(replace(query, after=cursor))
                for document in page.documents:
                    yield document
                if (cursor := page.next) is None:
                    break


def is_left_open(document: Document) -> bool:
    """Whether its end is still to be recorded or reported."""
    return document.fields.get(LIVE) is True or document.fields.get(_UNREPORTED) is True
