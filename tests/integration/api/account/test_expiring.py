"""Guests who stay away: their agents stop, later all goes, and who comes again keeps it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.account.erased_documents import COLLECTIONS, ErasingDocuments
from heliostat_api.account.erasing import Erasing
from heliostat_api.account.expiring import GRACE, Expiring, ExpiryDecision, fate_of
from heliostat_api.base.person import Person
from heliostat_api.documents.port import ConflictError, Documents, Put
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.people.identities import new_guest_id
from heliostat_api.people.repository import REST, PersonRepository
from heliostat_api.people.sessions import LIFETIME
from heliostat_core.worlds import AGENT, UnavailableError
from support.ingest_doubles import MemoryLog
from support.shared_api import PAGE, ApiApp, Clock, api_app

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANN, BOB = new_guest_id(), new_guest_id()


class Stopped:
    """Who was stopped; fails as often as a test says."""

    def __init__(self) -> None:
        self.failures = 0
        self.people: list[str] = []

    async def stop(self, person: Person) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("the world is away")
        self.people.append(person.id)


class Place:
    """Guests in a store, at a time that tests move on; each replica reads for itself."""

    def __init__(self, documents: Documents) -> None:
        self.documents, self.clock, self.stopped = documents, Clock(), Stopped()

    @property
    def register(self) -> PersonRepository:
        return PersonRepository(self.documents, self.clock)

    def replica(self) -> tuple[Expiring, Erasing]:
        removing = [ErasingDocuments(self.documents, each) for each in COLLECTIONS]
        log = MemoryLog()
        removing = [ErasingDocuments(self.documents, each) for each in COLLECTIONS]
        erasing = Erasing(self.register, (), removing, SessionRevocations(log, self.clock))
        return Expiring(self.register, self.stopped, erasing), erasing

    async def sweep(self) -> None:
        await self.replica()[0].sweep()

    async def visit(self, guest: str) -> None:
        record = await self.register.see_guest(guest)
        await self.register.touch(guest, record)

    async def fields(self, guest: str) -> dict[str, object]:
        found = await self.documents.get(f"people/{guest}")
        return dict(found.fields) if found else {}


@pytest.fixture
def place(documents: Documents) -> Place:
    return Place(documents)


async def test_a_guest_loses_agents_after_30_days_and_all_after_30_more(place: Place) -> None:
    await place.visit(ANN)
    await place.documents.commit(Put("agents/a", {"userId": ANN, "createdAt": NOW}))
    for _ in range(30):
        await place.sweep()
        assert place.stopped.people == []
        place.clock.go_on(DAY)
    await place.visit(BOB)
    await place.sweep()
    assert place.stopped.people == [ANN]
    for _ in range(30):
        await place.sweep()
        assert await place.documents.get("agents/a")
        assert "isErasing" not in await place.fields(ANN)
        place.clock.go_on(DAY)
    expiring, erasing = place.replica()
    await expiring.sweep()
    assert (await place.fields(ANN))["isErasing"] is True
    place.clock.go_on(REST)
    assert await erasing.resume()
    assert await place.documents.get("agents/a") is None
    assert await place.fields(ANN) == {}
    assert place.stopped.people == [ANN, BOB]


async def test_who_comes_again_keeps_all(place: Place) -> None:
    await place.visit(ANN)
    place.clock.go_on(LIFETIME)
    await place.sweep()
    await place.visit(ANN)
    assert not {"expiredTime", "isStopping"} & set(await place.fields(ANN))
    place.clock.go_on(GRACE - DAY)
    await place.sweep()
    assert place.stopped.people == [ANN]
    assert "isErasing" not in await place.fields(ANN)


async def test_what_could_not_be_stopped_is_stopped_by_the_next(place: Place) -> None:
    await place.visit(ANN)
    place.clock.go_on(LIFETIME)
    place.stopped.failures = 1
    for _ in range(3):
        await place.sweep()
    assert place.stopped.people == [ANN]


async def test_a_guest_who_comes_in_that_moment_is_not_erased(place: Place) -> None:
    await place.visit(ANN)
    place.clock.go_on(LIFETIME)
    await place.sweep()
    place.clock.go_on(GRACE)
    known = await place.documents.get(f"people/{ANN}")
    assert known is not None
    assert fate_of(known.fields, place.clock()) is ExpiryDecision.ERASE
    await place.visit(ANN)
    with pytest.raises(ConflictError):
        await place.replica()[1].begin(ANN, known)
    assert "isErasing" not in await place.fields(ANN)


async def test_a_guest_who_became_a_user_is_forgotten_once_no_session_is_left(
    place: Place,
) -> None:
    await place.visit(ANN)
    await place.register.begin_move(ANN, "user-ann")
    place.clock.go_on(LIFETIME + GRACE)
    await place.sweep()
    assert await place.fields(ANN), "their things are on the way"
    await place.register.end_move(ANN)
    await place.sweep()
    assert await place.fields(ANN) == {}
    assert place.stopped.people == []


# Over the whole api


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as opened:
        yield opened


async def me(api: ApiApp) -> dict[str, object]:
    """Asked by a page that was left open: its session is as old as the page."""
    async with api.browser(ANN) as ann:
        answer: dict[str, object] = (await ann.get("/api/me")).json()
    return answer


async def test_the_page_warns_ten_days_before_and_opening_it_is_enough(api: ApiApp) -> None:
    assert await me(api) | {"isExpiring": False} == {
        "id": ANN,
        "kind": "guest",
        "isAdmin": False,
        "expiresTime": "2026-12-22T12:00:00Z",
        "isExpiring": False,
        "spending": None,  # no gateway counts here
        "canSignIn": False,
    }
    api.clock.go_on(20 * DAY - timedelta(hours=1))
    assert (await me(api))["isExpiring"] is False
    api.clock.go_on(timedelta(hours=1))
    assert (await me(api))["isExpiring"] is True
    async with api.browser(ANN) as ann:
        await ann.get("/", headers=PAGE)
    assert (await me(api))["expiresTime"] == "2027-01-11T12:00:00Z"
    assert (await me(api))["isExpiring"] is False


async def test_agents_of_a_guest_who_is_away_start_nothing(api: ApiApp) -> None:
    async with api.browser(ANN) as ann:
        made = await ann.post("/api/agents", json={"name": "s", "spec": {"prompt": "Count."}})
        agent = made.json()["agent"]
        assert (await ann.post(f"/api/agents/{agent}/activate")).status_code == 202
    api.clock.go_on(LIFETIME)
    await api.parts.expiring.sweep()
    async with api.browser(ANN) as ann:
        assert (await ann.get(f"/api/agents/{agent}")).json()["status"] == "inactive"
    (resource,) = [each async for each in api.world.list(AGENT)]
    spec = resource["spec"]
    assert isinstance(spec, dict)
    assert spec["suspend"] is True
