"""The recorder: what happens in the world goes into documents, then into reports.

A document is committed before its report is appended, so that a snapshot never lacks what its
cursor says was heard. A crash between the two is mended by the next start: everything that is
there is seen again, and a report that was heard already is left out by its key. What is gone
cannot be seen again, so its document says until then that it is not reported.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TypeAlias

from heliostat_api.base.texts import plain
from heliostat_api.documents.paging import every
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
    UnavailableError,
)
from heliostat_api.events.log import EventLog
from heliostat_api.people.topics import topics_of_owner_field
from heliostat_api.recording.announcing import Announcer
from heliostat_api.recording.followers import Follower
from heliostat_api.recording.lag import Lag
from heliostat_api.recording.totals import Totals
from heliostat_api.recording.transcript_finaliser import TranscriptFinaliser
from heliostat_api.recording.trials import Trials
from heliostat_api.records.annotations import AGENT_ID, TEST_OF
from heliostat_api.records.approvals import subject_of_approval, subject_of_gone_ask
from heliostat_api.records.drafts import read_draft
from heliostat_api.records.fields import LIVE
from heliostat_api.records.owners import Owners
from heliostat_api.records.revisions import revision_path
from heliostat_api.records.states import applied_revision
from heliostat_api.records.subjects import (
    Subject,
    revision_in,
    subject_of_agent,
    subject_of_draft,
    subject_of_execution,
    subject_of_gone,
)
from heliostat_api.web.problems import ProblemError
from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution
from heliostat_core.kinds import optional_kinds, recorded_kinds
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    EXECUTION,
    UNSERVED,
    Change,
    JsonObject,
    Kind,
    Ref,
    World,
    WorldError,
)

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_PAGE = 200
_UNREPORTED = "unreported"
_IS_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
Make: TypeAlias = Callable[[Document | None], Subject | None]
"""From a document as it is to what is to be recorded."""


@dataclass(frozen=True)
class Recorder:
    """Watches Agents, Executions and Approvals until it is cancelled."""

    world: World
    documents: Documents
    log: EventLog
    owners: Owners
    closing: TranscriptFinaliser
    clock: Callable[[], datetime]
    is_erasing: Callable[[str], Awaitable[bool]]
    """Whether nothing of a person's may be kept any more."""
    followers: tuple[Follower, ...] = ()
    """They hear of what is recorded, before the operator may clean it away."""
    again_seconds: float = 60.0
    """How long after the watches began the world is looked at once more."""
    lag: Lag = field(default_factory=Lag)
    kinds: tuple[Kind, ...] = recorded_kinds()
    """What the registry says is recorded, in the order in which it is caught up."""
    optional: frozenset[Kind] = optional_kinds()
    """Kinds whose definition may come later than this program."""
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
                self.lag.end()
                async with asyncio.TaskGroup() as group:
                    for kind in self.kinds:
                        group.create_task(self._follow(kind))
                    group.create_task(self.closing.run())
                    group.create_task(self._catch_up_again())
            except* (WorldError, StoreError) as errors:
                _LOG.warning("recording goes on in a moment: %s", errors.exceptions[0])
            self.lag.begin()
            await asyncio.sleep(_RETRY_SECONDS)

    async def audiences_of(self, uid: str) -> tuple[str, ...] | None:
        """Tells who hears of an Execution; None when there is none. Raises UnavailableError, and a
        problem with status 403 once the record is closed: the run is over, and a key of it that
        somebody still has adds nothing.
        """
        document = await self.documents.get(f"executions/{uid}")
        if document is None or await self.is_erasing(str(document.fields[OWNER])):
            return None
        if document.fields.get("recordedAt"):
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                plain("This run is over and its record is closed: its key delivers nothing more."),
            )
        return topics_of_owner_field(str(document.fields[OWNER]))

    async def catch_up(self) -> None:
        """Records what happened while nobody watched: agents first, who own the executions.

        What is open is read before the world is: what begins in between is not taken for gone.
        """
        for kind in self.kinds:
            open_before = {each.path: _uid_in(each) async for each in self._left_open(kind)}
            try:
                async for obj in self.world.list(kind):
                    open_before.pop(await self._see_alone(kind, obj), None)
            except UNSERVED:
                if kind not in self.optional:
                    raise
                continue
            for path, uid in open_before.items():
                await self._see_gone(path, uid)

    async def _catch_up_again(self) -> None:
        """What went after it was listed and before the watch began was seen by neither."""
        await asyncio.sleep(self.again_seconds)
        await self.catch_up()

    async def _follow(self, kind: Kind) -> None:
        """Raises what ends the watch; what is not served yet is looked for again."""
        while True:
            try:
                async for change in self.world.watch(kind):
                    await self._see_change(kind, change)
                return
            except UNSERVED:
                if kind not in self.optional:
                    raise
            await asyncio.sleep(self.again_seconds)

    async def _see_change(self, kind: Kind, change: Change) -> None:
        if change.type != "DELETED":
            await self._see_alone(kind, change.object)
            return
        meta = ObjectHead.model_validate(change.object).metadata
        if await self._is_known(kind, meta):
            path = await self._see_alone(kind, change.object)
            await self._see_gone(path, meta.uid)

    async def _see_alone(self, kind: Kind, obj: JsonObject) -> str:
        """The same as `see`, but nothing that another version or a person wrote ends the record of
        everybody else: what can't be read or stored stays as it was recorded last."""
        try:
            return await self.see(kind, obj)
        except UnavailableError:
            raise
        except (ValueError, StoreError) as error:
            meta = ObjectHead.model_validate(obj).metadata
            name = f"{kind.name} {meta.namespace}/{meta.name}"
            _LOG.warning("%s can't be recorded and is left alone: %s", name, error)
            draft = await self._draft_of(meta) if kind is AGENT else None
            return _path_of(kind, meta, draft)

    async def see(self, kind: Kind, obj: JsonObject) -> str:
        """Records one state of a resource, however often; returns the path of its document."""
        if kind is AGENT:
            return await self._see_agent(Agent.model_validate(obj))
        if kind is APPROVAL:
            return await self._see_approval(Approval.model_validate(obj))
        if kind is not EXECUTION:
            raise ValueError(f"nothing says how a {kind.name} is recorded")
        execution = Execution.model_validate(obj)
        path = _path_of(kind, execution.metadata)
        if await self._is_going(execution, path):
            return path

        def recorded(known: Document | None) -> Subject:
            owner = self.owners.of_execution(execution, known)
            agent_id = self.owners.agent_id_of(execution, known)
            return subject_of_execution(execution, owner, agent_id, self.clock())

        await self._record(path, recorded)
        for each in self.followers:
            await each.see_execution(execution, path)
        self.closing.see(execution)
        if execution.is_finished and execution.is_settled:
            await self._totals.count(path)
        await self._trials.see(execution)
        return path

    async def _is_going(self, execution: Execution, path: str) -> bool:
        """Whether it is somebody's of whom nothing may be kept any more."""
        if self.owners.lacks(execution):
            await self._see_agent_of(execution)
        known = await self.documents.get(path) if self.owners.lacks(execution) else None
        owner = self.owners.of_execution(execution, known)
        return owner is not None and await self.is_erasing(owner)

    async def _see_agent_of(self, execution: Execution) -> None:
        """The watch of Executions may be ahead of that of Agents; a run that is taken for nobody's
        would be told to everybody who sees those."""
        place = execution.metadata.namespace, execution.spec.agent_ref.name
        found = await self.world.get(Ref(AGENT, *place))
        if found is not None:
            await self._see_alone(AGENT, found)

    async def _see_approval(self, approval: Approval) -> str:
        """An ask is whose its run is; without a record of that run it is nobody's news."""
        path = _path_of(APPROVAL, approval.metadata)
        run = await self._run_of(approval)
        if run is None or await self.is_erasing(str(run.fields[OWNER])):
            return path
        await self._record(path, lambda _: subject_of_approval(approval, run, self.clock()))
        for each in self.followers:
            await each.see_approval(approval, path)
        return path

    async def _run_of(self, approval: Approval) -> Document | None:
        """The watch of asks may be ahead of that of runs. What says that it asks for a run of
        another namespace was not made by the operator."""
        ref, namespace = approval.spec.execution_ref, approval.metadata.namespace
        known = await self.documents.get(f"executions/{ref.uid}")
        if known is None:
            found = await self.world.get(Ref(EXECUTION, namespace, ref.name))
            if found is not None:
                await self._see_alone(EXECUTION, found)
            known = await self.documents.get(f"executions/{ref.uid}")
        return known if known and known.fields.get("namespace") == namespace else None

    async def _see_agent(self, agent: Agent) -> str:
        """A dashboard's agent is recorded in its own document, others under their uid."""
        owner = self.owners.of_agent(agent)
        document = await self._draft_of(agent.metadata)
        path = _path_of(AGENT, agent.metadata, document)
        self.owners.note(agent, path.partition("/")[2], document)
        if TEST_OF in agent.metadata.annotations or (owner and await self.is_erasing(owner)):
            return path  # there for one run only, which screens show; or going
        if document is None:
            await self._record(
                path, lambda known: subject_of_agent(agent, owner, known, self.clock())
            )
            await self._tell_followers(agent, path)
            return path
        number = applied_revision(agent)
        applied = await self.documents.get(revision_path(path, number)) if number else None
        await self._record(
            path, lambda known: subject_of_draft(agent, known, applied, self.clock())
        )
        await self._tell_followers(agent, path)
        return path

    async def _tell_followers(self, agent: Agent, path: str) -> None:
        for each in self.followers:
            await each.see_agent(agent, path)

    async def _draft_of(self, meta: ObjectMeta) -> Document | None:
        """The document that the resource names, if that knows the resource, too.

        A copy of a resource has a copy of its annotations, and anybody may write them.
        """
        named = meta.annotations.get(AGENT_ID, "")
        if not _IS_ID.fullmatch(named):
            return None
        document = await self.documents.get(f"agents/{named}")
        draft = read_draft(document)
        if draft is None or (draft.namespace, draft.resource) != (meta.namespace, meta.name):
            return None
        return document

    async def _is_known(self, kind: Kind, meta: ObjectMeta) -> bool:
        """What was gone before anybody saw it is nobody's news, but a run is history."""
        if kind is EXECUTION or (kind is AGENT and await self._draft_of(meta) is not None):
            return True
        return await self.documents.get(_path_of(kind, meta)) is not None

    async def _see_gone(self, path: str, uid: str) -> None:
        """`uid` is of the resource that is gone; there may be another one for the same document."""
        document = await self.documents.get(path)
        self.closing.forget(path.partition("/")[2])
        if document is None or await self.is_erasing(str(document.fields[OWNER])):
            return

        def gone(known: Document | None) -> Subject | None:
            if known is None or not is_left_open(known) or _uid_in(known) not in ("", uid):
                return None
            gone_of = subject_of_gone_ask if path.startswith("approvals/") else subject_of_gone
            return gone_of(known, self.clock())

        if await self._record(path, gone, {_UNREPORTED: True}):
            await self._commit(path, gone, {_UNREPORTED: False})

    async def _record(self, path: str, make: Make, mark: Fields | None = None) -> bool:
        """Whether it was the last word: not when another replica saw a later state."""
        subject = await self._commit(path, make, mark)
        if subject is not None:
            await self._report(subject)
        return subject is not None

    async def _commit(self, path: str, make: Make, mark: Fields | None = None) -> Subject | None:
        """What was written; None when there was something later, or nothing to write."""
        while True:
            known = await self.documents.get(path)
            subject = make(known)
            before: Fields = known.fields if known else {}
            if subject is None or (known and revision_in(known) > subject.revision):
                return None
            fields = {**before, **subject.fields, **(mark or {})}
            if fields == before:
                return subject
            try:
                expected = known.version if known else Expected.ABSENT
                await self.documents.commit(Put(path, fields, expected))
            except ConflictError:
                continue
            return subject

    async def _report(self, subject: Subject) -> None:
        for audience in subject.audiences:
            await self.log.append(audience, subject.report, subject.key)

    @property
    def _totals(self) -> Totals:
        return Totals(self.documents, self.announcer)

    @property
    def _trials(self) -> Trials:
        return Trials(self.world)

    @property
    def announcer(self) -> Announcer:
        """Tells what commands change, into the same log."""
        return Announcer(self.documents, self.log, self.clock)

    async def _left_open(self, kind: Kind) -> AsyncIterator[Document]:
        """Documents of things that were there, or whose end was not reported."""
        for name in (LIVE, _UNREPORTED):
            query = Query(kind.plural, owner=None, where={name: True}, limit=_PAGE)
            async for document in every(self.documents, query):
                yield document


def _path_of(kind: Kind, meta: ObjectMeta, draft: Document | None = None) -> str:
    """Of the document that tells of a resource."""
    return draft.path if draft else f"{kind.plural}/{meta.uid}"


def _uid_in(document: Document) -> str:
    """Of the resource that it tells of; empty when that is gone."""
    draft = read_draft(document)
    if draft is None:
        return document.id
    return draft.state.uid if draft.state else ""


def is_left_open(document: Document) -> bool:
    """Whether its end is still to be recorded or reported."""
    return document.fields.get(LIVE) is True or document.fields.get(_UNREPORTED) is True
