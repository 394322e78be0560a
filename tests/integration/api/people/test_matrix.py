"""Every endpoint, called by nobody and with another person's ids: refused each time.

An endpoint without a row here fails the suite: say who may call it, and with what.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.chat.schemas import Say
from heliostat_api.documents.files import WorkFile
from heliostat_api.documents.port import Put
from heliostat_api.people.identities import new_guest_id
from heliostat_api.web.credentials import SESSION
from heliostat_api.webhooks.records import Delivery, NewWebhook
from heliostat_api.webhooks.trigger_keys import IssuedTriggerKey, NewTriggerKey
from heliostat_core.keys import new_private_key, public_pem, sign_execution_key
from heliostat_core.worlds import APPROVAL
from support.builders.asks import DIGEST, ask_document, make_ask
from support.builders.resources import make_execution, make_uid
from support.chatting import talking
from support.deliveries import make_claims
from support.endpoints import Endpoint, endpoints_of
from support.played_gateway import PlayedGateway
from support.shared_api import ApiApp, api_app

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANN, BOB = new_guest_id(), new_guest_id()
KEY_ID = "hsk_1"
DELIVERY_ID = "msg-1"
UNKNOWN = make_uid("nothing has this id")


class Rule(Enum):
    """Who may call an endpoint."""

    ANYBODY = "without a session: it tells nothing about anybody"
    PERSON = "with a session, about their own: it has no id"
    OWNER = "with a session: the id is of one of their things"
    USER = "with a session of somebody who signed in: the id is of one of their things"
    SOCKET = "a WebSocket, with a session: the id is their own; what it names must be theirs"
    TRIGGER = "with a key of that agent's trigger; no session opens it"
    GOOGLE = "with a token of Cloud Scheduler's account; no session opens it"
    RUN = "with the execution key of that attempt; no session opens it"


@dataclass(frozen=True)
class Row:
    """One endpoint, and what a proper call of it has beside its path."""

    rule: Rule
    body: JsonValue = None
    """`{agent_id}` stands for an agent's id, as in paths, `{execution_id}` for a run's."""
    params: Mapping[str, str] = field(default_factory=dict)


AGENT = "/api/agents/{agent_id}"
CALLED = "/api/triggers/agents/{agent_id}"
WEBHOOK = "/api/webhooks/{webhook_id}"
RECEIVER = "http://127.0.0.1:9/nobody-listens"
CONVERSATION = "/api/conversations/{conversation_id}"
CONTENT: JsonValue = {"name": "sales", "description": "", "spec": {"prompt": "Count."}}
DELIVERY = "/ingest/v1/executions/{uid}/attempts/{attempt}"
FILE = {"size": "1", "sha256": "0" * 64}
ACTION = b"{}"
ACTION_DIGEST = f"sha256:{hashlib.sha256(ACTION).hexdigest()}"
DECISION: JsonValue = {"decision": "deny", "digest": DIGEST}
ROWS: Mapping[tuple[str, str], Row] = {
    ("GET", "/api/openapi.json"): Row(Rule.ANYBODY),
    ("GET", "/healthz"): Row(Rule.ANYBODY),
    ("GET", "/readyz"): Row(Rule.ANYBODY),
    ("GET", "/metrics"): Row(Rule.ANYBODY),
    ("GET", "/auth/sign-in"): Row(Rule.ANYBODY),
    ("GET", "/auth/callback"): Row(Rule.ANYBODY),
    ("GET", "/auth/signed-out"): Row(Rule.ANYBODY),
    ("POST", "/auth/sign-out"): Row(Rule.ANYBODY),
    ("GET", "/agent/reports/stream"): Row(Rule.PERSON),
    ("GET", "/api/me"): Row(Rule.PERSON),
    ("GET", "/api/models"): Row(Rule.PERSON),
    ("GET", "/api/usage"): Row(Rule.PERSON),
    ("GET", "/api/keys"): Row(Rule.PERSON),
    ("POST", "/api/keys"): Row(Rule.PERSON, body={"name": "mine", "scopes": ["api"]}),
    ("DELETE", "/api/keys/{key_id}"): Row(Rule.OWNER),
    ("GET", "/api/secrets"): Row(Rule.PERSON),
    ("PUT", "/api/secrets/{name}"): Row(Rule.PERSON, body={"values": {"key": "value"}}),
    ("DELETE", "/api/secrets/{name}"): Row(Rule.PERSON),
    ("DELETE", "/api/me"): Row(Rule.PERSON, body={"confirm": "delete everything"}),
    ("GET", "/api/me/archive"): Row(Rule.PERSON),
    ("GET", "/api/agents"): Row(Rule.PERSON),
    ("GET", "/api/executions"): Row(Rule.PERSON),
    ("POST", "/api/samples/{name}"): Row(Rule.PERSON),
    ("POST", "/api/agents"): Row(Rule.PERSON, body={"name": "mine"}),
    ("GET", AGENT): Row(Rule.OWNER),
    ("POST", f"{AGENT}/run"): Row(Rule.OWNER, body={"input": "x"}),
    ("PUT", AGENT): Row(Rule.OWNER, body=CONTENT),
    ("PATCH", AGENT): Row(Rule.OWNER, body={"description": "x"}),
    ("DELETE", AGENT): Row(Rule.OWNER),
    ("POST", f"{AGENT}/duplicate"): Row(Rule.OWNER, body={"name": "copy"}),
    ("POST", f"{AGENT}/activate"): Row(Rule.OWNER),
    ("POST", f"{AGENT}/deactivate"): Row(Rule.OWNER),
    ("POST", f"{AGENT}/test"): Row(Rule.OWNER, body={}),
    ("GET", f"{AGENT}/yaml"): Row(Rule.OWNER),
    ("GET", f"{AGENT}/revisions"): Row(Rule.OWNER),
    ("GET", f"{AGENT}/revisions/{{number}}"): Row(Rule.OWNER),
    ("POST", f"{AGENT}/revisions/{{number}}/restore"): Row(Rule.OWNER),
    ("POST", "/api/triggers/cloud-scheduler"): Row(Rule.GOOGLE, body={}),
    ("POST", CALLED): Row(Rule.TRIGGER, body={"x": 1}),
    ("GET", f"{AGENT}/trigger-keys"): Row(Rule.OWNER),
    ("POST", f"{AGENT}/trigger-keys"): Row(Rule.OWNER, body={"name": "mine"}),
    ("DELETE", f"{AGENT}/trigger-keys/{{trigger_key_id}}"): Row(Rule.OWNER),
    ("GET", "/api/webhooks"): Row(Rule.PERSON),
    ("POST", "/api/webhooks"): Row(Rule.PERSON, body={"url": RECEIVER}),
    ("DELETE", WEBHOOK): Row(Rule.OWNER),
    ("GET", f"{WEBHOOK}/deliveries"): Row(Rule.OWNER),
    ("POST", f"{WEBHOOK}/deliveries/{{delivery_id}}/redeliver"): Row(Rule.OWNER),
    ("POST", "/api/agents/preview"): Row(Rule.OWNER, body={"agent": "{agent_id}"}),
    ("POST", "/api/schedules/preview"): Row(Rule.PERSON, body={"schedule": {"frequency": "daily"}}),
    ("GET", "/api/executions/{uid}"): Row(Rule.OWNER),
    ("GET", "/api/executions/{uid}/transcript"): Row(Rule.OWNER),
    ("GET", "/api/executions/{uid}/logs"): Row(Rule.OWNER),
    ("GET", "/api/executions/{uid}/diff/{other}"): Row(Rule.OWNER),
    ("GET", "/api/executions/{uid}/files"): Row(Rule.OWNER),
    ("GET", "/api/executions/{uid}/files/{file_id}"): Row(Rule.OWNER),
    ("GET", "/api/executions/counts"): Row(Rule.PERSON),
    ("POST", "/api/executions/cancel"): Row(Rule.PERSON, body={"phases": ["Pending"]}),
    ("POST", "/api/executions/{uid}/rerun"): Row(Rule.OWNER),
    ("POST", "/api/executions/{uid}/cancel"): Row(Rule.OWNER),
    ("GET", "/api/approvals"): Row(Rule.PERSON),
    ("GET", "/api/approvals/{ask_id}"): Row(Rule.OWNER),
    ("POST", "/approvals/{ask_id}/decide"): Row(Rule.USER, body=DECISION),
    ("POST", "/approvals/{ask_id}/resolve"): Row(Rule.USER, body={"outcome": "happened"}),
    ("POST", "/api/approvals/deny"): Row(Rule.USER, body={"execution": "{execution_id}"}),
    ("APIWebSocketRoute", "/workspace/{user_id}"): Row(Rule.SOCKET),
    ("GET", "/api/conversations"): Row(Rule.PERSON),
    ("GET", CONVERSATION): Row(Rule.OWNER),
    ("GET", f"{CONVERSATION}/messages"): Row(Rule.OWNER),
    ("PATCH", CONVERSATION): Row(Rule.OWNER, body={"title": "x"}),
    ("DELETE", CONVERSATION): Row(Rule.OWNER),
    ("GET", DELIVERY): Row(Rule.RUN),
    ("GET", f"{DELIVERY}/files/{{path:path}}"): Row(Rule.RUN, params=FILE),
    ("PUT", f"{DELIVERY}/files/{{path:path}}"): Row(Rule.RUN, params={**FILE, "offset": "0"}),
    ("GET", f"{DELIVERY}/actions/{{digest}}"): Row(Rule.RUN),
    ("PUT", f"{DELIVERY}/actions/{{digest}}"): Row(Rule.RUN, body={}),
    ("POST", f"{DELIVERY}/events"): Row(Rule.RUN, params={"first": "0"}),
    ("POST", f"{DELIVERY}/pieces"): Row(Rule.RUN, body={"events": []}),
    ("POST", f"{DELIVERY}/end"): Row(Rule.RUN, body={"next": 0, "lost": 0}),
}

CONTENT_OF_REPORT = b"# Report"
REPORT = WorkFile(
    1, "out/report.md", len(CONTENT_OF_REPORT), hashlib.sha256(CONTENT_OF_REPORT).hexdigest()
)
PRINTED = '{"type": "heliostat", "subtype": "output", "stream": "stdout", "text": "done"}'
KIND = {"Content-Type": "application/json"}


def of_rule(*rules: Rule) -> list[Endpoint]:
    return [endpoint for endpoint, row in ROWS.items() if row.rule in rules]


@dataclass(frozen=True)
class Answer:
    """What a caller is told. The time is left out."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Things:
    """Ann's, and a server that has them."""

    api: ApiApp
    url: str
    agent: str
    draft: str
    execution: str
    ask: str
    conversation: str
    webhook: str
    trigger_key: IssuedTriggerKey
    foreign_key: str
    """Of a run of somebody else."""

    def path(self, template: str, thing: str | None = None) -> str:
        """Of Ann's thing, or of that one."""
        return template.replace(":path", "").format(
            agent_id=thing or self.agent,
            uid=thing or self.execution,
            ask_id=thing or self.ask,
            digest=ACTION_DIGEST,
            other=thing or self.execution,
            conversation_id=thing or self.conversation,
            user_id=thing or ANN,
            attempt=1,
            number=1,
            file_id=REPORT.id,
            name="hello",
            trigger_key_id=self.trigger_key.id,
            webhook_id=thing or self.webhook,
            delivery_id=DELIVERY_ID,
            key_id=thing or KEY_ID,
            path="result.txt",
        )

    def body(self, row: Row, thing: str | None) -> str | None:
        """Of a row, about Ann's thing, or about that one."""
        text = json.dumps(row.body)
        text = text.replace("{execution_id}", thing or self.execution)
        return text.replace("{agent_id}", thing or self.agent) if row.body is not None else None

    def names_of_ann(self) -> tuple[str, ...]:
        return (
            ANN,
            self.agent,
            self.draft,
            self.execution,
            self.ask,
            self.conversation,
            KEY_ID,
            self.webhook,
            self.trigger_key.id,
        )

    def ids_for(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Of everything of hers that this endpoint could be about."""
        if "{key_id}" in endpoint[1]:
            return (KEY_ID,)
        if "{webhook_id}" in endpoint[1]:
            return (self.webhook,)
        if "{conversation_id}" in endpoint[1]:
            return (self.conversation,)
        if "{ask_id}" in endpoint[1]:
            return (self.ask,)
        if endpoint[1] == "/api/approvals/deny":
            return (self.execution,)
        return (self.execution,) if "{uid}" in endpoint[1] else (self.agent, self.draft)

    async def call(
        self,
        endpoint: Endpoint,
        person: str | None,
        thing: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Answer":
        """The answer, of a stream what it says at once."""
        method, template = endpoint
        row = ROWS[endpoint]
        cookies = {SESSION: self.api.sessions.issue(person)} if person else {}
        async with (
            httpx2.AsyncClient(base_url=self.url, cookies=cookies, timeout=20) as client,
            client.stream(
                method,
                self.path(template, thing),
                params=dict(row.params),
                content=self.body(row, thing),
                headers={"Origin": self.url, "If-Match": "*", **KIND, **(headers or {})},
            ) as response,
        ):
            headers_told = {n: v for n, v in response.headers.items() if n != "date"}
            return Answer(response.status_code, headers_told, await read_some(response))


async def read_some(response: httpx2.Response) -> str:
    """The whole, or the first event of a stream."""
    text = ""
    async with asyncio.timeout(20):
        async for piece in response.aiter_text():
            text += piece
            if response.headers.get("content-type", "").startswith(
                "text/event-stream"
            ) and text.endswith("\n\n"):
                break
    return text


async def make_draft(api: ApiApp) -> str:
    """An agent that Ann made in the dashboard; its id."""
    async with api.browser(ANN) as ann:
        made = await ann.post("/api/agents", json=CONTENT)
    assert made.status_code == 201, made.text
    uid = made.json()["agent"]
    assert isinstance(uid, str)
    return uid


async def make_webhook(api: ApiApp) -> str:
    """Ann's, with one delivery; its id."""
    ann = Person(ANN, PersonKind.USER)  # a guest could not, and had one before they moved
    made = await api.parts.webhooks.subscriptions.create(ann, NewWebhook(url=RECEIVER))
    now = api.clock()
    delivery = Delivery(
        user_id=ANN,
        webhook_id=made.id,
        agent_id="",
        event="execution.failed",
        created_at=now,
        body="{}",
        is_open=False,
        next_time=now,
        state="failed",
    )
    await api.documents.commit(Put(f"deliveries/{DELIVERY_ID}", delivery.fields()))
    return made.id


async def make_conversation(api: ApiApp) -> str:
    """Something that Ann said, not answered yet; the id of its conversation."""
    said = Say(type="say", id="1", text="Count.")
    conversation, _ = await api.parts.chat.start_answer.start(
        Person(ANN, PersonKind.GUEST), said, ""
    )
    return conversation


async def make_ask_of(api: ApiApp, execution: str) -> str:
    """What that run asks for; its id."""
    run = make_execution("sales-1", uid=execution)
    stored = api.world.put(ask_document(make_ask(run)))
    return (await api.parts.recorder.see(APPROVAL, stored)).partition("/")[2]


@asynccontextmanager
async def things_in(folder: Path) -> AsyncIterator[Things]:
    private = new_private_key()
    keys = folder / "keys"
    keys.mkdir()
    (keys / "public.pem").write_text(public_pem(private))
    gateway = PlayedGateway(hsk_1_secret=ANN)
    settings = ApiSettings(webhook_networks=("127.0.0.0/8",))
    async with api_app(folder, settings, gateway=gateway.place) as api, api.serving() as url:
        execution = await api.give_execution(ANN)
        await api.parts.files.write(execution, REPORT, 0, CONTENT_OF_REPORT)
        await api.parts.transcripts.append(execution, 1, 0, (PRINTED,))
        agent = await api.give_agent(ANN)
        ann = Person(ANN, PersonKind.GUEST)
        yield Things(
            api,
            url,
            agent=agent,
            draft=await make_draft(api),
            execution=execution,
            ask=await make_ask_of(api, execution),
            conversation=await make_conversation(api),
            webhook=await make_webhook(api),
            trigger_key=await api.parts.webhooks.keys.create(ann, agent, NewTriggerKey(name="ci")),
            foreign_key=sign_execution_key(private, make_claims(UNKNOWN, seconds=10**9)),
        )


@pytest_asyncio.fixture(loop_scope="module")
async def things(tmp_path: Path) -> AsyncIterator[Things]:
    """For a test that changes them."""
    async with things_in(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Things]:
    """For all tests in which only strangers ask: nothing of Ann's may change."""
    async with things_in(tmp_path_factory.mktemp("things")) as made:
        yield made


async def test_every_endpoint_has_a_row(lasting: Things) -> None:
    assert endpoints_of(lasting.api.app) == set(ROWS), "say in ROWS who may call it"


@pytest.mark.parametrize(
    "endpoint",
    of_rule(Rule.PERSON, Rule.OWNER, Rule.USER, Rule.RUN, Rule.TRIGGER, Rule.GOOGLE),
    ids=str,
)
async def test_nobody_is_told_anything(lasting: Things, endpoint: Endpoint) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"{SESSION}=a.b.c"}):
        answer = await lasting.call(endpoint, None, headers=headers)
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("endpoint", of_rule(Rule.USER), ids=str)
async def test_a_guest_is_told_to_sign_in_and_others_that_there_is_nothing(
    lasting: Things, endpoint: Endpoint
) -> None:
    before = len(lasting.api.world.changes)
    assert (await lasting.call(endpoint, ANN)).status == 403
    unknown = await lasting.call(endpoint, BOB, UNKNOWN)
    assert unknown.status == 404
    for thing in lasting.ids_for(endpoint):
        assert await lasting.call(endpoint, BOB, thing) == unknown
    assert len(lasting.api.world.changes) == before


@pytest.mark.parametrize("endpoint", of_rule(Rule.OWNER), ids=str)
async def test_a_foreign_id_answers_exactly_like_an_unknown_one(
    things: Things, endpoint: Endpoint
) -> None:
    before = len(things.api.world.changes)
    unknown = await things.call(endpoint, BOB, UNKNOWN)
    assert unknown.status == 404
    for thing in things.ids_for(endpoint):
        assert await things.call(endpoint, BOB, thing) == unknown
    assert len(things.api.world.changes) == before
    own = [(await things.call(endpoint, ANN, thing)).status for thing in things.ids_for(endpoint)]
    assert any(status < 300 for status in own), "the owner may: else this test shows nothing"
    assert not {401, 403} & set(own)  # an agent of kubectl has no revisions: 404


async def test_a_foreign_id_behind_an_own_one_answers_like_an_unknown_one(things: Things) -> None:
    api = things.api
    bob = Person(BOB, PersonKind.USER)
    run, agent = await api.give_execution(BOB, "bobs"), await api.give_agent(BOB, "bobs")
    hook = (await api.parts.webhooks.subscriptions.create(bob, NewWebhook(url=RECEIVER))).id
    diff = f"/api/executions/{run}/diff"
    ways = (
        ("GET", diff, things.execution),
        ("GET", f"/api/executions/{run}/files", REPORT.id),
        ("DELETE", f"/api/agents/{agent}/trigger-keys", things.trigger_key.id),
        ("POST", f"/api/webhooks/{hook}/deliveries", f"{DELIVERY_ID}/redeliver"),
    )
    async with api.browser(BOB) as browser:
        for method, path, second in ways:
            foreign = await browser.request(method, f"{path}/{second}")
            _, _, rest = second.partition("/")
            unknown = await browser.request(method, "/".join(filter(None, (path, UNKNOWN, rest))))
            assert (foreign.status_code, unknown.status_code) == (404, 404), path
            assert foreign.text == unknown.text
        assert (await browser.get(f"{diff}/{run}")).status_code == 200, "else this shows nothing"


@pytest.mark.parametrize("endpoint", of_rule(Rule.PERSON, Rule.ANYBODY), ids=str)
async def test_what_has_no_id_tells_nothing_of_others(lasting: Things, endpoint: Endpoint) -> None:
    stranger = new_guest_id()  # who may leave for good
    answers = [await lasting.call(endpoint, person) for person in (stranger, None)]
    for answer in answers:
        assert not any(name in answer.text for name in lasting.names_of_ann())
        assert answer.status < 500


async def handshake(things: Things, workspace: str, **headers: str) -> Answer:
    """How it ends, for a WebSocket of that workspace."""
    address = f"{things.url.replace('http', 'ws', 1)}/workspace/{workspace}"
    try:
        async with connect(address, additional_headers=headers):
            return Answer(101, {}, "")
    except InvalidStatus as refused:
        headers_told = refused.response.headers.raw_items()
        told = {name.lower(): text for name, text in headers_told if name.lower() != "date"}
        return Answer(refused.response.status_code, told, str(refused.response.body))


async def test_a_foreign_workspace_is_refused_exactly_like_an_unknown_one(lasting: Things) -> None:
    cookie = f"{SESSION}={lasting.api.sessions.issue(BOB)}"
    own = {"Origin": lasting.url, "Cookie": cookie}
    foreign = await handshake(lasting, ANN, **own)
    assert foreign.status == 404
    assert foreign.headers["content-type"] == "application/problem+json"
    assert await handshake(lasting, UNKNOWN, **own) == foreign
    assert (await handshake(lasting, BOB, **own)).status == 101


@pytest.mark.parametrize(
    ("origin", "authorization", "status"),
    [
        ("", "", 401),
        ("", "Bearer x", 401),
        ("own", "", 401),
        ("https://evil.example", "", 403),
    ],
)
async def test_nobody_is_told_which_workspaces_there_are(
    lasting: Things, origin: str, authorization: str, status: int
) -> None:
    given = {"Origin": lasting.url if origin == "own" else origin, "Authorization": authorization}
    headers = {name: value for name, value in given.items() if value}
    refused = await handshake(lasting, ANN, **headers)
    assert refused.status == status
    assert await handshake(lasting, UNKNOWN, **headers) == refused


@pytest.mark.parametrize(
    "command",
    [
        {"type": "watch"},
        {"type": "watch", "cursor": 0},
        {"type": "say", "id": "1", "text": "x"},
        {"type": "stop"},
        {"type": "continue", "message": UNKNOWN},
    ],
    ids=str,
)
async def test_a_foreign_conversation_answers_exactly_like_an_unknown_one(
    lasting: Things, command: dict[str, JsonValue]
) -> None:
    cookie = f"{SESSION}={lasting.api.sessions.issue(BOB)}"
    async with talking(lasting.url, BOB, {"Origin": lasting.url, "Cookie": cookie}) as bob:
        await bob.send(**command, conversation=UNKNOWN)
        unknown = await bob.receive()
        await bob.send(**command, conversation=lasting.conversation)
        assert await bob.receive() == unknown
    assert unknown["type"] == "refused"
    assert isinstance(unknown["problem"], dict)
    assert unknown["problem"]["status"] == 404


async def test_what_is_said_about_a_foreign_agent_is_refused_like_an_unknown_one(
    lasting: Things,
) -> None:
    cookie = f"{SESSION}={lasting.api.sessions.issue(BOB)}"
    answers = []
    async with talking(lasting.url, BOB, {"Origin": lasting.url, "Cookie": cookie}) as bob:
        for agent in (UNKNOWN, lasting.agent, lasting.draft):
            await bob.send(type="say", id="1", text="x", agent=agent)
            answers.append(await bob.receive())
    assert answers[0]["type"] == "refused"
    assert answers[1:] == [answers[0]] * 2


async def test_the_owner_is_told_of_their_own(things: Things) -> None:
    told_ann = {
        endpoint[1]: (await things.call(endpoint, ANN)).text
        for endpoint in of_rule(Rule.PERSON)
        if endpoint[0] == "GET"
    }
    assert ANN in told_ann["/api/me"]
    assert things.agent in told_ann["/api/agents"]
    assert things.execution in told_ann["/api/executions"]
    assert things.ask in told_ann["/api/approvals"]
    assert KEY_ID in told_ann["/api/keys"]
    assert things.webhook in told_ann["/api/webhooks"]
    assert things.conversation in told_ann["/api/conversations"]
    snapshot = told_ann["/agent/reports/stream"]
    assert all(name in snapshot for name in things.names_of_ann()[:5])  # no conversations, no keys


@pytest.mark.parametrize("endpoint", of_rule(Rule.RUN), ids=str)
async def test_a_run_delivers_its_own_and_no_session_delivers(
    things: Things, endpoint: Endpoint
) -> None:
    for person in (ANN, BOB):
        assert (await things.call(endpoint, person)).status == 401
    key = {"Authorization": f"Bearer {things.foreign_key}"}
    assert (await things.call(endpoint, None, headers=key)).status == 403


async def test_a_cursor_of_another_persons_page_shows_nothing_of_theirs(things: Things) -> None:
    for number in range(3):
        await things.api.give_execution(ANN, f"more-{number}")
    url = "/api/executions?limit=1"
    async with things.api.browser(ANN) as ann, things.api.browser(BOB) as bob:
        cursor = (await ann.get(url)).json()["next"]
        assert cursor
        answer = await bob.get(f"{url}&cursor={cursor}")
    assert answer.status_code == 400 or answer.json()["items"] == []


@pytest.mark.parametrize("endpoint", of_rule(Rule.TRIGGER), ids=str)
async def test_a_key_starts_its_own_agent_and_no_session_starts_any(
    things: Things, endpoint: Endpoint
) -> None:
    for person in (ANN, BOB):
        assert (await things.call(endpoint, person)).status == 401
    key = {"Authorization": f"Bearer {things.trigger_key.secret}"}
    foreign = await things.call(endpoint, None, things.draft, headers=key)
    assert foreign == await things.call(endpoint, None, UNKNOWN, headers=key)
    assert foreign.status == 401
    assert (await things.call(endpoint, None, headers=key)).status == 202
