"""How much somebody may have at once: one more is refused, and no race lets it through."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import LOCAL, Person, PersonKind
from heliostat_api.base.roles import Claims
from heliostat_api.documents.port import Documents, Fields, Put
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.quotas.counting import Counting
from heliostat_api.quotas.service import LOST, Quotas, Refusal
from heliostat_api.web.problems import ProblemError
from heliostat_core.worlds import AGENT, EXECUTION, UnavailableError
from support.shared_api import ApiApp, Clock, api_app

ANN = Person(new_guest_id(), PersonKind.GUEST)
MOST = 3
FULL = Refusal(
    HTTPStatus.CONFLICT, en="{who} may have {most}: take one away.", ko="{who} {most}개까지입니다."
)


class Shelf:
    """Things that somebody has; each is there a while after it was begun."""

    def __init__(self, documents: Documents) -> None:
        self.things: list[str] = []
        self.clock = Clock()
        self.most_seen = 0
        self._documents = documents

    async def present(self, person_id: str, most: int) -> Collection[str]:
        assert person_id == ANN.id
        return self.things[:most]

    def quotas(self, guest: int = MOST) -> Quotas:
        return Quotas(self._documents, self.clock, "things", self.present, FULL, guest)

    async def make(self, key: str) -> bool:
        try:
            async with self.quotas().one(ANN, key):
                await asyncio.sleep(0)
                self.things.append(f"thing-{key}")
                self.most_seen = max(self.most_seen, len(self.things))
        except ProblemError:
            return False
        return True


@pytest.fixture
def shelf(documents: Documents) -> Shelf:
    return Shelf(documents)


async def test_however_many_ask_at_once_no_more_get_one(shelf: Shelf) -> None:
    made = await asyncio.gather(*(shelf.make(str(number)) for number in range(6)))
    assert 1 <= sum(made) == len(shelf.things) == shelf.most_seen <= MOST
    while len(shelf.things) < MOST:
        assert await shelf.make(f"more-{len(shelf.things)}"), "what was refused left nothing taken"
    assert not await shelf.make("one too many")
    shelf.things.pop()
    assert await shelf.make("after one went")


async def test_a_place_of_who_died_is_free_after_a_while(shelf: Shelf) -> None:
    with pytest.raises(UnavailableError):
        async with shelf.quotas(1).one(ANN, "a"):
            raise UnavailableError("nobody knows whether it was made")
    with pytest.raises(ProblemError):
        async with shelf.quotas(1).one(ANN, "b"):
            raise AssertionError("refused before")
    async with shelf.quotas(1).one(ANN, "a"):
        """The same thing again is no other one."""
    with pytest.raises(UnavailableError):
        async with shelf.quotas(1).one(ANN, "c"):
            raise UnavailableError
    shelf.clock.go_on(LOST + timedelta(seconds=1))
    async with shelf.quotas(1).one(ANN, "d"):
        """Free again."""


async def test_who_has_no_limit_leaves_nothing_in_the_store(shelf: Shelf) -> None:
    for person in (LOCAL, Person("user-1", PersonKind.USER)):
        async with shelf.quotas().one(person, "a"):
            """Any number."""
    async with shelf.quotas(0).one(ANN, "a"):
        """None is set."""
    assert shelf.things == []


# Over the whole api


@asynccontextmanager
async def limited(folder: Path, **limits: int) -> AsyncIterator[ApiApp]:
    async with api_app(folder, ApiSettings().model_copy(update=limits)) as api:
        yield api


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with limited(tmp_path, runs_guest=2, runs_person=1) as opened:
        yield opened


async def make_agent(browser: httpx2.AsyncClient) -> str:
    made = await browser.post("/api/agents", json={"name": "s", "spec": {"prompt": "Count."}})
    agent = str(made.json()["agent"])
    assert (await browser.post(f"/api/agents/{agent}/activate")).status_code == 202
    return agent


async def count(api: ApiApp) -> tuple[int, int]:
    """Agents and executions of the world."""
    agents = [each async for each in api.world.list(AGENT)]
    return len(agents), len([each async for each in api.world.list(EXECUTION)])


async def test_parallel_runs_tests_and_reruns_stay_within_the_limit(api: ApiApp) -> None:
    async with api.browser(ANN.id) as ann:
        agent = f"/api/agents/{await make_agent(ann)}"
        asked = [*[f"{agent}/run"] * 6, *[f"{agent}/test"] * 6, *["/api/samples/hello"] * 2]
        answers = await asyncio.gather(*(ann.post(each, json={}) for each in asked))
        started = [each for each in answers if each.status_code == 202]
        refused = [each for each in answers if each.status_code != 202]
        assert (await count(api))[1] == len(started) <= 2
        if len(started) < 2:
            assert (await ann.post(f"{agent}/run", json={})).status_code == 202
        before = await count(api)
        for path in (f"{agent}/run", f"{agent}/test", "/api/samples/sales"):
            refused.append(await ann.post(path, json={}))
        assert await count(api) == before, "refused before anything starts"
    for each in refused:
        assert each.status_code == 429, each.text
        assert each.json()["detail"] == (
            "A guest may have 2 runs under way at once: wait until one ends, or cancel one."
        )
        assert each.headers["retry-after"] == "10"


async def test_a_run_that_ended_gives_its_place_back_and_a_repeated_request_needs_none(
    api: ApiApp,
) -> None:
    identity = Identity("https://id.example", "ann", Claims())
    await api.parts.erasing.register.see_user(identity)
    async with api.browser(identity.person_id) as ann:
        run = f"/api/agents/{await make_agent(ann)}/run"
        first = await ann.post(run, json={}, headers={"Idempotency-Key": "k"})
        again = await ann.post(run, json={}, headers={"Idempotency-Key": "k"})
        assert first.json()["execution"] == again.json()["execution"]
        assert "One person may have 1 run" in (await ann.post(run, json={})).text
        (running,) = [each async for each in api.world.list(EXECUTION)]
        ended = {
            "type": "Succeeded",
            "status": "True",
            "reason": "Succeeded",
            "lastTransitionTime": "2026-11-22T12:00:01Z",
        }
        done = {**running, "status": {"conditions": [ended]}}
        await api.parts.recorder.see(EXECUTION, done)
        assert (await ann.post(run, json={})).status_code == 202


@pytest.mark.parametrize("what", ["samples/hello", "run", "test"])
async def test_what_is_asked_again_is_answered_alike_when_no_place_is_left(
    api: ApiApp, what: str
) -> None:
    async with api.browser(ANN.id) as ann:
        agent = f"/api/agents/{await make_agent(ann)}"
        path = f"/api/{what}" if what.startswith("samples") else f"{agent}/{what}"
        first = await ann.post(path, json={}, headers={"Idempotency-Key": "k"})
        assert first.status_code == 202, first.text
        while (await ann.post(f"{agent}/run", json={})).status_code == 202:
            pass
        again = await ann.post(path, json={}, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.text) == (202, first.text)


async def test_only_what_starts_by_itself_is_a_schedule(api: ApiApp) -> None:
    async with api.browser(ANN.id) as ann:
        agents = [await make_agent(ann) for _ in range(3)]
    assert await Counting(api.documents).schedules(ANN.id, 10) == set()
    for agent, status in zip(agents, ("active", "inactive"), strict=False):
        known = await api.documents.get(f"agents/{agent}")
        assert known is not None
        state = known.fields["state"]
        assert isinstance(state, Mapping)
        spec: Fields = {"prompt": "Count.", "schedule": {"cron": "0 9 * * *"}}
        fields: Fields = {**known.fields, "status": status, "state": {**state, "spec": spec}}
        await api.documents.commit(Put(known.path, fields))
    assert await Counting(api.documents).schedules(ANN.id, 10) == {agents[0]}
