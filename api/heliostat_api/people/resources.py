"""What a guest has in the world becomes theirs for good when they sign in."""

from dataclasses import dataclass

from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, EXECUTION, ConflictError, Kind, World


@dataclass(frozen=True)
class MovingResources:
    """Moving of Agents and Executions, by their owner's annotation; see Moving.

    `world` is written to under a name of its own: what other managers set stays theirs.
    """

    world: World

    async def move(self, before: str, after: str) -> None:
        """See Moving."""
        for kind in (AGENT, EXECUTION):
            async for obj in self.world.list(kind):
                head = ObjectHead.model_validate(obj)
                if head.metadata.annotations.get(OWNER_ANNOTATION) == before:
                    await self._give(kind, head, after)

    async def _give(self, kind: Kind, head: ObjectHead, owner: str) -> None:
        meta = head.metadata
        try:
            await self.world.apply(
                {
                    "apiVersion": kind.api_version,
                    "kind": kind.name,
                    "metadata": {
                        "name": meta.name,
                        "namespace": meta.namespace,
                        "uid": meta.uid,
                        "annotations": {OWNER_ANNOTATION: owner},
                    },
                }
            )
        except ConflictError:
            return  # gone meanwhile, and its record moves with the documents
