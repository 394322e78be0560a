"""What people call the agents that the ledger knows by their resources."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from heliostat_api.agents.reading import Agents
from heliostat_api.base.person import Person
from heliostat_api.documents.port import Documents, Query

_PAGE: Final = 200
_AT_ONCE: Final = 8


@dataclass(frozen=True, order=True)
class Named:
    """A row of a report: what it is about, and its name for people."""

    key: str
    label: str


NO_AGENT: Final = Named("", "Chat and keys")


@dataclass(frozen=True)
class Labels:
    """A test run has a resource of its own; its record says which agent was tested."""

    documents: Documents
    agents: Agents

    async def of(self, person: Person, resources: Sequence[str]) -> dict[str, Named]:
        """By `namespace/name`, empty for what no agent asked. One that is gone keeps its name."""
        by_resource, by_id = await self._known(person)
        asking = asyncio.Semaphore(_AT_ONCE)

        async def find(resource: str) -> Named:
            if not resource:
                return NO_AGENT
            if resource in by_resource:
                return by_resource[resource]
            async with asking:
                return await self._of_record(person, resource, by_id)

        names = await asyncio.gather(*(find(each) for each in resources))
        return dict(zip(resources, names, strict=True))

    async def _known(self, person: Person) -> tuple[dict[str, Named], dict[str, Named]]:
        by_resource: dict[str, Named] = {}
        by_id: dict[str, Named] = {}
        cursor: str | None = None
        while True:
            page = await self.agents.page(person, cursor, _PAGE)
            for each in page.items:
                by_id[each.id] = Named(each.id, each.name)
                by_resource[f"{each.namespace}/{each.resource or each.name}"] = by_id[each.id]
            cursor = page.next
            if cursor is None:
                return by_resource, by_id

    async def _of_record(self, person: Person, resource: str, by_id: dict[str, Named]) -> Named:
        _, _, name = resource.partition("/")
        query = Query("executions", person.id, {"agentName": name}, limit=1)
        for document in (await self.documents.query(query)).documents:
            agent_id = str(document.fields.get("agentId", ""))
            return by_id.get(agent_id, Named(agent_id or resource, name))
        return Named(resource, name)
