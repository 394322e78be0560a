"""Messages to channels: one line without arguments, and few of them however much is asked."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from heliostat_api.documents.port import Put, Query
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.events.changes import Changes
from heliostat_api.webhooks.delivery_planner import DeliveryPlanner
from heliostat_api.webhooks.occurrences import asked_of, next_message
from heliostat_api.webhooks.records import DELIVERIES, Kind, Webhook, read_delivery
from heliostat_core.approvals import Approval, Fact
from support.builders.asks import make_ask
from support.builders.resources import NOW, make_execution
from support.ingest_doubles import MemoryLog
from support.shared_api import Clock

MINUTE = timedelta(minutes=1)
SECRET = "curl -d @customers.csv"


def asking(name: str = "ask-1", agent: str = "sales", **fields: object) -> Approval:
    """An ask as the cluster has it, of a run of that agent."""
    ask = make_ask(make_execution(f"{agent}-1"), name, **fields)
    meta = ask.metadata.model_copy(update={"uid": f"uid-{name}", "resource_version": "1"})
    return ask.model_copy(update={"metadata": meta})


@dataclass(frozen=True)
class Place:
    """A planner over a store, and one webhook of Ann's."""

    documents: SqliteDocuments
    planner: DeliveryPlanner
    clock: Clock

    async def subscribe(self, kind: Kind) -> None:
        hook = Webhook(user_id="ann", created_at=NOW, url="https://x.example/", kind=kind)
        await self.documents.commit(Put("webhooks/hook-1", hook.fields()))

    async def see(self, ask: Approval, agent: str = "sales") -> None:
        path = f"approvals/{ask.metadata.uid}"
        if await self.documents.get(path) is None:
            fields = {"userId": "ann", "agentId": f"id-{agent}", "agentName": agent}
            await self.documents.commit(Put(path, fields))
        await self.planner.see_approval(ask, path)

    async def due(self) -> list[datetime]:
        query = Query(DELIVERIES, None, {"webhookId": "hook-1"})
        found = (await self.documents.query(query)).documents
        return sorted(read_delivery(each).next_time for each in found)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    documents, clock = open_sqlite(tmp_path / "documents.sqlite"), Clock(NOW)
    yield Place(documents, DeliveryPlanner(documents, Changes(MemoryLog(), clock), clock), clock)
    await documents.close()


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, NOW),
        (NOW - 5 * MINUTE, NOW),
        (NOW - 2 * MINUTE, NOW + 3 * MINUTE),
        (NOW, NOW + 5 * MINUTE),
        (NOW + 3 * MINUTE, None),
    ],
)
def test_a_message_is_due_so_long_after_the_last_one(
    last: datetime | None, due: datetime | None
) -> None:
    assert next_message(last, NOW) == due


async def test_a_channel_gets_one_message_in_five_minutes_of_each_agent(place: Place) -> None:
    await place.subscribe("slack")
    for number in range(4):
        await place.see(asking(f"ask-{number}"))
        place.clock.go_on(MINUTE)
    assert await place.due() == [NOW, NOW + 5 * MINUTE]
    await place.see(asking("ask-x", "billing"), "billing")
    assert await place.due() == [NOW, NOW + 4 * MINUTE, NOW + 5 * MINUTE]
    place.clock.go_on(7 * MINUTE)
    for number in range(4):
        await place.see(asking(f"ask-{number}"))
    assert len(await place.due()) == 3, "what was told together is told"
    await place.see(asking("ask-new"))
    assert (await place.due())[-1] == NOW + 11 * MINUTE


async def test_programs_are_told_of_each_ask_once(place: Place) -> None:
    await place.subscribe("standard")
    for name in ("ask-1", "ask-2", "ask-1"):
        await place.see(asking(name))
    assert await place.due() == [NOW, NOW]


def test_a_message_has_class_agent_host_and_link_and_no_arguments() -> None:
    facts = (Fact(name="args", value=SECRET), Fact(name="host", value="crm.example"))
    asked = asked_of(asking(facts=facts, target=SECRET), "sales & <co>")
    assert asked is not None
    assert json.loads(asked.line("https://heliostat.example/")) == {
        "text": "approval.asked · sales &amp; &lt;co&gt; · Send · crm.example · "
        "https://heliostat.example/approvals/uid-ask-1"
    }
    for said in (asked.line(""), asked.body("id")):
        assert SECRET not in said
    assert json.loads(asked.body("id"))["data"]["class"] == "Send"


@pytest.mark.parametrize("host", [SECRET, "a.example/<!channel>", "x" * 300, ""])
def test_what_is_no_host_is_not_told_as_one(host: str) -> None:
    asked = asked_of(asking(facts=(Fact(name="host", value=host),)), "sales")
    assert asked is not None
    assert json.loads(asked.line("")) == {"text": "approval.asked · sales · Send"}
