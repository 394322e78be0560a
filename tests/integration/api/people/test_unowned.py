"""What was made with kubectl for nobody: who operates its namespace looks at it, nobody else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.roles import Claims, RoleRow
from heliostat_api.people.credentials import Credentials
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import PersonRepository
from heliostat_core.worlds import AGENT, EXECUTION
from support.builders.resources import make_agent, make_execution
from support.shared_api import ApiApp, api_app

ROLES = (
    RoleRow.model_validate({"group": "ops", "role": "admin"}),
    RoleRow.model_validate({"group": "a", "role": "operator", "namespaces": ["team-a"]}),
    RoleRow.model_validate(
        {"group": "both", "role": "operator", "namespaces": ["team-a", "team-b"]}
    ),
)


@dataclass(frozen=True)
class Place:
    """An api, people with roles, and things without an owner in two namespaces."""

    api: ApiApp
    people: dict[str, str]
    agents: dict[str, str]
    runs: dict[str, str]

    def cookie(self, name: str) -> str:
        return self.api.sessions.issue(self.people[name])

    def browser(self, name: str) -> httpx2.AsyncClient:
        return self.api.browser(self.people[name])


async def see(api: ApiApp, namespace: str) -> tuple[str, str]:
    """An Agent and an Execution of nobody; their ids."""
    recorder = api.parts.recorder
    agent = make_agent("sales", namespace=namespace).to_json()
    run = make_execution("sales-1", namespace=namespace).to_json()
    paths = [
        await recorder.see(kind, api.world.put({**each, "kind": kind.name}))
        for kind, each in ((AGENT, agent), (EXECUTION, run))
    ]
    return paths[0].partition("/")[2], paths[1].partition("/")[2]


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with api_app(tmp_path, ApiSettings(roles=ROLES)) as api:
        register, people = PersonRepository(api.documents, api.clock), {"guest": new_guest_id()}
        for group in ("ops", "a", "both", "none"):
            identity = Identity("https://id.example", group, Claims(groups=frozenset({group})))
            await register.see_user(identity)
            people[group] = identity.person_id
        made = {name: await see(api, name) for name in ("team-a", "team-b")}
        agents = {name: each[0] for name, each in made.items()}
        yield Place(api, people, agents, {name: each[1] for name, each in made.items()})


SEEN = {
    "ops": {"team-a", "team-b"},
    "both": {"team-a", "team-b"},
    "a": {"team-a"},
    "none": set(),
    "guest": set(),
}


@pytest.mark.parametrize("name", SEEN)
async def test_lists_snapshot_and_ids_agree(place: Place, name: str) -> None:
    own_agent = await place.api.give_agent(place.people[name], "own")
    own_run = await place.api.give_execution(place.people[name], "own-1")
    person = await place.api.parts.people.find(Credentials(cookie=place.cookie(name)))
    assert person is not None
    snapshot = await place.api.parts.streams.take_snapshot(person)
    async with place.browser(name) as client:
        for path, ids, own, shown in (
            ("/api/agents", place.agents, own_agent, snapshot.agents),
            ("/api/executions", place.runs, own_run, snapshot.executions),
        ):
            seen = {ids[each] for each in SEEN[name]}
            listed = (await client.get(path)).json()["items"]
            assert {each["id"]: each["isOwned"] for each in listed} == {
                own: True,
                **dict.fromkeys(seen, False),
            }
            assert {each.id for each in shown} == {own, *seen}
            for each in ids.values():
                answer = await client.get(f"{path}/{each}")
                assert answer.status_code == (200 if each in seen else 404)
        filtered = await client.get("/api/executions?agent=sales&phase=Pending&limit=1")
        assert len(filtered.json()["items"]) == 1


async def test_it_is_looked_at_and_not_commanded(place: Place) -> None:
    agent, run = f"/api/agents/{place.agents['team-a']}", f"/api/executions/{place.runs['team-a']}"
    before = len(place.api.world.changes)
    async with place.browser("ops") as admin, place.browser("none") as other:
        for path in (f"{agent}/run", f"{run}/cancel", f"{run}/rerun"):
            refused = await admin.post(path, json={})
            assert (refused.status_code, "kubectl" in refused.text) == (403, True), refused.text
            assert (await other.post(path, json={})).status_code == 404
        for path in (f"{agent}/activate", f"{agent}/deactivate", f"{agent}/test"):
            assert (await admin.post(path, json={})).status_code == 409
        assert (await admin.delete(agent)).status_code == 409
        for path in (f"{agent}/yaml", f"{agent}/revisions", f"{run}/transcript", f"{run}/files"):
            assert (await admin.get(path)).status_code == 200, path
            assert (await other.get(path)).status_code == 404, path
        copy = await admin.post(f"{agent}/duplicate", json={})
        assert copy.status_code == 201
        preview = await admin.post("/api/agents/preview", json={"agent": place.agents["team-a"]})
        assert preview.status_code == 200
    assert len(place.api.world.changes) == before


async def test_pages_of_all_lists_are_one_list(place: Place) -> None:
    for number in range(6):
        await place.api.give_execution(place.people["both"], f"own-{number}")
    async with place.browser("both") as client:
        found, cursor = [], ""
        while True:
            page = (await client.get(f"/api/executions?limit=3{cursor}")).json()
            found += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
    assert len(found) == len(set(found)) == 8
    assert {*place.runs.values()} <= set(found)


async def test_what_gets_an_owner_is_theirs_alone(place: Place) -> None:
    uid = place.runs["team-a"]
    owner = place.people["guest"]
    run = make_execution("sales-1", namespace="team-a").to_json()
    meta = run["metadata"]
    assert isinstance(meta, dict)
    owned = {**meta, "annotations": {"heliostat.dev/owner": owner}}
    stored = place.api.world.put({**run, "kind": "Execution", "metadata": owned})
    await place.api.parts.recorder.see(EXECUTION, stored)
    async with place.browser("guest") as guest, place.browser("ops") as admin:
        assert (await guest.get(f"/api/executions/{uid}")).json()["isOwned"] is True
        assert (await admin.get(f"/api/executions/{uid}")).status_code == 404
        listed = (await admin.get("/api/executions")).json()["items"]
    assert uid not in {each["id"] for each in listed}
