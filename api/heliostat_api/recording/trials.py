"""Agents that are there for one test run go when that run's record is complete.

The run's Execution belongs to such an Agent, and goes with it; its record stays.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.records.annotations import TEST_OF
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import RECORDED_ANNOTATION
from heliostat_core.worlds import AGENT, EXECUTION, Ref, Selection, World

PATIENCE: Final = timedelta(minutes=10)
"""How long an Agent of a test may be without its run: somebody died between the two."""


@dataclass(frozen=True)
class Trials:
    """Cleans up after test runs."""

    world: World

    async def see(self, execution: Execution) -> None:
        """Removes the Agent of a test run whose record is complete."""
        meta = execution.metadata
        if TEST_OF in meta.annotations and RECORDED_ANNOTATION in meta.annotations:
            owner = next((each for each in meta.owner_references if each.kind == AGENT.name), None)
            if owner is not None:
                await self.world.delete(Ref(AGENT, meta.namespace, owner.name), uid=owner.uid)

    async def sweep(self, namespace: str, now: datetime) -> None:
        """Removes Agents of tests that never got their run."""
        async for agent in self._waiting(namespace, now):
            meta = agent.metadata
            selection = Selection(meta.namespace, fields={"spec.agentRef.name": meta.name})
            if not [each async for each in self.world.list(EXECUTION, selection)]:
                await self.world.delete(Ref(AGENT, meta.namespace, meta.name), uid=meta.uid)

    async def _waiting(self, namespace: str, now: datetime) -> AsyncIterator[Agent]:
        async for obj in self.world.list(AGENT, Selection(namespace)):
            agent = Agent.model_validate(obj)
            born = agent.metadata.creation_timestamp or now
            if TEST_OF in agent.metadata.annotations and now - born > PATIENCE:
                yield agent
