"""What a guest has in the world becomes theirs for good when they sign in."""

from dataclasses import dataclass

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.gateway.caps import Caps
from heliostat_core.names import BUDGETS_ANNOTATION, OWNER_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, EXECUTION, ConflictError, Kind, World


@dataclass(frozen=True)
class MovingResources:
    """Moving of Agents and Executions, by their owner's annotation; see Moving.

    `world` is written to under a name of its own: what other managers set stays theirs.
    """

    world: World
    caps: Caps

    async def move(self, before: str, after: str) -> None:
        """See Moving. What bound the guest's runs binds them no more, but the user's caps do."""
        user = Person(after, PersonKind.USER)
        await self.caps.ensure(user)
        budgets = ",".join(self.caps.names(user))
        for kind in (AGENT, EXECUTION):
            async for obj in self.world.list(kind):
                head = ObjectHead.model_validate(obj)
                if head.metadata.annotations.get(OWNER_ANNOTATION) == before:
                    await self._give(kind, head, after, budgets)

    async def _give(self, kind: Kind, head: ObjectHead, owner: str, budgets: str) -> None:
        meta = head.metadata
        has_budgets = BUDGETS_ANNOTATION in meta.annotations
        try:
            await self.world.apply(
                {
                    "apiVersion": kind.api_version,
                    "kind": kind.name,
                    "metadata": {
                        "name": meta.name,
                        "namespace": meta.namespace,
                        "uid": meta.uid,
                        "annotations": {
                            OWNER_ANNOTATION: owner,
                            **({BUDGETS_ANNOTATION: budgets} if has_budgets else {}),
                        },
                    },
                }
            )
        except ConflictError:
            return  # gone meanwhile, and its record moves with the documents
