"""Test runs: the newest revision of an agent runs once, whether it is active or not.

It runs as an Agent resource of its own, which is gone once the run's record is complete
(docs/decisions/0011).
"""

from dataclasses import dataclass

from heliostat_api.agents.activation import charge_annotations, refuse_unfit
from heliostat_api.agents.drafts import Drafts
from heliostat_api.base.person import Person
from heliostat_api.executions.commands import Commands, Order, run_spec
from heliostat_api.executions.schemas import Accepted, RunRequest
from heliostat_api.gateway.caps import Caps
from heliostat_api.records.annotations import AGENT_ID, TEST_OF
from heliostat_api.records.manifests import build_manifest, without_schedule
from heliostat_api.records.names import trial_name
from heliostat_api.web.idempotency import IdempotencyKey, Made
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, World


@dataclass(frozen=True)
class Trying:
    """Starts test runs."""

    world: World
    drafts: Drafts
    commands: Commands
    caps: Caps

    async def test(
        self,
        person: Person,
        agent_id: str,
        request: RunRequest,
        asked: IdempotencyKey,
        correlation: str,
    ) -> Accepted:
        """Raises WorldError, problems: one with status 422 names what is missing."""
        if before := await self.commands.before(person, asked):
            return before
        draft = (await self.drafts.read(person, agent_id)).draft
        refuse_unfit(draft)
        content = await self.drafts.policy.startable(person, draft.content)

        async def order(made: Made) -> Order:
            name = trial_name(draft.name, made["suffix"])
            annotations = {**charge_annotations(person, self.caps), TEST_OF: agent_id}
            manifest = build_manifest(without_schedule(content), name, draft.namespace, annotations)
            applied = ObjectHead.model_validate(await self.world.apply(manifest))
            owner = {
                "apiVersion": AGENT.api_version,
                "kind": AGENT.name,
                "name": name,
                "uid": applied.metadata.uid,
            }
            return Order(
                draft.namespace,
                run_spec(name, request),
                {AGENT_ID: agent_id, TEST_OF: agent_id},
                (owner,),
                name=name,
            )

        return await self.commands.start(person, order, asked, correlation)
