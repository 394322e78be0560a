"""The planner makes deliveries of what a resource says, each once.

The deliveries and the mark that they were made are one commit on the document of the run or the
agent. So whoever sees the resource next, another replica or this one after a crash, makes none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from heliostat_api.documents.paging import every
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Expected,
    Put,
    Query,
    Value,
)
from heliostat_api.documents.values import text_in
from heliostat_api.events.changes import Changed, Changes
from heliostat_api.people.topics import CLUSTER, is_nobodys
from heliostat_api.webhooks.occurrences import (
    BETWEEN_MESSAGES,
    Occurrence,
    asked_of,
    failure_of,
    next_message,
    standstills_of,
)
from heliostat_api.webhooks.records import (
    DELIVERIES,
    FOR_ALL,
    WEBHOOKS,
    Delivery,
    Webhook,
    delivery_id,
    read_webhook,
)
from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution

_PAGE: Final = 100
_NO_AGENT: Final = "-"
"""Groups asks of runs whose agent nobody knows: no store takes a field without a name."""


@dataclass(frozen=True)
class DeliveryPlanner:
    """Plans deliveries to webhooks; `news` is set when there is something to send."""

    documents: Documents
    changes: Changes
    clock: Callable[[], datetime]
    public_url: str = ""
    """Where links of messages lead; empty: they have none."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def see_execution(self, execution: Execution, path: str) -> None:
        """After its document was written. Raises StoreError."""
        failure = failure_of(execution)
        if failure is None:
            return
        while (known := await self.documents.get(path)) is not None:
            if known.fields.get("toldFailed") is True:
                return
            agent_id = str(known.fields.get("agentId", ""))
            if await self._told(known, agent_id, (failure,)):
                return

    async def see_agent(self, agent: Agent, path: str) -> None:
        """After its document was written. Raises StoreError."""
        if not any(standstills_of(agent, {})):
            return
        while (known := await self.documents.get(path)) is not None:
            occurred = tuple(standstills_of(agent, known.fields))
            if not occurred or await self._told(known, known.id, occurred):
                return

    async def see_approval(self, approval: Approval, path: str) -> None:
        """After its document was written. Raises StoreError."""
        while (known := await self.documents.get(path)) is not None:
            asked = asked_of(approval, text_in(known.fields, "agentName"))
            if asked is None or known.fields.get("toldAsked") is True:
                return
            if await self._told(known, text_in(known.fields, "agentId"), (asked,)):
                return

    async def _told(self, known: Document, agent_id: str, occurred: Iterable[Occurrence]) -> bool:
        """False when somebody wrote the document meanwhile: then it is looked at again."""
        owner, puts = str(known.fields[OWNER]), list[Put]()
        marks: dict[str, Value] = {}
        hearing = [each async for each in self._hearing(owner)]
        for each in occurred:
            for document in hearing:
                webhook = read_webhook(document)
                if webhook.hears(each.event, agent_id, each.time):
                    puts += self._deliveries(owner, document, webhook, agent_id, each)
                    marks.update(each.marks)
        if not marks:
            return True
        mark = Put(known.path, {**known.fields, **marks}, known.version)
        try:
            await self.documents.commit(mark, *puts)
        except ConflictError as error:
            # Where it is a delivery, the mark that it was made got lost.
            return error.path.startswith(f"{DELIVERIES}/")
        self.news.set()
        await self._tell(owner, {each.id for each in hearing})
        return True

    async def _hearing(self, owner: str) -> AsyncIterator[Document]:
        """Webhooks of the owner, and the one that hears of everything."""
        if (everything := await self.documents.get(f"{WEBHOOKS}/{FOR_ALL}")) is not None:
            yield everything
        if is_nobodys(owner):
            return
        async for document in webhooks_of(self.documents, owner):
            yield document

    def _deliveries(
        self,
        owner: str,
        document: Document,
        webhook: Webhook,
        agent_id: str,
        occurrence: Occurrence,
    ) -> Iterator[Put]:
        """One, or none where a message about other asks of the agent is on its way to a channel."""
        now = self.clock()
        if webhook.kind == "standard":
            body = occurrence.body(agent_id)
            yield self._delivery(owner, document.id, agent_id, occurrence, body, now)
            return
        is_ask = occurrence.event == "approval.asked"
        group = agent_id or _NO_AGENT
        due = next_message(webhook.asks_told.get(group), now) if is_ask else now
        if due is None:
            return
        if is_ask:
            told = webhook.having_told(group, due, now - BETWEEN_MESSAGES)
            yield Put(document.path, {**document.fields, **told.fields()}, document.version)
        line = occurrence.line(self.public_url)
        yield self._delivery(owner, document.id, agent_id, occurrence, line, due)

    def _delivery(
        self,
        owner: str,
        webhook_id: str,
        agent_id: str,
        occurrence: Occurrence,
        body: str,
        due: datetime,
    ) -> Put:
        now = self.clock()
        delivery = Delivery(
            user_id=owner,
            webhook_id=webhook_id,
            agent_id=agent_id,
            event=occurrence.event,
            created_at=now,
            body=body,
            next_time=due,
        )
        path = f"{DELIVERIES}/{delivery_id(webhook_id, occurrence.key)}"
        return Put(path, delivery.fields(), Expected.ABSENT)

    async def _tell(self, owner: str, webhook_ids: set[str]) -> None:
        if FOR_ALL in webhook_ids:
            await self.changes.tell_audience(CLUSTER, Changed.DELIVERIES)
        if webhook_ids - {FOR_ALL}:
            await self.changes.tell(owner, Changed.DELIVERIES)


def webhooks_of(documents: Documents, owner: str) -> AsyncIterator[Document]:
    """Of a person, newest first."""
    return every(documents, Query(WEBHOOKS, owner, limit=_PAGE))
