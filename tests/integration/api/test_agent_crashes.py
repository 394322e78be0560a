"""The api dies at any step of a command: nothing stays half done, and repeating finishes it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from pydantic import JsonValue

from heliostat_api.documents.port import OWNER, Fields, Put
from heliostat_api.documents.queries import SHAPES
from heliostat_api.main import create_app
from heliostat_api.people.person import LOCAL
from heliostat_api.recording.managers import APPLIER
from heliostat_api.webhooks.trigger_keys import digest_of
from heliostat_cli.embedded.store import Store
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject
from support.fuses import Fuse, FusedDocuments, FusedLog, FusedWorld, KilledError
from support.local_api import ORIGIN, ApiPlace, api_place, body_of, client_of, session_headers

SPEC: JsonValue = {"prompt": "Add up."}
MOST_STEPS = 30
KEY = "htk_of-a-test"
Client = httpx2.AsyncClient


@asynccontextmanager
async def dying_client(place: ApiPlace, steps: int) -> AsyncIterator[Client]:
    """A browser before an api that dies after so many steps. Nothing runs beside its commands."""
    fuse = Fuse(steps)
    with closing(Store(place.folder.world_file)) as store:
        world = FusedWorld(store, manager=APPLIER)
        documents = FusedDocuments(place.folder.documents_file, SHAPES)
        log = FusedLog(place.folder.events_file)
        world.fuse = documents.fuse = log.fuse = fuse
        around = replace(
            place.surroundings(),
            world=lambda name: world if name == APPLIER else place.world.as_manager(name),
            documents=documents,
            log=log,
        )
        transport = httpx2.ASGITransport(create_app(around))
        try:
            async with Client(
                transport=transport, base_url=ORIGIN, headers=session_headers()
            ) as client:
                yield client
        finally:
            await log.close()
            await documents.close()


@dataclass(frozen=True)
class Command:
    """A request, and how its agent is prepared."""

    method: str
    path: str
    body: JsonValue = None
    is_active: bool = False

    async def ask(self, client: Client, agent: str) -> httpx2.Response:
        bearer = {"Authorization": f"Bearer {KEY}"} if "/triggers/" in self.path else {}
        return await client.request(
            self.method,
            self.path.format(agent=agent),
            json=self.body,
            headers={"If-Match": "*", "Idempotency-Key": "k", **bearer},
        )


COMMANDS = {
    "create": Command("POST", "/api/agents", {"name": "Second", "spec": SPEC}),
    "edit": Command("PATCH", "/api/agents/{agent}", {"spec": {"priority": 7}}),
    "activate": Command("POST", "/api/agents/{agent}/activate"),
    "deactivate": Command("POST", "/api/agents/{agent}/deactivate", is_active=True),
    "delete": Command("DELETE", "/api/agents/{agent}", is_active=True),
    "run": Command("POST", "/api/agents/{agent}/run", {}, is_active=True),
    "call": Command("POST", "/api/triggers/agents/{agent}", {}, is_active=True),
    "test": Command("POST", "/api/agents/{agent}/test", {}),
}


@dataclass(frozen=True)
class Outcome:
    """What a command left, without what differs by chance."""

    agents: tuple[tuple[object, ...], ...]
    suspended: tuple[object, ...]
    runs: int
    untold: int


async def outcome(client: Client, place: ApiPlace) -> Outcome:
    listed = body_of(await client.get("/api/agents"), 200)["items"]
    assert isinstance(listed, list)
    views = [each for each in listed if isinstance(each, dict)]
    resources = [each async for each in place.world.list(AGENT)]
    heard = await place.heard()
    return Outcome(
        agents=tuple(
            sorted(
                (str(each["name"]), each["status"], each["revision"], each["appliedRevision"])
                for each in views
            )
        ),
        suspended=tuple(_spec(each).get("suspend") for each in resources),
        runs=len([each async for each in place.world.list(EXECUTION)]),
        untold=len([each for each in views if dict(each) not in [r.payload for r in heard]]),
    )


def _spec(resource: JsonObject) -> Mapping[str, object]:
    spec = resource["spec"]
    assert isinstance(spec, dict)
    return spec


def trigger_key(agent: str) -> Put:
    """A key of the agent's trigger, without what chance makes of one."""
    fields: Fields = {
        OWNER: LOCAL.id,
        "agentId": agent,
        "name": "ci",
        "kind": "bearer",
        "digest": digest_of(KEY),
        "createdAt": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Put("triggers/key-1", fields)


async def prepare(place: ApiPlace, command: Command) -> str:
    async with client_of(place.app()) as client:
        answer = await client.post("/api/agents", json={"name": "First", "spec": SPEC})
        agent = str(body_of(answer, 201)["agent"])
        await place.documents.commit(trigger_key(agent))
        if command.is_active:
            body_of(await client.post(f"/api/agents/{agent}/activate"), 202)
    return agent


async def count_deleted(place: ApiPlace) -> int:
    """How often the screens heard that an agent is gone."""
    kinds = Counter(each.type.value for each in await place.heard())
    return kinds["agent.deleted"]


async def play(folder: Path, command: Command, steps: int) -> tuple[bool, Outcome]:
    """Whether it died, and what is left once somebody sent it again."""
    async with api_place(folder) as place:
        agent = await prepare(place, command)
        died = False
        try:
            async with dying_client(place, steps) as client:
                assert (await command.ask(client, agent)).is_success
        except KilledError:
            died = True
        async with client_of(place.app()) as client:
            again = await command.ask(client, agent)
            assert again.is_success or command.method == "DELETE", again.text
            async with asyncio.timeout(20):
                while (left := await outcome(client, place)).untold or (
                    command.method == "DELETE" and not await count_deleted(place)
                ):
                    await place.log.wait(["person:local"], await place.log.end(), 0.05)
        assert await count_deleted(place) == (command.method == "DELETE")
        return died, left


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_that_died_anywhere_and_was_sent_again_leaves_the_same(
    tmp_path: Path, name: str
) -> None:
    died, whole = await play(tmp_path / "whole", COMMANDS[name], MOST_STEPS)
    assert not died
    for steps in range(MOST_STEPS):
        died, left = await play(tmp_path / str(steps), COMMANDS[name], steps)
        assert left == whole, f"died after {steps} steps"
        if not died:
            assert steps >= 2
            return
    raise AssertionError(f"more than {MOST_STEPS} steps")


async def test_a_deletion_that_died_is_finished_by_the_next_start(tmp_path: Path) -> None:
    async with api_place(tmp_path) as place:
        agent = await prepare(place, COMMANDS["delete"])
        with pytest.raises(KilledError):
            async with dying_client(place, 1) as client:
                await client.delete(f"/api/agents/{agent}")
        assert [each async for each in place.world.list(AGENT)]
        async with client_of(place.app()):
            async with asyncio.timeout(20):
                while (await place.heard())[-1].type != "agent.deleted":
                    await place.log.wait(["person:local"], await place.log.end(), 0.05)
        assert [each async for each in place.world.list(AGENT)] == []
