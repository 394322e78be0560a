"""Sample agents: each becomes an agent of the person's own, and runs."""

import hashlib
from dataclasses import dataclass

from heliostat_api.agents.activation import Activation
from heliostat_api.agents.drafts import Drafts
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.documents.port import ConflictError
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.schemas import Accepted, RunRequest
from heliostat_api.records.contents import taken_apart
from heliostat_api.records.drafts import read_draft
from heliostat_api.records.loading import SPEC
from heliostat_api.samples import Sample
from heliostat_api.web.idempotency import IdempotencyKey
from heliostat_core.names import child_name
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, Ref


def own_name(person: Person, name: str) -> str:
    """A sample's name for one person: people share a namespace, not an Agent."""
    if person.kind is PersonKind.LOCAL:
        return name
    return child_name(name, digest_of(person.id)[:8])


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class SampleAgents:
    """Makes them."""

    drafts: Drafts
    activation: Activation
    commands: Commands

    async def run(
        self, person: Person, sample: Sample, asked: IdempotencyKey, correlation: str
    ) -> Accepted:
        """One that the person has already runs as it is. Raises WorldError, problems."""
        if before := await self.commands.before(person, asked):
            return before
        name = ObjectHead.model_validate(sample.agent).metadata.name
        agent_id = f"agent-{digest_of(f'{person.id} {name}')[:24]}"
        await self.commands.quotas.refuse_full(person)
        await self._make(person, agent_id, name, sample)
        await self.activation.activate(person, agent_id, None, correlation)
        view = await self.drafts.agents.get(person, agent_id)
        return await self.commands.run(
            person, view, RunRequest(input=sample.input), asked, correlation
        )

    async def _free(self, name: str) -> str:
        """A name of its own, unless somebody has it: then one is made like any other's."""
        ref = Ref(AGENT, self.drafts.namespace, name)
        return name if await self.activation.world.get(ref) is None else ""

    async def _make(self, person: Person, agent_id: str, name: str, sample: Sample) -> None:
        documents, path = self.drafts.documents, f"agents/{agent_id}"
        known = await documents.get(path)
        draft = read_draft(known)
        if draft is not None and not draft.deleting:
            return
        await documents.delete_tree(path)
        content = taken_apart(name, SPEC.validate_python(sample.agent["spec"]))
        resource = await self._free(own_name(person, name))
        writes = self.drafts.new_writes(person, agent_id, content, "sample", resource)
        try:
            await documents.commit(*writes)
        except ConflictError:
            return  # somebody clicked twice
        await self.drafts.announcer.announce(path)
