"""Agents of the dashboard become resources, and stop being them.

The world is written to when a person says so, and at no other time: what others change of a
resource shows as drift until then.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus

from heliostat_api.agents.drafts import Drafts, Known, Saved
from heliostat_api.agents.tags import check_match
from heliostat_api.base.field_errors import required
from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.port import ConflictError, Fields, Put
from heliostat_api.gateway.caps import Caps
from heliostat_api.quotas.service import Quotas
from heliostat_api.recording.announcing import Announcer, Record
from heliostat_api.records.annotations import AGENT_ID, AGENT_REVISION
from heliostat_api.records.contents import Content, judge
from heliostat_api.records.drafts import Draft, has_schedule
from heliostat_api.records.manifests import build_manifest
from heliostat_api.records.names import resource_name
from heliostat_api.web.problems import ProblemError, refused
from heliostat_core.agents import Agent
from heliostat_core.names import BUDGETS_ANNOTATION, OWNER_ANNOTATION
from heliostat_core.worlds import AGENT, Ref, World


@dataclass(frozen=True)
class Activation:
    """`suspender` is the same world, written to under the name that suspends."""

    world: World
    suspender: World
    record: Record
    drafts: Drafts
    caps: Caps
    quotas: Quotas
    """How many agents of somebody may start by themselves."""

    async def activate(
        self, person: Person, agent_id: str, if_match: str | None, correlation: str
    ) -> Saved:
        """The newest revision becomes the resource; may be repeated. Raises WorldError, problems.

        The name of the resource is stored before there is one: after a crash it is known again.
        What is refused is refused before that.
        """
        while True:
            known = await self.drafts.read(person, agent_id)
            check_match(if_match, known.draft.latest)
            refuse_unfit(known.draft)
            content = await self.drafts.policy.startable(person, known.draft.content)
            draft = addressed(known.draft, agent_id)
            await self._refuse_foreign(agent_id, draft)
            await self.caps.ensure(person)
            async with self._place(person, agent_id, draft):
                if await self._is_kept(known, draft):
                    await self._apply(person, agent_id, draft, content)
                    break
        return Saved(correlation_id=correlation, agent=agent_id, revision=draft.latest)

    async def _is_kept(self, known: Known, draft: Draft) -> bool:
        """The name is stored now, unless somebody changed the agent meanwhile."""
        if draft is known.draft:
            return True
        try:
            await self.drafts.documents.commit(self.drafts.put(known, draft.untold_change()))
        except ConflictError:
            return False
        return True

    async def _apply(self, person: Person, agent_id: str, draft: Draft, content: Content) -> None:
        annotations = {
            **charge_annotations(person, self.caps),
            AGENT_ID: agent_id,
            AGENT_REVISION: str(draft.latest),
        }
        manifest = build_manifest(content, draft.resource, draft.namespace, annotations)
        await self.record(AGENT, await self.world.apply(manifest))

    def _place(
        self, person: Person, agent_id: str, draft: Draft
    ) -> AbstractAsyncContextManager[None]:
        """Only what starts by itself needs one."""
        is_scheduled = has_schedule(draft.spec)
        return self.quotas.one(person, agent_id) if is_scheduled else nullcontext()

    async def deactivate(self, person: Person, agent_id: str, correlation: str) -> Saved:
        """Nothing of it starts any more; what others changed of its resource stays."""
        draft = (await self.drafts.read(person, agent_id)).draft
        if draft.state is not None:
            applied = await self.suspender.apply(
                {
                    "apiVersion": AGENT.api_version,
                    "kind": AGENT.name,
                    "metadata": {
                        "name": draft.resource,
                        "namespace": draft.namespace,
                        "uid": draft.state.uid,
                    },
                    "spec": {"suspend": True},
                }
            )
            await self.record(AGENT, applied)
        return Saved(correlation_id=correlation, agent=agent_id, revision=draft.latest)

    async def _refuse_foreign(self, agent_id: str, draft: Draft) -> None:
        """Raises a problem with status 409 when the name is somebody else's."""
        found = await find_resource(self.world, draft)
        if found is not None and not is_own(found, agent_id):
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"The cluster has another Agent {draft.resource} in {draft.namespace}: "
                    "delete that one first, or duplicate this agent and activate the copy.",
                    ko=f"클러스터의 {draft.namespace}에 다른 에이전트 {draft.resource}이(가) "
                    "있습니다. 그것을 먼저 삭제하거나, 이 에이전트를 복제해 사본을 활성화하세요.",
                ),
            )


@dataclass(frozen=True)
class AgentSuspension:
    """All agents of a person start nothing any more."""

    activation: Activation

    async def stop(self, person: Person) -> None:
        """Those of the dashboard; may be repeated. Raises WorldError, StoreError."""
        cursor: str | None = None
        while True:
            page = await self.activation.drafts.agents.page(person, cursor)
            for agent in page.items:
                if agent.managed_by == "dashboard" and agent.status == "active":
                    await self.activation.deactivate(person, agent.id, "")
            if (cursor := page.next) is None:
                return


@dataclass(frozen=True)
class Deletion:
    """An agent goes: for everybody at once, then its resource, at last its documents."""

    world: World
    drafts: Drafts
    announcer: Announcer
    forget: Callable[[str, str], Awaitable[None]]
    """Removes what hangs on an agent, of its owner and by its id."""

    async def delete(
        self, person: Person, agent_id: str, if_match: str | None, correlation: str
    ) -> Saved:
        """Raises WorldError, problems. Records of its runs stay."""
        while True:
            known = await self.drafts.read(person, agent_id)
            check_match(if_match, known.draft.latest)
            try:
                await self.drafts.documents.commit(self._tombstone(known))
            except ConflictError:
                continue
            await self.finish(known.document.path, known.draft, correlation)
            return Saved(correlation_id=correlation, agent=agent_id, revision=known.draft.latest)

    async def finish(self, path: str, draft: Draft, correlation: str = "") -> None:
        """Whatever is left of a deletion that began; may be repeated."""
        found = await find_resource(self.world, draft) if draft.resource else None
        if found is not None and is_own(found, path.partition("/")[2]):
            meta = found.metadata
            await self.world.delete(Ref(AGENT, meta.namespace, meta.name), uid=meta.uid)
        await self.forget(draft.user_id, path.partition("/")[2])
        await self.announcer.announce(path, correlation)

    def _tombstone(self, known: Known) -> Put:
        gone = known.draft.model_copy(
            update={"shown": False, "deleting": True, "spec": {}, "description": ""}
        )
        put = self.drafts.put(known, gone.untold_change())
        ended: Fields = {"deletedAt": self.drafts.clock(), "live": False, "unreported": False}
        return Put(put.path, {**put.fields, **ended}, put.expect)


def charge_annotations(person: Person, caps: Caps) -> dict[str, str]:
    """On whom the runs of a person's agent are booked, and what binds them."""
    budgets = caps.names(person)
    named = {BUDGETS_ANNOTATION: ",".join(budgets)} if budgets else {}
    return {OWNER_ANNOTATION: person.id, **named}


def addressed(draft: Draft, agent_id: str) -> Draft:
    """With the name that its resource has, or will have."""
    if draft.resource:
        return draft
    return draft.model_copy(update={"resource": resource_name(draft.name, agent_id)})


def refuse_unfit(draft: Draft) -> None:
    """Raises a problem with status 422 that names each field that is missing or wrong."""
    judgement = judge(draft.spec)
    if faults := (*map(required, judgement.missing), *judgement.faults):
        raise refused(faults)


async def find_resource(world: World, draft: Draft) -> Agent | None:
    """What has the name of its resource."""
    found = await world.get(Ref(AGENT, draft.namespace, draft.resource))
    return None if found is None else Agent.model_validate(found)


def is_own(resource: Agent, agent_id: str) -> bool:
    """Whether it was made by an activation of that agent."""
    return resource.metadata.annotations.get(AGENT_ID) == agent_id
