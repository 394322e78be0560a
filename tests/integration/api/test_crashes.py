"""The api dies at any write of any path that writes: nothing stays half done.

A row for each: how it begins, and what writes. It is killed at its first write, at its second, and
so on; and once more for each, it lives and only the answer of that write is lost. Each landing
tries some writes to each place (documents, log, world, gateway), `make test-all` every one.

Then an api starts on what is left: all that people are shown is whole, and who asks again gets
what they would have got, once. An endpoint without a row fails the suite.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest
from pydantic import JsonValue

from heliostat_api.account.expiring import GRACE
from heliostat_api.account.guest_migration import GuestMigration
from heliostat_api.agents.mending import REST as BURIED_AFTER
from heliostat_api.agents.mending import Mending
from heliostat_api.app.assembly.entrance import build_entrance
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.roles import Claims
from heliostat_api.chat.schemas import Say
from heliostat_api.documents.port import Fields, Put
from heliostat_api.gateway.keeping import Keeping
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import REST
from heliostat_api.people.sessions import LIFETIME
from heliostat_api.recording.backfill import Backfill
from heliostat_api.recording.trials import Trials
from heliostat_api.webhooks.records import Delivery, NewWebhook
from heliostat_api.webhooks.trigger_keys import digest_of
from heliostat_core.executions import Execution
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import AGENT, APPROVAL, EXECUTION, SECRET, JsonObject, Ref
from support.builders.asks import DIGEST, ask_document, make_ask
from support.builders.resources import make_execution
from support.crashes import Fuse, KilledError, Server, Stand, left_by
from support.deliveries import Signer, make_claims
from support.endpoints import Endpoint, endpoints_of
from support.objects import ENDED
from support.sampling import rows_of_landing

ANN, NEWCOMER = new_guest_id(), new_guest_id()
BEN = Identity("https://id.example", "ben", Claims())
GUEST = Person(ANN, PersonKind.GUEST)
EARLY = "Early1"
SHARE = 0.3
NO_DIFFERENCE = (Counter[str](), Counter[str]())
SPEC: JsonValue = {"prompt": "Add up."}
SCHEDULED: JsonValue = {"prompt": "Add up.", "schedule": {"frequency": "daily"}}
Act = Callable[[Server], Awaitable[None]]
RECEIVER = "http://127.0.0.1:9/nobody-listens"
CONTENT = b"# Report"
FILE: Mapping[str, str | int] = {
    "size": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "offset": 0,
}
DELIVERY = "/ingest/v1/executions/{uid}/attempts/{attempt}"
FINISHED: JsonValue = {
    "phase": "Succeeded",
    "completionTime": "2026-11-22T12:00:00Z",
    "attempts": [
        {
            "number": 1,
            "jobName": "j",
            "podName": "p",
            "createdTime": "2026-11-22T11:59:00Z",
            "startTime": "2026-11-22T11:59:00Z",
            "keyExpiresTime": "2026-11-22T13:59:00Z",
        }
    ],
    "conditions": ENDED,
}


@dataclass(frozen=True)
class Call:
    """A request of the browser of Ann, or of somebody else by the name of their who or key."""

    method: str
    path: str
    body: JsonValue = None
    who: str = "ann"
    key: str = "k"
    content: bytes = b""
    params: Mapping[str, str | int] = field(default_factory=dict)

    async def answer(self, server: Server) -> httpx2.Response:
        """With all that makes sending it again harmless."""
        headers = {"If-Match": "*", "Idempotency-Key": self.key}
        is_program = self.who in ("run", "caller")
        if is_program:
            headers["Authorization"] = f"Bearer {server.ids[self.who]}"
        async with server.browser("" if is_program else server.ids[self.who]) as browser:
            return await browser.request(
                self.method,
                self.path.format(**server.ids),
                content=self.content if self.body is None else json.dumps(self.body).encode(),
                params=self.params,
                headers={**headers, "Content-Type": "application/json"},
            )

    async def __call__(self, server: Server) -> None:
        """What is gone already was deleted by the first try."""
        answer = await self.answer(server)
        is_gone = self.method == "DELETE" and answer.status_code in (404, 401)
        assert answer.status_code < HTTPStatus.BAD_REQUEST or is_gone, answer.text


async def read(server: Server, path: str, who: str) -> httpx2.Response:
    return await Call("GET", path, who=who).answer(server)


def then(*acts: Act) -> Act:
    async def act(server: Server) -> None:
        for each in acts:
            await each(server)

    return act


def making(name: str, method: str, path: str, body: JsonValue, field: str) -> Act:
    """That request; what it made is called that from then on."""

    async def act(server: Server) -> None:
        answer = await Call(method, path, body, key=name).answer(server)
        assert answer.is_success, answer.text
        server.ids[name] = str(answer.json()[field])

    return act


async def nothing(_: Server) -> None:
    """Nothing has to be there."""


DRAFT = making("agent", "POST", "/api/agents", {"name": "First", "spec": SPEC}, "agent")
PLANNED = making("agent", "POST", "/api/agents", {"name": "First", "spec": SCHEDULED}, "agent")
EDIT = Call("PATCH", "/api/agents/{agent}", {"spec": {"priority": 7}})
EDITED = then(DRAFT, EDIT)
ACTIVE = then(PLANNED, Call("POST", "/api/agents/{agent}/activate"))
RUN = then(ACTIVE, making("uid", "POST", "/api/agents/{agent}/run", {}, "execution"))
TESTED = then(DRAFT, making("uid", "POST", "/api/agents/{agent}/test", {}, "execution"))
STORED = Call("PUT", "/api/secrets/db", {"values": {"a": "1"}})


async def said(server: Server) -> None:
    """A conversation whose answer nobody writes."""
    words = Say(type="say", id="1", text="Count.")
    conversation, begun = await server.parts.chat.start_answer.start(GUEST, words, "")
    server.ids["conversation"] = conversation
    if begun is not None:
        server.ids["answer"] = begun.answer


async def interrupted(server: Server) -> None:
    await said(server)
    server.stand.clock.go_on(timedelta(minutes=1))
    await server.parts.chat.recovery.recover_all()


async def stop(server: Server) -> None:
    await server.parts.chat.commands.stop(GUEST, server.ids["conversation"])


async def go_on(server: Server) -> None:
    ids = server.ids
    await server.parts.chat.start_answer.resume(GUEST, ids["conversation"], ids["answer"])


async def delivering(server: Server) -> None:
    """A run of Ann's, and the key of its attempt."""
    await RUN(server)
    signer = Signer(server.stand.folder / "keys")
    signer.publish()
    claims = make_claims(server.ids["uid"], issued=server.stand.clock(), seconds=10**9)
    server.ids["run"] = signer.sign(claims)
    server.ids["attempt"] = "1"


def asking(**status: JsonValue) -> Act:
    """A run of Ben's asks, and its ask is in that state."""

    async def act(server: Server) -> None:
        await then(RUN, sign_in)(server)
        runs = [each async for each in server.stand.world.list(EXECUTION)]
        ask = ask_document(make_ask(Execution.model_validate(runs[0])))
        stored = server.stand.world.put({**ask, "status": status})
        path = await server.parts.recorder.see(APPROVAL, stored)
        server.ids["ask"] = path.partition("/")[2]

    return act


async def deny_all(server: Server) -> None:
    body: JsonValue = {"execution": server.ids["uid"], "suspendAgent": True}
    await Call("POST", "/api/approvals/deny", body, who="ben")(server)


async def with_trigger_key(server: Server) -> None:
    """By which another program starts Ann's agent."""
    await ACTIVE(server)
    server.ids["caller"] = "htk_of-a-test"
    fields: Fields = {
        "userId": ANN,
        "agentId": server.ids["agent"],
        "name": "ci",
        "kind": "bearer",
        "digest": digest_of(server.ids["caller"]),
        "createdAt": server.stand.clock(),
    }
    server.ids["trigger_key"] = "key-1"
    await server.parts.drafts.documents.commit(Put("triggers/key-1", fields))


async def with_webhook(server: Server) -> None:
    """Ben's, and a delivery that nobody took."""
    ben, now = Person(BEN.person_id, PersonKind.USER), server.stand.clock()
    subscriptions = server.parts.webhooks.subscriptions
    server.ids["webhook"] = (await subscriptions.create(ben, NewWebhook(url=RECEIVER))).id
    delivery = Delivery(
        user_id=ben.id,
        webhook_id=server.ids["webhook"],
        agent_id="",
        event="execution.failed",
        created_at=now,
        body="{}",
        is_open=False,
        next_time=now,
        state="failed",
    )
    await server.parts.drafts.documents.commit(Put("deliveries/msg-1", delivery.fields()))


def moves_of(server: Server) -> GuestMigration:
    parts = server.parts
    found = build_entrance(
        server.dependencies, parts.erasing.register, parts.revocations, parts.money
    ).moves
    assert found is not None
    return found


async def sign_in(server: Server) -> None:
    """As the callback does it once the provider vouched for Ben."""
    await server.parts.erasing.register.see_user(BEN)
    await moves_of(server).move(ANN, BEN.person_id)


async def move_in_the_background(server: Server) -> None:
    await moves_of(server).resume()


async def change_the_world(server: Server) -> None:
    """What happens while no api runs: one run ends, one is deleted, an agent, too; one is new."""
    world = server.stand.world
    runs = [each async for each in world.list(EXECUTION)]
    world.put({**runs[0], "status": FINISHED})
    meta = runs[1]["metadata"]
    assert isinstance(meta, Mapping)
    world.remove(Ref(EXECUTION, str(meta["namespace"]), str(meta["name"])))
    execution = make_execution("new").to_json()
    owned: JsonObject = {
        "name": "new",
        "namespace": "default",
        "annotations": {OWNER_ANNOTATION: ANN},
    }
    world.put({**execution, "kind": "Execution", "metadata": owned})
    agents = [each async for each in world.list(AGENT)]
    meta = agents[0]["metadata"]
    assert isinstance(meta, Mapping)
    world.remove(Ref(AGENT, str(meta["namespace"]), str(meta["name"])))


async def second_run(server: Server) -> None:
    await making("other", "POST", "/api/agents/{agent}/run", {"input": "x"}, "execution")(server)


async def record(server: Server) -> None:
    """As a start does, and then whoever closes records."""
    recorder = server.parts.recorder
    await recorder.catch_up()
    async for each in server.stand.world.list(EXECUTION):
        execution = Execution.model_validate(each)
        if execution.is_finished and execution.is_settled:
            await replace(recorder.closing, patience=timedelta(0)).close(execution)
    await recorder.catch_up()


async def mend(server: Server) -> None:
    parts = server.parts
    trials = Trials(parts.commands.world)
    await Mending(parts.drafts, parts.deletion, trials, (parts.drafts.idempotency,)).mend()


def later(passed: timedelta) -> Act:
    async def act(server: Server) -> None:
        server.stand.clock.go_on(passed)

    return act


async def an_early_document(server: Server) -> None:
    """Of the earlier platform."""
    now = server.stand.clock()
    fields: Fields = {"userId": ANN, "createdAt": now, "status": "success", "name": "old"}
    documents = server.parts.drafts.documents
    await documents.commit(Put(f"agents/{EARLY}", fields), Put(f"executions/{EARLY}", fields))


async def adopt(server: Server) -> None:
    await Backfill(server.parts.drafts.documents).adopt()


async def keep_budgets(server: Server) -> None:
    await Keeping(server.stand.world, server.parts.money.caps).keep()


async def lose_budgets(server: Server) -> None:
    server.stand.gateway.budgets.clear()


async def erase(server: Server) -> None:
    await server.parts.erasing.resume()


async def expire(server: Server) -> None:
    await server.parts.expiring.sweep()


async def mend_answers(server: Server) -> None:
    await server.parts.chat.recovery.recover_all()


@dataclass(frozen=True)
class Row:
    """Something that writes, and what is there before."""

    act: Act
    before: Act = nothing
    serves: Endpoint | None = None
    differs: str = ""
    """Why what is left depends on where it died."""


def of(call: Call, before: Act = nothing, differs: str = "") -> Row:
    """A row of an endpoint, named in the words of ids."""
    served = call.path
    for ours, theirs in _PARAMETERS.items():
        served = served.replace(ours, theirs)
    return Row(call, before, (call.method, served), differs)


EMPTY = f"sha256:{sha256(b'{}').hexdigest()}"
_PARAMETERS = {
    "{agent}": "{agent_id}",
    "{conversation}": "{conversation_id}",
    "/revisions/1/": "/revisions/{number}/",
    "/secrets/db": "/secrets/{name}",
    "/samples/hello": "/samples/{name}",
    "/files/out/report.md": "/files/{path:path}",
    "{webhook}": "{webhook_id}",
    "{trigger_key}": "{trigger_key_id}",
    "/deliveries/msg-1": "/deliveries/{delivery_id}",
    "/keys/hsk_ben": "/keys/{key_id}",
    "{ask}": "{ask_id}",
    f"/actions/{EMPTY}": "/actions/{digest}",
}
A = "/api/agents/{agent}"
C = "/api/conversations/{conversation}"
W = "/api/webhooks/{webhook}"
DENIED: JsonValue = {"decision": "deny", "digest": DIGEST}
ACTION = f"{DELIVERY}/actions/{EMPTY}"
HOOK: JsonValue = {"url": RECEIVER}
NAMED: JsonValue = {"name": "ci"}
WHOLE: JsonValue = {"name": "First", "description": "x", "spec": SPEC}
HINT = "that a list is to be read again may be lost with who died: it is a hint, not a state"
LATER = "deliveries of a webhook that is gone are seen by nobody, and go after their 30 days"
LOST_KEY = "a crash between the gateway and the store leaves a key that is listed, and no more"
KEY: JsonValue = {"name": "mine", "scopes": ["api"]}
FAREWELL: JsonValue = {"confirm": "delete everything"}
GOING = then(RUN, STORED, said, Call("DELETE", "/api/me", FAREWELL), later(REST))
LINES = b'{"type":"a"}\n{"type":"b"}\n'
PIECES: JsonValue = {"events": [{"type": "stream_event"}]}
END: JsonValue = {"next": 0, "lost": 0}
EVENTS, REPORT, FIRST = f"{DELIVERY}/events", f"{DELIVERY}/files/out/report.md", {"first": 0}
SOCKET: Endpoint = ("APIWebSocketRoute", "/workspace/{user_id}")
ROWS: Mapping[str, Row] = {
    "create": of(Call("POST", "/api/agents", {"name": "Second", "spec": SPEC})),
    "replace": of(Call("PUT", A, WHOLE), DRAFT),
    "edit": of(Call("PATCH", A, {"spec": {"priority": 7}}), DRAFT),
    "delete a draft": of(Call("DELETE", A), DRAFT),
    "delete": of(Call("DELETE", A), ACTIVE),
    "duplicate": of(Call("POST", f"{A}/duplicate", {"name": "copy"}), DRAFT),
    "activate": of(Call("POST", f"{A}/activate"), PLANNED),
    "activate an edit": of(Call("POST", f"{A}/activate"), then(ACTIVE, EDIT)),
    "deactivate": of(Call("POST", f"{A}/deactivate"), ACTIVE),
    "restore": of(Call("POST", f"{A}/revisions/1/restore"), EDITED),
    "run": of(Call("POST", f"{A}/run", {}), ACTIVE),
    "test": of(Call("POST", f"{A}/test", {}), DRAFT),
    "sample": of(Call("POST", "/api/samples/hello")),
    "cancel": of(Call("POST", "/api/executions/{uid}/cancel"), RUN),
    "decide": of(Call("POST", "/approvals/{ask}/decide", DENIED, who="ben"), asking()),
    "resolve": of(
        Call("POST", "/approvals/{ask}/resolve", {"outcome": "happened"}, who="ben"),
        asking(state="OutcomeUnknown"),
    ),
    "deny all": Row(deny_all, asking(), ("POST", "/api/approvals/deny")),
    "cancel many": of(Call("POST", "/api/executions/cancel", {"phases": ["Pending"]}), RUN),
    "rerun": of(Call("POST", "/api/executions/{uid}/rerun"), RUN),
    "rename a conversation": of(Call("PATCH", C, {"title": "x"}), said),
    "delete a conversation": of(Call("DELETE", C), said),
    "say": Row(said, nothing, SOCKET),
    "stop": Row(stop, said, SOCKET),
    "go on": Row(go_on, interrupted, SOCKET, differs="each try says how it ended"),
    "make a secret": of(Call("PUT", "/api/secrets/db", {"values": {"a": "2", "b": "3"}})),
    "change a secret": of(Call("PUT", "/api/secrets/db", {"values": {"a": "2", "b": "3"}}), STORED),
    "delete a secret": of(Call("DELETE", "/api/secrets/db"), STORED),
    "make a key": of(Call("POST", "/api/keys", KEY, who="ben"), differs=LOST_KEY),
    "revoke a key": of(Call("DELETE", "/api/keys/hsk_ben", who="ben")),
    "leave": of(Call("DELETE", "/api/me", FAREWELL), then(RUN, said)),
    "make a trigger's key": of(Call("POST", f"{A}/trigger-keys", NAMED), DRAFT),
    "revoke a trigger's key": of(
        Call("DELETE", f"{A}/trigger-keys/{{trigger_key}}"), with_trigger_key, HINT
    ),
    "call": of(Call("POST", "/api/triggers/agents/{agent}", {}, who="caller"), with_trigger_key),
    "make a webhook": of(Call("POST", "/api/webhooks", HOOK, who="ben")),
    "delete a webhook": of(Call("DELETE", W, who="ben"), with_webhook, LATER),
    "redeliver": of(Call("POST", f"{W}/deliveries/msg-1/redeliver", who="ben"), with_webhook),
    "sign out": of(Call("POST", "/auth/sign-out")),
    "sign in": Row(
        sign_in, then(RUN, STORED, interrupted, mend_answers), ("GET", "/auth/callback")
    ),
    "first visit": Row(Call("GET", "/api/me", who="newcomer")),
    "deliver events": of(Call("POST", EVENTS, who="run", content=LINES, params=FIRST), delivering),
    "deliver a gap": of(Call("POST", EVENTS, who="run", params={**FIRST, "lost": 3}), delivering),
    "deliver pieces": of(Call("POST", f"{DELIVERY}/pieces", PIECES, who="run"), delivering),
    "deliver the end": of(Call("POST", f"{DELIVERY}/end", END, who="run"), delivering),
    "deliver an action": of(Call("PUT", ACTION, who="run", content=b"{}"), delivering),
    "deliver a file": of(Call("PUT", REPORT, who="run", content=CONTENT, params=FILE), delivering),
    "record": Row(record, then(RUN, second_run, change_the_world)),
    "record a test": Row(record, then(TESTED, DRAFT)),
    "bury": Row(mend, then(ACTIVE, Call("DELETE", A), later(2 * BURIED_AFTER))),
    "forget keys": Row(mend, then(EDITED, later(timedelta(days=2)))),
    "erase": Row(erase, GOING),
    "stop a guest": Row(expire, then(ACTIVE, later(LIFETIME + timedelta(days=1)))),
    "erase a guest": Row(
        expire, then(ACTIVE, later(LIFETIME), expire, later(GRACE + timedelta(days=1)))
    ),
    "adopt": Row(adopt, an_early_document),
    "keep budgets": Row(keep_budgets, then(ACTIVE, lose_budgets)),
    "mend answers": Row(mend_answers, then(said, later(timedelta(minutes=1)))),
}
WRITES_NOTHING: Mapping[Endpoint, tuple[str, JsonValue]] = {
    ("POST", "/api/agents/preview"): ("/api/agents/preview", {"spec": SPEC}),
    ("POST", "/api/schedules/preview"): (
        "/api/schedules/preview",
        {"schedule": {"frequency": "daily"}},
    ),
}

WRITES_ONCE: frozenset[Endpoint] = frozenset({("POST", "/api/triggers/cloud-scheduler")})
"""One object with the name of its time: nothing can be half done (test_cloud_scheduler_calls)."""


async def begin(folder: Path, row: Row) -> Stand:
    """What is there before the row's act."""
    folder.mkdir()
    stand = Stand(folder)
    stand.gateway.owners["hsk_ben_secret"] = BEN.person_id
    stand.ids["ann"] = stand.sessions.issue(ANN)
    stand.ids["ben"] = stand.sessions.issue(BEN.person_id)
    stand.ids["newcomer"] = stand.sessions.issue(NEWCOMER)
    async with stand.server() as server:
        await server.parts.erasing.register.see_guest(ANN)
        await server.parts.erasing.register.see_user(BEN)
        stand.clock.go_on(timedelta(seconds=2))
        stand.ids["ann"] = stand.sessions.issue(ANN)
        stand.ids["ben"] = stand.sessions.issue(BEN.person_id)
        await row.before(server)
    return stand


async def start(server: Server) -> None:
    """What an api does by itself, once it is there. Whoever held something is known to be gone."""
    server.stand.clock.go_on(timedelta(minutes=3))
    for each in (adopt, record, mend, mend_answers, move_in_the_background, expire):
        await each(server)
    for _ in range(3):
        await erase(server)
        server.stand.clock.go_on(REST)


async def crash(row: Row, stand: Stand, fuse: Fuse) -> None:
    """The act, up to where it dies; or through, as far as it is told."""
    async with stand.server(fuse) as server:
        if fuse.is_answer_lost:
            with suppress(Exception):
                await row.act(server)
            return
        with suppress(KilledError):
            await row.act(server)


async def mended(row: Row, stand: Stand) -> list[str]:
    """What is left once an api started, and somebody asked again."""
    async with stand.server() as server:
        await start(server)
        await check_whole(server)
        await row.act(server)
        await start(server)
    return left_by(stand)


async def check_whole(server: Server) -> None:
    """All that Ann and Ben are shown can be looked at, and screens heard of it."""
    for who in ("ann", "ben"):
        heard = await last_heard(server)
        for kind in ("agents", "executions", "conversations"):
            for each in await items(server, f"/api/{kind}", who):
                await check_thing(server, who, f"/api/{kind}/{each['id']}", each)
                assert heard.get(str(each["id"])) == each or each["id"] == EARLY, "screens differ"
        for secret in await items(server, "/api/secrets", who):
            found = await server.stand.world.get(Ref(SECRET, "default", str(secret["resource"])))
            data, keys = (found or {}).get("data", {}), secret["keys"]
            assert isinstance(data, Mapping)
            assert isinstance(keys, list)
            assert {*keys} <= data.keys()


async def check_thing(server: Server, who: str, path: str, shown: Mapping[str, JsonValue]) -> None:
    """Its own page says what the list says, and what is below it is there."""
    detail = (await read(server, path, who)).json()
    assert {name: detail[name] for name in shown} == shown
    if "/agents/" in path and detail["revision"]:
        revisions = await items(server, f"{path}/revisions", who)
        assert [each["number"] for each in revisions] == list(range(detail["revision"], 0, -1))
        newest = (await read(server, f"{path}/revisions/{detail['revision']}", who)).json()
        assert newest["spec"] == detail["spec"]
    if "/executions/" in path:
        assert (await read(server, f"{path}/transcript", who)).status_code == 200
        for file in await items(server, f"{path}/files", who):
            content = await read(server, f"{path}/files/{file['id']}", who)
            assert content.content == CONTENT
    if "/conversations/" in path:
        assert len(await items(server, f"{path}/messages", who)) == 2


async def items(server: Server, path: str, who: str) -> list[Mapping[str, JsonValue]]:
    """None for who is nobody any more."""
    answer = await read(server, path, who)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return []
    assert answer.status_code == HTTPStatus.OK, answer.text
    found: list[Mapping[str, JsonValue]] = answer.json()["items"]
    return found


async def last_heard(server: Server) -> dict[str, Mapping[str, object]]:
    """By the id of the thing: the last report of it, to whomever."""
    found = await server.parts.streams.log.read(
        [f"person:{ANN}", f"person:{BEN.person_id}"], 0, limit=1000
    )
    return {str(each.report.payload.get("id")): each.report.payload for each in found.reports}


@asynccontextmanager
async def copied(stand: Stand, folder: Path) -> AsyncIterator[Stand]:
    """Gone at the end: they are many."""
    yield stand.copy(folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ROWS)
async def test_nothing_stays_half_done(tmp_path: Path, name: str) -> None:
    row = ROWS[name]
    stand = await begin(tmp_path / "before", row)
    whole = Fuse()
    async with copied(stand, tmp_path / "whole") as copy:
        async with copy.server(whole) as server:
            await row.act(server)
        expected = Counter(await mended(row, copy))
    assert whole.writes, "it writes nothing: this row shows nothing"
    for writes, is_answer_lost in tries(name, row, whole.writes):
        fuse = Fuse(writes, is_answer_lost)
        async with copied(stand, tmp_path / "copy") as copy:
            await crash(row, copy, fuse)
            assert fuse.has_blown
            left = Counter(await mended(row, copy))
            if not row.differs:
                assert (left - expected, expected - left) == NO_DIFFERENCE, fuse


def tries(name: str, row: Row, writes: Sequence[str]) -> list[tuple[int, bool]]:
    """Where it dies or loses an answer: at some writes to each place, or at all of them."""
    all_of_them = [
        (number, is_answer_lost)
        for is_answer_lost in ((False, True) if row.serves else (False,))
        for number in range(len(writes))
    ]
    return rows_of_landing(
        f"crashes of the api, {name}",
        all_of_them,
        lambda each: (writes[each[0]].split()[0], each[1]),
        SHARE,
    )


async def test_every_endpoint_that_writes_has_a_row(tmp_path: Path) -> None:
    stand = await begin(tmp_path / "stand", Row(nothing))
    async with stand.server() as server:
        found = {each for each in endpoints_of(server.app) if each[0] != "GET"}
    served = {row.serves for row in ROWS.values()} - {None, ("GET", "/auth/callback")}
    assert found == served | WRITES_NOTHING.keys() | WRITES_ONCE, "say in ROWS how it is asked"


async def test_what_has_no_row_writes_nothing(tmp_path: Path) -> None:
    stand = await begin(tmp_path / "stand", Row(nothing))
    fuse = Fuse(0)
    async with stand.server(fuse) as server:
        for (method, _), (path, body) in WRITES_NOTHING.items():
            assert (await Call(method, path, body).answer(server)).status_code == HTTPStatus.OK
    assert not fuse.has_blown
