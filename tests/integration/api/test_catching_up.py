"""A start of the api records what happened before it, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from heliostat_api.app.main import create_app
from heliostat_api.recording.recorder import Recorder
from heliostat_api.records.managers import APPLIER
from heliostat_api.web.provide import services_of
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.worlds import AGENT, EVERYTHING, Change, JsonObject, Kind, Ref, Selection
from heliostat_kubernetes.watching import head_of
from support.local_api import (
    NAMESPACE,
    ORIGIN,
    ApiPlace,
    api_place,
    body_of,
    session_headers,
)


class BusyWorld(EmbeddedWorld):
    """Something happens in it right after each of its Agents was listed."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        async for each in super().list(kind, selection):
            yield each
        if kind is AGENT and self.meanwhile:
            await self.meanwhile()


@dataclass(frozen=True)
class Starting:
    """A browser before an api whose recorder runs only when it is told to."""

    place: ApiPlace
    world: BusyWorld
    client: httpx2.AsyncClient
    recorder: Recorder
    agent: str

    async def activate(self) -> None:
        body_of(await self.client.post(f"{self.agent}/activate"), 202)

    async def state(self) -> tuple[object, object]:
        view = body_of(await self.client.get(self.agent), 200)
        return view["status"], view["readyMessage"]

    async def delete_resource(self) -> None:
        name = str(body_of(await self.client.get(self.agent), 200)["resource"])
        assert await self.place.world.delete(Ref(AGENT, NAMESPACE, name))

    async def delete_resource_once(self) -> None:
        self.world.meanwhile = None
        await self.delete_resource()


@asynccontextmanager
async def starting(folder: Path) -> AsyncIterator[Starting]:
    async with api_place(folder) as place:
        store = Store(place.folder.world_file)
        world = BusyWorld(store, manager=APPLIER)
        app = create_app(place.surroundings_with(world))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url=ORIGIN, headers=session_headers()
        ) as client:
            made = await client.post("/api/agents", json={"name": "A", "spec": {"prompt": "x"}})
            agent = f"/api/agents/{body_of(made, 201)['agent']}"
            yield Starting(place, world, client, services_of(app).get(Recorder), agent)
        store.close()


async def test_an_agent_that_is_activated_meanwhile_is_not_taken_for_gone(tmp_path: Path) -> None:
    async with starting(tmp_path) as start:
        start.world.meanwhile = start.activate
        await start.recorder.catch_up()
        assert await start.state() == ("active", "")


async def test_a_new_resource_does_not_go_with_the_one_before_it(tmp_path: Path) -> None:
    async with starting(tmp_path) as start:
        await start.activate()
        await start.delete_resource()
        start.world.meanwhile = start.activate
        await start.recorder.catch_up()
        assert await start.state() == ("active", "")
        start.world.meanwhile = None
        await start.delete_resource()
        await start.recorder.catch_up()
        assert (await start.state())[0] == "inactive"


async def test_an_edit_while_the_end_of_a_resource_is_recorded_is_kept(tmp_path: Path) -> None:
    async with starting(tmp_path) as start:
        await start.activate()
        await start.delete_resource()

        async def edited(_: str) -> bool:
            patch, headers = {"description": "kept"}, {"If-Match": "*"}
            body_of(await start.client.patch(start.agent, json=patch, headers=headers), 200)
            return False

        await replace(start.recorder, is_erasing=edited).catch_up()
        view = body_of(await start.client.get(start.agent), 200)
        assert (view["description"], view["status"]) == ("kept", "inactive")


async def test_what_goes_before_the_watch_begins_is_found_later(tmp_path: Path) -> None:
    async with starting(tmp_path) as start:
        await start.activate()
        start.world.meanwhile = start.delete_resource_once
        work = asyncio.create_task(replace(start.recorder, again_seconds=0.1).run())
        async with asyncio.timeout(20):
            while (await start.state())[0] != "inactive":
                await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait([work])


async def test_what_went_while_a_watch_was_forgotten_is_known_by_its_head(tmp_path: Path) -> None:
    async with starting(tmp_path) as start:
        await start.activate()
        await start.recorder.catch_up()
        [resource] = [each async for each in start.place.world.list(AGENT)]
        await start.delete_resource()
        await start.recorder._see_change(AGENT, Change("DELETED", head_of(resource)))
        assert (await start.state())[0] == "inactive"
