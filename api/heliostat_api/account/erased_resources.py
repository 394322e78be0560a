"""Erasing in the world: a person's agents start nothing more, their runs end, all of it goes."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import TypeAlias

from heliostat_api.documents.port import OWNER, Documents
from heliostat_api.records.annotations import AGENT_ID, TEST_OF
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.worlds import AGENT, EXECUTION, ConflictError, JsonObject, Kind, Ref, World

_Place: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class ErasingResources:
    """What was made here: Agents of the dashboard in its `namespace`, and their runs.

    Agents made with kubectl are left to whoever applies them. `default` owns what names nobody,
    and then all of that goes; see Owners. `suspender` is the same world under the name that
    suspends.
    """

    world: World
    suspender: World
    documents: Documents
    namespace: str
    default: str | None = None

    async def erase(self, person_id: str) -> bool:
        """See Eraser. Deleting an Execution is cancelling it: its key dies first, then its
        processes, and only then it is gone."""
        agents = [each async for each in self._agents(person_id)]
        for agent in agents:
            await self._suspend(agent)
        quotas = {(each.metadata.namespace, each.metadata.name) for each in agents}
        runs = [each async for each in self._runs(person_id, quotas)]
        for run in runs:
            await self._delete(EXECUTION, run.metadata)
        if runs:
            return False
        for agent in agents:
            await self._delete(AGENT, agent.metadata)
        return not agents

    async def _agents(self, person_id: str) -> AsyncIterator[Agent]:
        async for obj in self.world.list(AGENT):
            agent = Agent.model_validate(obj)
            if self._owner(agent.metadata) == person_id and self._is_ours(agent.metadata):
                yield agent

    async def _runs(self, person_id: str, agents: Collection[_Place]) -> AsyncIterator[Execution]:
        """A run that names nobody is its agent's owner's; where that is gone, its record's."""
        present = {_place_of(each) async for each in self.world.list(AGENT)}
        async for obj in self.world.list(EXECUTION):
            run = Execution.model_validate(obj)
            meta = run.metadata
            place = (meta.namespace, run.spec.agent_ref.name)
            is_theirs = self._owner(meta) == person_id and self._is_near(meta)
            if OWNER_ANNOTATION not in meta.annotations:
                is_theirs |= place in agents
                is_theirs |= place not in present and await self._is_recorded_of(person_id, meta)
            if is_theirs:
                yield run

    async def _is_recorded_of(self, person_id: str, meta: ObjectMeta) -> bool:
        document = await self.documents.get(f"executions/{meta.uid}")
        is_theirs = document is not None and document.fields.get(OWNER) == person_id
        return is_theirs and self._is_near(meta)

    def _owner(self, meta: ObjectMeta) -> str | None:
        return meta.annotations.get(OWNER_ANNOTATION) or self.default

    def _is_near(self, meta: ObjectMeta) -> bool:
        return self.default is not None or meta.namespace == self.namespace

    def _is_ours(self, meta: ObjectMeta) -> bool:
        """Whether the dashboard made it; where there is one person, all is theirs."""
        made_here = AGENT_ID in meta.annotations or TEST_OF in meta.annotations
        return self._is_near(meta) and (made_here or self.default is not None)

    async def _suspend(self, agent: Agent) -> None:
        meta = agent.metadata
        if agent.spec.suspend:
            return
        try:
            await self.suspender.apply(
                {
                    "apiVersion": AGENT.api_version,
                    "kind": AGENT.name,
                    "metadata": {
                        "name": meta.name,
                        "namespace": meta.namespace,
                        "uid": meta.uid,
                    },
                    "spec": {"suspend": True},
                }
            )
        except ConflictError:
            return  # gone meanwhile

    async def _delete(self, kind: Kind, meta: ObjectMeta) -> None:
        await self.world.delete(Ref(kind, meta.namespace, meta.name), uid=meta.uid)


def _place_of(agent: JsonObject) -> _Place:
    meta = ObjectHead.model_validate(agent).metadata
    return meta.namespace, meta.name
