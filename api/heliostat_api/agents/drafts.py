"""Agents of the dashboard as they are written: made, edited, restored. The world is not asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from heliostat_api.agents.edits import Edit, checked
from heliostat_api.agents.policy import AgentPolicy
from heliostat_api.agents.reading import Agents, view_detail
from heliostat_api.agents.tags import check_match
from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import RevisionDetailView, View
from heliostat_api.documents.port import (
    ConflictError,
    Document,
    Documents,
    Expected,
    Put,
    Query,
)
from heliostat_api.recording.announcing import Announcer
from heliostat_api.records.contents import LONGEST_DESCRIPTION, Content, taken_apart
from heliostat_api.records.drafts import Draft, fields_of, read_draft
from heliostat_api.records.names import new_agent_id
from heliostat_api.records.revisions import (
    RevisionPage,
    content_in,
    put_revision,
    revision_path,
    view_revision,
    view_revision_detail,
)
from heliostat_api.web.idempotency import Idempotency, IdempotencyKey, Made
from heliostat_api.web.problems import NotFoundProblem, ProblemError


class Saved(View):
    """An agent was saved as this revision. What came of it is reported."""

    correlation_id: str
    agent: str
    revision: int


@dataclass(frozen=True)
class Known:
    """An agent of the dashboard as it was read."""

    document: Document
    draft: Draft


@dataclass(frozen=True)
class Drafts:
    """`namespace` is where their resources will be."""

    documents: Documents
    agents: Agents
    announcer: Announcer
    idempotency: Idempotency
    clock: Callable[[], datetime]
    namespace: str
    policy: AgentPolicy

    async def create(
        self,
        person: Person,
        content: Content,
        asked: IdempotencyKey,
        correlation: str,
        note: str = "created",
    ) -> Saved:
        """A new agent, its fields checked by the caller. Raises problems."""
        if before := await self.idempotency.before(person, asked):
            return await self._announced(before)
        content = await self.policy.checked(person, content)
        agent_id = new_agent_id()
        made = {"agent": agent_id, "correlationId": correlation}
        writes = self.new_writes(person, agent_id, content, note)
        return await self._announced(await self.idempotency.once(person, asked, made, *writes))

    async def _announced(self, made: Made) -> Saved:
        """Who asks again after a crash announces what was made before it."""
        await self.announcer.announce(f"agents/{made['agent']}", made["correlationId"])
        return Saved(correlation_id=made["correlationId"], agent=made["agent"], revision=1)

    def new_writes(
        self, person: Person, agent_id: str, content: Content, note: str, resource: str = ""
    ) -> tuple[Put, Put]:
        """What makes a new agent; `resource` is a name that it insists on."""
        path, now = f"agents/{agent_id}", self.clock()
        draft = Draft(
            user_id=person.id,
            name=content.name,
            description=content.description,
            spec=content.spec,
            created_at=now,
            namespace=self.namespace,
            resource=resource,
        ).untold_change()
        return (
            Put(path, fields_of(draft, agent_id, {}), Expected.ABSENT),
            put_revision(path, 1, content, note, now),
        )

    async def duplicate(
        self,
        person: Person,
        agent_id: str,
        name: str | None,
        asked: IdempotencyKey,
        correlation: str,
    ) -> Saved:
        """A draft of one's own from any agent that one sees."""
        if before := await self.idempotency.before(person, asked):
            return await self._announced(before)
        source = view_detail(await self.agents.document(person, agent_id))
        whole = {"description": source.description[:LONGEST_DESCRIPTION], **source.spec}
        content = taken_apart(name or f"{source.name[:110]} (copy)", whole)
        return await self.create(
            person, checked(content), asked, correlation, f"copied from {source.name}"
        )

    async def edit(
        self,
        person: Person,
        agent_id: str,
        edit: Edit,
        if_match: str | None,
        correlation: str,
        note: str = "edited",
    ) -> Saved:
        """The next revision; none when nothing changes. Raises problems."""
        while True:
            known = await self.read(person, agent_id)
            check_match(if_match, known.draft.latest)
            content = await self.policy.checked(person, checked(edit(known.draft.content)))
            if content == known.draft.content:
                return Saved(
                    correlation_id=correlation, agent=agent_id, revision=known.draft.latest
                )
            changed = known.draft.saying(content).untold_change()
            path = known.document.path
            revision = put_revision(path, changed.latest, content, note, self.clock())
            try:
                await self.documents.commit(self.put(known, changed), revision)
            except ConflictError:
                continue
            await self.announcer.announce(path, correlation)
            return Saved(correlation_id=correlation, agent=agent_id, revision=changed.latest)

    async def restore(
        self, person: Person, agent_id: str, number: int, if_match: str | None, correlation: str
    ) -> Saved:
        """What was saved as that revision becomes the newest one. Raises problems."""
        await self.read(person, agent_id)
        content = content_in(await self._revision(agent_id, number))
        return await self.edit(
            person, agent_id, lambda _: content, if_match, correlation, f"restored from {number}"
        )

    async def read(self, person: Person, agent_id: str) -> Known:
        """Raises NotFoundProblem, and a problem with status 409 for one that is not ours."""
        document = await self.agents.document(person, agent_id)
        draft = read_draft(document)
        if draft is None:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en="This agent was made with kubectl, or by an earlier platform, and is not "
                    "changed here: duplicate it to have one of your own.",
                    ko="kubectl이나 이전 플랫폼에서 만든 에이전트라서 여기서는 바꿀 수 없습니다. "
                    "복제해서 내 에이전트로 쓰세요.",
                ),
            )
        return Known(document, draft)

    def put(self, known: Known, changed: Draft) -> Put:
        """The write of a changed draft, unless somebody else wrote since it was read."""
        document = known.document
        fields = fields_of(changed, document.id, document.fields)
        return Put(document.path, fields, document.version)

    async def revisions(
        self, person: Person, agent_id: str, cursor: str | None, limit: int
    ) -> RevisionPage:
        """Raises NotFoundProblem, CursorError."""
        await self.agents.document(person, agent_id)
        collection = f"agents/{agent_id}/revisions"
        page = await self.documents.query(
            Query(collection, None, order="number", limit=limit, after=cursor)
        )
        return RevisionPage(items=tuple(map(view_revision, page.documents)), next=page.next)

    async def revision(self, person: Person, agent_id: str, number: int) -> RevisionDetailView:
        """Raises NotFoundProblem."""
        await self.agents.document(person, agent_id)
        found = await self._revision(agent_id, number)
        before = await self.documents.get(revision_path(f"agents/{agent_id}", number - 1))
        return view_revision_detail(found, before)

    async def _revision(self, agent_id: str, number: int) -> Document:
        found = await self.documents.get(revision_path(f"agents/{agent_id}", number))
        if found is None:
            raise NotFoundProblem("revision")
        return found
