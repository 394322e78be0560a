"""Who wants all of theirs deleted: runs end, nothing comes, nothing stays, nobody else loses."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliostat_api.account.erased_documents import (
    COLLECTIONS,
    ErasingConversations,
    ErasingDocuments,
    ErasingGuests,
    ErasingReports,
    WaitingForMoves,
)
from heliostat_api.account.erasing import EraserAwayError, Erasing
from heliostat_api.app.main import create_app
from heliostat_api.base.roles import Claims
from heliostat_api.documents.port import Delete, Documents, Fields, Put, Query, UnavailableError
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.events.log import Report, ReportType
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import REST, PersonRepository
from heliostat_api.web.credentials import SESSION
from heliostat_core.worlds import AGENT, EXECUTION, Ref
from support.builders.resources import make_agent, make_execution
from support.shared_api import ApiApp, api_app

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN, BOB = new_guest_id(), new_guest_id()
FAREWELL = {"confirm": "delete everything"}
ALL = (*COLLECTIONS, "conversations")


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as opened:
        yield opened


async def leave(browser: httpx2.AsyncClient) -> httpx2.Response:
    return await browser.request("DELETE", "/api/me", json=FAREWELL)


async def settle(api: ApiApp) -> None:
    """As the server does in its time."""
    for _ in range(5):
        if await api.parts.erasing.resume():
            return
        api.clock.go_on(REST)
    raise AssertionError("not erased")


async def names_of(api: ApiApp) -> str:
    """All that the world says."""
    kept = [each for kind in (AGENT, EXECUTION) async for each in api.world.list(kind)]
    return json.dumps(kept, default=str)


async def give_webhook(api: ApiApp, person: str) -> list[str]:
    """One with a delivery, as somebody has who was a guest before; paths of documents."""
    hook, delivery = f"webhooks/hook-{person}", f"deliveries/msg-{person}"
    fields: Fields = {"userId": person, "createdAt": NOW}
    await api.documents.commit(
        Put(hook, {**fields, "url": "https://hooks.example"}),
        Put(delivery, {**fields, "webhookId": f"hook-{person}", "isOpen": False}),
    )
    return [hook, delivery]


async def give_all(api: ApiApp, person: str) -> list[str]:
    """An active agent with a key, runs, a webhook and a conversation; paths of documents."""
    async with api.browser(person) as browser:
        made = await browser.post(
            "/api/agents",
            json={"name": "sales", "spec": {"prompt": "Count."}},
            headers={"Idempotency-Key": "k"},
        )
        agent = made.json()["agent"]
        assert (await browser.post(f"/api/agents/{agent}/activate")).status_code == 202
        ran = await browser.post(f"/api/agents/{agent}/run", json={})
        tried = await browser.post(f"/api/agents/{agent}/test", json={})
        key = await browser.post(f"/api/agents/{agent}/trigger-keys", json={"name": "ci"})
        bearer = {"Authorization": f"Bearer {key.json()['secret']}", "webhook-id": "m"}
        called = await browser.post(f"/api/triggers/agents/{agent}", headers=bearer)
        assert called.status_code == 202
    hooks = await give_webhook(api, person)
    uid = ran.json()["execution"]
    await api.parts.transcripts.append(uid, 1, 0, ['{"n":0}'])
    talk = f"conversations/of-{person}"
    await api.documents.commit(
        Put(talk, {"userId": person, "createdAt": NOW}),
        Put(f"{talk}/messages/m", {"content": "hello", "timestamp": NOW}),
    )
    runs = [f"executions/{each}" for each in (uid, tried.json()["execution"])]
    paths = [f"agents/{agent}", f"triggers/{key.json()['id']}", *hooks, *runs]
    return [*paths, f"{runs[0]}/chunks/0001-000000000000", f"{talk}/messages/m"]


async def test_all_of_mine_goes_and_nothing_of_anybody_elses(api: ApiApp) -> None:
    mine, others = await give_all(api, ANN), await give_all(api, BOB)
    async with api.browser(ANN) as ann:
        answer = await leave(ann)
        assert answer.status_code == 202, answer.text
        assert f"{SESSION}=;" in answer.headers["set-cookie"]
    await settle(api)
    assert [each for each in mine if await api.documents.get(each)] == []
    assert [each for each in others if await api.documents.get(each) is None] == []
    assert await api.documents.get(f"people/{ANN}") is None
    heard = await api.parts.streams.log.read([f"person:{ANN}"], 0)
    assert heard.reports == ()
    kept = await names_of(api)
    assert ANN not in kept
    assert BOB in kept


async def test_the_words_are_needed(api: ApiApp) -> None:
    async with api.browser(ANN) as ann:
        for body in ({}, {"confirm": "yes"}):
            answer = await ann.request("DELETE", "/api/me", json=body)
            assert answer.status_code == 422
        assert "delete everything" in answer.text
        assert (await ann.get("/api/me")).status_code == 200


async def test_who_leaves_is_nobody_at_once_and_what_still_comes_is_not_kept(api: ApiApp) -> None:
    uid = await api.give_execution(ANN)
    async with api.browser(ANN) as ann:
        await leave(ann)
    async with api.browser(ANN) as ann:
        assert (await ann.get("/api/agents")).status_code == 401
        assert (await ann.post("/api/agents", json={"name": "x"})).status_code == 401
    assert await api.parts.recorder.audiences_of(uid) is None
    late = await api.give_execution(ANN, "sales-2")
    assert await api.documents.get(f"executions/{late}") is None
    await settle(api)
    assert ANN not in await names_of(api)


async def test_nothing_is_removed_before_what_is_on_its_way_has_arrived(api: ApiApp) -> None:
    uid = await api.give_execution(ANN)
    async with api.browser(ANN) as ann:
        await leave(ann)
    for _ in range(3):
        await api.parts.erasing.resume()
    assert await api.documents.get(f"executions/{uid}")
    api.clock.go_on(REST)
    assert await api.parts.erasing.resume()
    assert await api.documents.get(f"executions/{uid}") is None


async def test_runs_of_an_agent_that_is_gone_go_too_also_after_a_restart(api: ApiApp) -> None:
    agent = make_agent("sales")
    await api.give(ANN, {**agent.to_json(), "kind": "Agent"})
    for name, whose in (("sales-1", "sales"), ("other-1", "other")):
        run = make_execution(name, agent=whose)
        stored = api.world.put({**run.to_json(), "kind": "Execution"})
        path = await api.parts.recorder.see(EXECUTION, stored)
        assert await api.documents.get(path)
    await api.world.delete(Ref(AGENT, agent.metadata.namespace, "sales"))
    dependencies = api.dependencies
    again = ApiApp(create_app(dependencies), api.world, api.documents, api.clock, dependencies)
    await again.parts.recorder.catch_up()
    async with again.browser(ANN) as ann:
        await leave(ann)
    await settle(again)
    kept = await names_of(again)
    assert "sales-1" not in kept
    assert "other-1" in kept
    assert (await api.documents.query(Query("executions", ANN))).documents == ()


async def test_a_user_who_comes_back_is_new_and_old_sessions_stay_ended(api: ApiApp) -> None:
    identity = Identity("https://id.example", "ann", Claims())
    register = api.parts.erasing.register
    await register.see_user(identity)
    async with api.browser(identity.person_id) as before:
        assert (await before.get("/api/me")).status_code == 200
        await leave(before)
        await settle(api)
        api.clock.go_on(timedelta(minutes=1))
        await register.see_user(identity)
        async with api.browser(identity.person_id) as after:
            assert (await after.get("/api/me")).status_code == 200
    async with api.browser() as old:
        old.cookies.update(before.cookies)
        cookie = api.sessions
        api.clock.go_on(-timedelta(minutes=5))
        issued = cookie.issue(identity.person_id)
        api.clock.go_on(timedelta(minutes=5))
        old.cookies.set(SESSION, issued)
        assert (await old.get("/api/me")).status_code == 401


async def test_what_a_guest_had_moves_first_and_goes_with_the_rest(api: ApiApp) -> None:
    identity = Identity("https://id.example", "ann", Claims())
    register = api.parts.erasing.register
    user = (await register.see_user(identity), identity.person_id)[1]
    await register.see_guest(ANN)
    await register.begin_move(ANN, user)
    log = api.parts.streams.log
    await log.append(f"person:{ANN}", Report(ReportType.AGENT_CHANGED, NOW, {}))
    async with api.browser(user) as browser:
        await leave(browser)
    api.clock.go_on(REST)
    assert not await api.parts.erasing.resume()
    await register.end_move(ANN)
    assert await api.parts.erasing.resume()
    assert await api.documents.get(f"people/{ANN}") is None
    assert await api.documents.get(f"people/{user}") is None
    assert (await log.read([f"person:{ANN}", f"person:{user}"], 0)).reports == ()


# Both stores


class Interrupted:
    """A store whose connection breaks at the `at`-th commit from now on."""

    def __init__(self, documents: Documents, at: int) -> None:
        self._documents = documents
        self._left = at
        self.get, self.query, self.close = documents.get, documents.query, documents.close
        self.count = documents.count

    async def commit(self, *writes: Put | Delete) -> None:
        self._left -= 1
        if self._left == 0:
            raise UnavailableError("the store is away")
        await self._documents.commit(*writes)

    async def delete_tree(self, path: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise UnavailableError("the store is away")
        await self._documents.delete_tree(path)


class Away:
    """Something that can't forget somebody yet, as often as a test says."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def erase(self, person_id: str) -> bool:
        if self.failures:
            self.failures -= 1
            raise EraserAwayError(f"the gateway is away, and knows {person_id}")
        return True


def erasing(documents: Documents, log: SqliteEventLog, away: Away | None = None) -> Erasing:
    register = PersonRepository(documents, lambda: NOW)
    return Erasing(
        register,
        (WaitingForMoves(register),),
        (
            away or Away(0),
            *(ErasingDocuments(documents, each) for each in COLLECTIONS),
            ErasingConversations(documents, log),
            ErasingReports(log, register),
            ErasingGuests(register),
        ),
        SessionRevocations(log, lambda: NOW),
        rest=timedelta(0),
    )


async def make_things(documents: Documents, owner: str, count: int) -> None:
    for kind in ALL:
        for number in range(count):
            path = f"{kind}/{owner}-{number}"
            below = [Put(f"{path}/chunks/{each}", {"text": "x"}) for each in range(3)]
            await documents.commit(Put(path, {"userId": owner, "createdAt": NOW}), *below)


async def left_of(documents: Documents, owner: str, count: int) -> list[str]:
    paths = [f"{kind}/{owner}-{number}" for kind in ALL for number in range(count)]
    below = [f"{path}/chunks/{each}" for path in paths for each in range(3)]
    return [path for path in (*paths, *below) if await documents.get(path)]


@asynccontextmanager
async def log_in(folder: Path) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog(folder / "events.sqlite")
    yield log
    await log.close()


async def test_both_stores_forget_all_of_a_person(documents: Documents, tmp_path: Path) -> None:
    async with log_in(tmp_path) as log:
        await make_things(documents, ANN, 3)
        await make_things(documents, BOB, 1)
        told = Report(ReportType.AGENT_CHANGED, NOW, {})
        for audience in (f"person:{ANN}", f"conversation:{ANN}-0", f"person:{BOB}"):
            await log.append(audience, told, "once")
        work = erasing(documents, log)
        await work.begin(ANN)
        assert await work.resume()
        assert await left_of(documents, ANN, 3) == []
        assert len(await left_of(documents, BOB, 1)) == 4 * len(ALL)
        for gone in (f"person:{ANN}", f"conversation:{ANN}-0"):
            assert (await log.read([gone], 0)).reports == ()
        assert len((await log.read([f"person:{BOB}"], 0)).reports) == 1


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(1, 20), failures=st.integers(0, 2))
async def test_whatever_breaks_all_goes_in_the_end(tmp_path: Path, at: int, failures: int) -> None:
    store = open_sqlite(tmp_path / "documents.sqlite")
    async with log_in(tmp_path) as log:
        await make_things(store, ANN, 2)
        away = Away(failures)
        await erasing(store, log).begin(ANN)
        await erasing(Interrupted(store, at), log, away).resume()
        done = [await erasing(store, log, away).resume() for _ in range(failures + 1)]
        assert done[-1]
        assert await left_of(store, ANN, 2) == []
        assert await store.get(f"people/{ANN}") is None
    await store.close()


ERASE = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.account.erased_documents import COLLECTIONS, ErasingDocuments
from heliostat_api.account.erasing import Erasing
from heliostat_api.people.repository import PersonRepository
async def erase():
    store = open_sqlite(Path(sys.argv[1]))
    register = PersonRepository(store, lambda: datetime.now(UTC))
    removing = [ErasingDocuments(store, each) for each in COLLECTIONS]
    log = SqliteEventLog(Path(sys.argv[1]).with_name("events.sqlite"))
    revocations = SessionRevocations(log, lambda: datetime.now(UTC))
    await Erasing(register, (), removing, revocations, timedelta(0)).resume()
    print("done", flush=True)
asyncio.run(erase())
"""


async def test_a_process_that_is_killed_in_the_middle_is_followed_by_one_that_ends_it(
    tmp_path: Path,
) -> None:
    file, many = tmp_path / "documents.sqlite", 400
    store = open_sqlite(file)
    for number in range(many):
        path = f"executions/{ANN}-{number}"
        await store.commit(
            Put(path, {"userId": ANN, "createdAt": NOW}), Put(f"{path}/chunks/a", {"text": "x"})
        )
    await PersonRepository(store, lambda: NOW).begin_erasing(ANN)
    command = (sys.executable, "-c", ERASE, str(file))
    first = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(20):
        while await store.get(f"executions/{ANN}-99"):
            await asyncio.sleep(0.001)
    first.send_signal(signal.SIGKILL)
    assert await first.wait() == -signal.SIGKILL
    assert (await store.query(Query("executions", ANN))).documents, "killed in the middle"
    second = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(second.communicate(), 30)
    assert b"done" in said
    assert (await store.query(Query("executions", ANN))).documents == ()
    assert await store.get(f"executions/{ANN}-0/chunks/a") is None
    assert await store.get(f"people/{ANN}") is None
    await store.close()


@pytest.mark.parametrize("name", ["local", "guest-" + "0" * 32])
async def test_only_ids_of_people_are_looked_up(tmp_path: Path, name: str) -> None:
    store = open_sqlite(tmp_path / "documents.sqlite")
    register = PersonRepository(store, lambda: NOW)
    assert not await register.is_erasing("ann@example.com/../x")
    await register.begin_erasing(name)
    assert await register.is_erasing(name)
    await store.close()
