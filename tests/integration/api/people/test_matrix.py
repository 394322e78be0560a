"""Every endpoint, called by nobody and with another person's ids: refused each time.

An endpoint without a row here fails the suite: say who may call it, and with what.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import JsonValue

from heliostat_api.people.identities import new_guest_id
from heliostat_api.serving.cookies import SESSION
from heliostat_core.keys import new_private_key, public_pem, sign_execution_key
from support.api_apps import ApiApp, api_app
from support.builders.resources import make_uid
from support.deliveries import make_claims

ANN, BOB = new_guest_id(), new_guest_id()
UNKNOWN = make_uid("nothing has this id")


class Rule(Enum):
    """Who may call an endpoint."""

    ANYBODY = "without a session: it tells nothing about anybody"
    PERSON = "with a session, about their own: it has no id"
    OWNER = "with a session: the id is of one of their things"
    RUN = "with the execution key of that attempt; no session opens it"


@dataclass(frozen=True)
class Row:
    """One endpoint, and what a proper call of it has beside its path."""

    rule: Rule
    body: Mapping[str, JsonValue] | None = None
    params: Mapping[str, str] = field(default_factory=dict)


DELIVERY = "/ingest/v1/executions/{uid}/attempts/{attempt}"
ROWS: Mapping[tuple[str, str], Row] = {
    ("GET", "/api/openapi.json"): Row(Rule.ANYBODY),
    ("GET", "/auth/sign-in"): Row(Rule.ANYBODY),
    ("GET", "/auth/callback"): Row(Rule.ANYBODY),
    ("GET", "/auth/signed-out"): Row(Rule.ANYBODY),
    ("POST", "/auth/sign-out"): Row(Rule.ANYBODY),
    ("GET", "/agent/reports/stream"): Row(Rule.PERSON),
    ("GET", "/api/me"): Row(Rule.PERSON),
    ("GET", "/api/agents"): Row(Rule.PERSON),
    ("GET", "/api/executions"): Row(Rule.PERSON),
    ("POST", "/api/samples/{name}"): Row(Rule.PERSON),
    ("GET", "/api/agents/{agent_id}"): Row(Rule.OWNER),
    ("POST", "/api/agents/{agent_id}/run"): Row(Rule.OWNER, body={"input": "x"}),
    ("GET", "/api/executions/{uid}"): Row(Rule.OWNER),
    ("GET", "/api/executions/{uid}/transcript"): Row(Rule.OWNER),
    ("POST", "/api/executions/{uid}/rerun"): Row(Rule.OWNER),
    ("POST", "/api/executions/{uid}/cancel"): Row(Rule.OWNER),
    ("GET", DELIVERY): Row(Rule.RUN),
    ("POST", f"{DELIVERY}/events"): Row(Rule.RUN, params={"first": "0"}),
    ("POST", f"{DELIVERY}/end"): Row(Rule.RUN, body={"next": 0, "lost": 0}),
}

Endpoint = tuple[str, str]


def of_rule(*rules: Rule) -> list[Endpoint]:
    return [endpoint for endpoint, row in ROWS.items() if row.rule in rules]


def endpoints_of(app: FastAPI) -> set[Endpoint]:
    """Method, or the kind of a route without methods, and path of each."""
    found = set()
    for each in iter_route_contexts(app.routes):
        methods = (each.methods or {type(each.original_route).__name__}) - {"HEAD"}
        found |= {(method, str(each.path)) for method in methods}
    return found


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
    execution: str
    foreign_key: str
    """Of a run of somebody else."""

    def path(self, template: str, thing: str | None = None) -> str:
        """Of Ann's thing, or of that one."""
        return template.format(
            agent_id=thing or self.agent,
            uid=thing or self.execution,
            attempt=1,
            name="hello",
        )

    def names_of_ann(self) -> tuple[str, ...]:
        return (ANN, self.agent, self.execution)

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
                json=dict(row.body) if row.body else None,
                headers={"Origin": self.url, **(headers or {})},
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


@pytest_asyncio.fixture
async def things(tmp_path: Path) -> AsyncIterator[Things]:
    private = new_private_key()
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "public.pem").write_text(public_pem(private))
    async with api_app(tmp_path) as api, api.serving() as url:
        yield Things(
            api,
            url,
            agent=await api.give_agent(ANN),
            execution=await api.give_execution(ANN),
            foreign_key=sign_execution_key(private, make_claims(UNKNOWN, seconds=10**9)),
        )


async def test_every_endpoint_has_a_row(things: Things) -> None:
    assert endpoints_of(things.api.app) == set(ROWS), "say in ROWS who may call it"


@pytest.mark.parametrize("endpoint", of_rule(Rule.PERSON, Rule.OWNER, Rule.RUN), ids=str)
async def test_nobody_is_told_anything(things: Things, endpoint: Endpoint) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"{SESSION}=a.b.c"}):
        answer = await things.call(endpoint, None, headers=headers)
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("endpoint", of_rule(Rule.OWNER), ids=str)
async def test_a_foreign_id_answers_exactly_like_an_unknown_one(
    things: Things, endpoint: Endpoint
) -> None:
    before = len(things.api.world.changes)
    foreign = await things.call(endpoint, BOB)
    unknown = await things.call(endpoint, BOB, UNKNOWN)
    assert foreign.status == unknown.status == 404
    assert foreign == unknown
    assert len(things.api.world.changes) == before
    own = await things.call(endpoint, ANN)
    assert own.status in (200, 202), "the owner may: else this test shows nothing"


@pytest.mark.parametrize("endpoint", of_rule(Rule.PERSON, Rule.ANYBODY), ids=str)
async def test_what_has_no_id_tells_nothing_of_others(things: Things, endpoint: Endpoint) -> None:
    answers = [await things.call(endpoint, person) for person in (BOB, None)]
    for answer in answers:
        assert not any(name in answer.text for name in things.names_of_ann())
        assert answer.status < 500


async def test_the_owner_is_told_of_their_own(things: Things) -> None:
    told_ann = {
        endpoint[1]: (await things.call(endpoint, ANN)).text
        for endpoint in of_rule(Rule.PERSON)
        if endpoint[0] == "GET"
    }
    assert ANN in told_ann["/api/me"]
    assert things.agent in told_ann["/api/agents"]
    assert things.execution in told_ann["/api/executions"]
    assert all(name in told_ann["/agent/reports/stream"] for name in things.names_of_ann())


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
