"""What a guest has becomes theirs when they sign in: all of it, once, whatever breaks meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliostat_api.account.guest_migration import COLLECTIONS, GuestMigration, MovingDocuments
from heliostat_api.app.settings import ApiSettings
from heliostat_api.documents.port import Delete, Documents, Put, UnavailableError
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.people.identities import new_guest_id
from heliostat_api.people.repository import REST, PersonRepository
from heliostat_core.worlds import UnavailableError as WorldUnavailableError
from support.shared_api import URL, Clock, api_app

NOW = Clock().now
USER, OTHER = "user-1", "user-2"
WITH_SIGN_IN = ApiSettings(
    oidc_issuer="https://id.test", oidc_client_id="heliostat", public_url=URL
)


class Resources:
    """The world's part: fails as often as a test says."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.moved: list[tuple[str, str]] = []

    async def move(self, before: str, after: str) -> None:
        if self.failures:
            self.failures -= 1
            raise WorldUnavailableError("the world is away")
        self.moved.append((before, after))


class Answers:
    """What is written in the background: ends when a test says so."""

    def __init__(self, *, is_writing: bool = False) -> None:
        self.is_writing = is_writing

    async def move(self, before: str, after: str) -> bool:
        assert before != after
        return not self.is_writing


class Interrupted:
    """A store whose connection breaks at the `at`-th commit from now on."""

    def __init__(self, documents: Documents, at: int) -> None:
        self._documents = documents
        self._left = at
        self.get, self.query, self.count = documents.get, documents.query, documents.count
        self.delete_tree, self.close = documents.delete_tree, documents.close

    async def commit(self, *writes: Put | Delete) -> None:
        self._left -= 1
        if self._left == 0:
            raise UnavailableError("the store is away")
        await self._documents.commit(*writes)


@pytest_asyncio.fixture
async def documents(tmp_path: Path) -> AsyncIterator[SqliteDocuments]:
    store = open_sqlite(tmp_path / "documents.sqlite")
    yield store
    await store.close()


def now() -> datetime:
    return NOW


def later() -> datetime:
    """Once every replica knows that somebody moved."""
    return NOW + REST


def register(documents: Documents, clock: Callable[[], datetime] = now) -> PersonRepository:
    return PersonRepository(documents, clock)


def moves(
    documents: Documents,
    resources: Resources | None = None,
    clock: Callable[[], datetime] = now,
    answers: Answers | None = None,
) -> GuestMigration:
    parts = (resources or Resources(), MovingDocuments(documents))
    return GuestMigration(register(documents, clock), answers or Answers(), parts)


async def make_things(documents: Documents, owner: str, count: int = 3) -> list[str]:
    """Paths of documents of each collection."""
    paths = [f"{kind}/{owner}-{number}" for kind in COLLECTIONS for number in range(count)]
    for path in paths:
        await documents.commit(Put(path, {"userId": owner, "createdAt": NOW, "name": path}))
    return paths


async def make_guest(documents: Documents) -> str:
    guest = new_guest_id()
    await register(documents).see_guest(guest)
    return guest


async def owners(documents: Documents, paths: list[str]) -> set[str]:
    found = [await documents.get(path) for path in paths]
    assert all(each is not None and each.fields["name"] == each.path for each in found)
    return {str(each.fields["userId"]) for each in found if each}


async def open_moves(documents: Documents) -> list[tuple[str, str]]:
    return [(each.guest_id, each.user_id) async for each in register(documents).open_moves()]


async def test_all_things_of_a_guest_move_and_nobody_elses(documents: SqliteDocuments) -> None:
    guest = await make_guest(documents)
    paths, others = await make_things(documents, guest, 120), await make_things(documents, OTHER)
    resources = Resources()
    await moves(documents, resources).move(guest, USER)
    assert await owners(documents, paths) == {USER}
    assert await owners(documents, others) == {OTHER}
    assert resources.moved == [(guest, USER)], "at once"
    assert await moves(documents, clock=later).resume()
    assert await open_moves(documents) == []


async def test_what_a_replica_makes_for_the_guest_meanwhile_moves_too(
    documents: SqliteDocuments,
) -> None:
    guest = await make_guest(documents)
    moving = moves(documents)
    await moving.move(guest, USER)
    paths = await make_things(documents, guest)
    assert not await moving.resume()
    assert await open_moves(documents) == [(guest, USER)]
    assert await moves(documents, clock=later).resume()
    assert await owners(documents, paths) == {USER}
    assert await open_moves(documents) == []


async def test_a_move_ends_once_nothing_is_written_for_the_guest(
    documents: SqliteDocuments,
) -> None:
    guest, answers = await make_guest(documents), Answers(is_writing=True)
    moving = moves(documents, clock=later, answers=answers)
    await register(documents).begin_move(guest, USER)
    assert not await moving.resume()
    paths = await make_things(documents, guest)
    answers.is_writing = False
    assert await moving.resume()
    assert await owners(documents, paths) == {USER}


async def test_a_guest_moves_to_one_user_only(documents: SqliteDocuments) -> None:
    guest = await make_guest(documents)
    await moves(documents).move(guest, USER)
    paths = await make_things(documents, guest)
    await moves(documents).move(guest, OTHER)
    assert await owners(documents, paths) == {guest}
    await moves(documents).move(guest, USER)
    assert await owners(documents, paths) == {USER}


async def test_somebody_who_is_no_guest_does_not_move(documents: SqliteDocuments) -> None:
    paths = await make_things(documents, OTHER)
    await documents.commit(Put(f"people/{OTHER}", {"kind": "user", "lastSeen": NOW}))
    await moves(documents).move(OTHER, USER)
    assert await owners(documents, paths) == {OTHER}


async def test_a_world_that_is_away_is_tried_again(documents: SqliteDocuments) -> None:
    guest = await make_guest(documents)
    paths, resources = await make_things(documents, guest), Resources(failures=2)
    await moves(documents, resources).move(guest, USER)
    assert await owners(documents, paths) == {guest}, "resources come first"
    moving = moves(documents, resources, later)
    assert not await moving.resume()
    assert await open_moves(documents) == [(guest, USER)]
    assert await moving.resume()
    assert await owners(documents, paths) == {USER}
    assert await open_moves(documents) == []


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(1, 12))
async def test_a_crash_at_any_write_loses_nothing(documents: SqliteDocuments, at: int) -> None:
    guest = await make_guest(documents)
    paths = await make_things(documents, guest)
    broken = moves(Interrupted(documents, at))
    try:
        await broken.move(guest, USER)
    except UnavailableError:
        assert await owners(documents, paths) == {guest}, "not even promised"
        await moves(documents).move(guest, USER)
    assert await moves(documents, clock=later).resume()
    assert await owners(documents, paths) == {USER}
    assert await open_moves(documents) == []


async def test_what_somebody_writes_meanwhile_is_moved_as_they_wrote_it(
    documents: SqliteDocuments,
) -> None:
    guest = await make_guest(documents)
    paths = await make_things(documents, guest)

    class Busy(Interrupted):
        async def commit(self, *writes: Put | Delete) -> None:
            """Somebody else is quicker, once."""
            first = await documents.get(paths[0])
            assert first is not None
            if any(each.path == first.path for each in writes) and "result" not in first.fields:
                await documents.commit(Put(first.path, {**first.fields, "result": "done"}))
            await documents.commit(*writes)

    await moves(Busy(documents, 0)).move(guest, USER)
    assert await owners(documents, paths) == {USER}
    written = await documents.get(paths[0])
    assert written is not None
    assert written.fields["result"] == "done"


async def test_a_guest_who_moved_is_nobody_any_more(documents: SqliteDocuments) -> None:
    guest = await make_guest(documents)
    known = register(documents)
    await known.see_guest(guest)
    await GuestMigration(known, Answers(), ()).move(guest, USER)
    assert (await known.see_guest(guest)).moved_to == USER


async def test_a_guest_who_calls_several_times_at_once_is_one(documents: SqliteDocuments) -> None:
    guest = new_guest_id()
    known = [register(documents) for _ in range(5)]
    await asyncio.gather(*(each.see_guest(guest) for each in known))
    document = await documents.get(f"people/{guest}")
    assert document is not None
    assert document.fields == {"kind": "guest", "firstSeen": NOW, "lastSeen": NOW}


async def test_a_server_that_starts_ends_what_a_crash_left(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api:
        guest = await make_guest(api.documents)
        paths = await make_things(api.documents, guest)
        await register(api.documents).begin_move(guest, USER)
        api.clock.go_on(REST)
        async with api.serving(), asyncio.timeout(10):
            while await open_moves(api.documents):
                await asyncio.sleep(0.01)
        assert await owners(api.documents, paths) == {USER}


async def test_what_the_guest_makes_at_another_replica_after_signing_in_is_the_users(
    tmp_path: Path,
) -> None:
    """For some seconds the other one still believes the guest."""
    guest = new_guest_id()
    async with api_app(tmp_path, WITH_SIGN_IN) as one, api_app(tmp_path, WITH_SIGN_IN) as two:
        sign_in = one.parts.sign_in
        assert sign_in is not None
        async with two.browser(guest) as browser:
            assert (await browser.get("/api/me")).status_code == 200
            await sign_in.moves.move(guest, USER)
            made = await browser.post(
                "/api/agents", json={"name": "late", "spec": {"prompt": "Count."}}
            )
            assert made.status_code == 201, made.text
        one.clock.go_on(REST)
        await sign_in.moves.resume()
        found = await one.documents.get(f"agents/{made.json()['agent']}")
        assert found is not None
        assert found.fields["userId"] == USER
        assert await open_moves(one.documents) == []
