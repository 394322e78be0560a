"""Bulk cancel: one request ends all runs that fit, a person's own, and counts what became of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.roles import Claims, RoleRow
from heliostat_api.executions.bulk_cancel import BulkCancel, CancelRequest
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import PersonRepository
from heliostat_api.web.idempotency import UNREPEATED
from heliostat_api.web.provide import services_of
from heliostat_core.worlds import EXECUTION, JsonObject, Ref, UnavailableError
from support.builders.resources import make_execution, make_uid
from support.objects import ENDED, value_at
from support.shared_api import ApiApp, api_app

PATH = "/api/executions/cancel"
COUNTS = "/api/executions/counts"
ENDS = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T12:05:00Z"
WAITING = {"phases": ["Pending"]}
ROLES = (RoleRow.model_validate({"group": "ops", "role": "admin"}),)
NAMESPACE = make_execution("any").metadata.namespace


@dataclass(frozen=True)
class Place:
    """An api, two guests and an admin."""

    api: ApiApp
    ann: str
    ben: str
    admin: str

    def browser(self, person: str) -> httpx2.AsyncClient:
        return self.api.browser(person)

    async def give(
        self, owner: str, name: str, phase: str = "", agent: str = "sales", created: str = ""
    ) -> str:
        run = make_execution(name).to_json()
        meta, spec, status = run["metadata"], run["spec"], run.get("status", {})
        assert isinstance(meta, dict)
        assert isinstance(spec, dict)
        assert isinstance(status, dict)
        ended = {"conditions": ENDED, "completionTime": ENDS} if phase == "Succeeded" else {}
        return await self.api.give(
            owner,
            {
                **run,
                "kind": "Execution",
                "metadata": {**meta, **({"creationTimestamp": created} if created else {})},
                "spec": {**spec, "agentRef": {"name": agent}},
                "status": {**status, **ended, **({"phase": phase} if phase else {})},
            },
        )

    async def run(self, name: str) -> JsonObject:
        found = await self.api.world.get(Ref(EXECUTION, NAMESPACE, name))
        assert found is not None
        return found

    async def cancelled(self, *names: str) -> list[str]:
        return [each for each in names if value_at(await self.run(each), "spec", "cancel") is True]


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with api_app(tmp_path, ApiSettings(roles=ROLES)) as api:
        register = PersonRepository(api.documents, api.clock)
        claims = Claims(groups=frozenset({"ops"}))
        root = Identity("https://id.example", "root", claims)
        await register.see_user(root)
        yield Place(api, new_guest_id(), new_guest_id(), root.person_id)


async def ask(client: httpx2.AsyncClient, status: int = 202, **body: object) -> dict[str, object]:
    answer = await client.post(PATH, json={**WAITING, **body})
    assert answer.status_code == status, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_all_of_ones_own_that_wait_end_and_nothing_else(place: Place) -> None:
    for number in range(30):
        await place.give(place.ann, f"waits-{number}")
    await place.give(place.ann, "runs", "Running")
    await place.give(place.ann, "ended", "Succeeded")
    await place.give(place.ben, "of-ben")
    async with place.browser(place.ann) as ann:
        assert (await ann.get(COUNTS)).json() == {"going": 1, "waiting": 30}
        counted = await ask(ann, dryRun=True)
        assert (counted["matched"], counted["cancelled"]) == (30, 0)
        assert await place.cancelled(*(f"waits-{number}" for number in range(30))) == []
        done = await ask(ann)
    assert (done["matched"], done["cancelled"], done["gone"], done["failed"]) == (30, 30, 0, 0)
    assert len(await place.cancelled(*(f"waits-{number}" for number in range(30)))) == 30
    assert await place.cancelled("runs", "ended", "of-ben") == []


async def test_the_filter_is_by_agent_and_phases(place: Place) -> None:
    await place.give(place.ann, "a-waits")
    await place.give(place.ann, "b-waits", agent="billing")
    await place.give(place.ann, "b-runs", "Running", agent="billing")
    await place.give(place.ann, "b-retries", "Retrying", agent="billing")
    async with place.browser(place.ann) as ann:
        done = await ask(ann, phases=["Pending", "Running"], agent="billing")
    assert done["cancelled"] == 2
    named = ("a-waits", "b-waits", "b-runs", "b-retries")
    assert await place.cancelled(*named) == ["b-waits", "b-runs"]


async def test_an_admin_may_end_everybodys_but_what_has_no_owner(place: Place) -> None:
    await place.give(place.ann, "of-ann")
    await place.give(place.ben, "of-ben")
    run = make_execution("of-nobody").to_json()
    stored = place.api.world.put({**run, "kind": "Execution"})
    await place.api.parts.recorder.see(EXECUTION, stored)
    async with place.browser(place.ann) as ann:
        refused = await ask(ann, 403, everyone=True)
        assert "everyone: only an admin" in str(refused["detail"])
    async with place.browser(place.admin) as admin:
        assert (await ask(admin))["matched"] == 0
        assert (await ask(admin, everyone=True, dryRun=True))["matched"] == 2
        assert (await ask(admin, everyone=True))["cancelled"] == 2
    assert await place.cancelled("of-ann", "of-ben", "of-nobody") == ["of-ann", "of-ben"]


async def test_the_same_request_takes_no_later_run(place: Place) -> None:
    await place.give(place.ann, "before")
    headers = {"Idempotency-Key": "stop-1"}
    async with place.browser(place.ann) as ann:
        first = (await ann.post(PATH, json=WAITING, headers=headers)).json()
        place.api.clock.go_on(timedelta(minutes=5))
        await place.give(place.ann, "after", created=LATER)
        again = (await ann.post(PATH, json=WAITING, headers=headers)).json()
        other = await ann.post(PATH, json={**WAITING, "agent": "x"}, headers=headers)
    assert again["correlationId"] == first["correlationId"]
    assert await place.cancelled("before", "after") == ["before"]
    assert other.status_code == 422


async def test_what_is_gone_is_counted_and_ends_nothing_of_its_name(place: Place) -> None:
    await place.give(place.ann, "gone")
    await place.give(place.ann, "made-again")
    place.api.world.remove(Ref(EXECUTION, NAMESPACE, "gone"))
    place.api.world.remove(Ref(EXECUTION, NAMESPACE, "made-again"))
    again = make_execution("made-again").to_json()
    meta = again["metadata"]
    assert isinstance(meta, dict)
    another = {**meta, "uid": make_uid("another")}
    place.api.world.put({**again, "kind": "Execution", "metadata": another})
    async with place.browser(place.ann) as ann:
        done = await ask(ann)
    assert (done["cancelled"], done["gone"]) == (0, 2)
    assert await place.cancelled("made-again") == []


async def test_a_world_that_is_away_is_said(place: Place) -> None:
    await place.give(place.ann, "waits")
    place.api.world.failures["apply"] = UnavailableError("the API server is away")
    async with place.browser(place.ann) as ann:
        assert "is away" in str((await ask(ann, 503))["detail"])


@pytest.mark.parametrize("phases", [[], ["Succeeded"], ["Stopping"], "Pending"])
async def test_only_phases_that_can_be_ended_are_taken(place: Place, phases: object) -> None:
    async with place.browser(place.ann) as ann:
        refused = await ask(ann, 422, phases=phases)
    assert "phases" in str(refused["detail"])


async def test_one_request_ends_so_many_and_says_what_is_left(place: Place) -> None:
    for number in range(7):
        await place.give(place.ann, f"waits-{number}")
    bulk = replace(service_in(place.api), most_runs=5)
    request = CancelRequest(phases=("Pending",))
    person = Person(place.ann, PersonKind.GUEST)
    done = await bulk.cancel(person, request, UNREPEATED, "a-correlation-id")
    assert (done.matched, done.cancelled, done.remaining) == (7, 5, 2)


def service_in(api: ApiApp) -> BulkCancel:
    return services_of(api.app).get(BulkCancel)
