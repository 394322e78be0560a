"""Bodies: none is read before it is known who sends it, and none further than it may be long."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2
import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.app.main import describe_app
from heliostat_api.ingest.endpoints import ingest
from heliostat_api.people.identities import new_guest_id
from heliostat_api.web.bodies import MOST_BYTES
from support.endpoints import Endpoint, endpoints_of
from support.shared_api import ApiApp, api_app

pytestmark = pytest.mark.asyncio(loop_scope="module")
PIECE = b" " * (1 << 18)
ENDLESS = 64
KIND = {"Content-Type": "application/json"}
PLACES = {
    "{uid}": "3e6b9a52-0000-4000-8000-000000000000",
    "{attempt}": "1",
    "{number}": "1",
    "{path:path}": "result.txt",
}
PARAMS = {"size": "1", "sha256": "0" * 64, "offset": "0", "first": "0"}


@dataclass
class Endless:
    """A body without an end, and how much of it was asked for."""

    taken: int = field(default=0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(ENDLESS):
            self.taken += len(PIECE)
            yield PIECE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path_factory.mktemp("bodies")) as opened:
        yield opened


def taking_bodies() -> list[Endpoint]:
    """Whatever may have one."""
    app = describe_app()
    app.include_router(ingest)
    methods = ("POST", "PUT", "PATCH", "DELETE")
    return sorted(each for each in endpoints_of(app) if each[0] in methods)


def path_of(endpoint: Endpoint) -> str:
    path = endpoint[1]
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return path


async def send(
    api: ApiApp, endpoint: Endpoint, person: str | None, body: Endless | bytes
) -> httpx2.Response:
    async with api.browser(person) as browser:
        content = aiter(body) if isinstance(body, Endless) else body
        return await browser.request(
            endpoint[0],
            path_of(endpoint),
            params=PARAMS,
            content=content,
            headers={**KIND, "If-Match": "*"},
        )


@pytest.mark.parametrize("endpoint", taking_bodies(), ids=str)
async def test_of_nobody_nothing_is_read(api: ApiApp, endpoint: Endpoint) -> None:
    body = Endless()
    answer = await send(api, endpoint, None, body)
    assert body.taken == 0
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_of_a_forged_signature_no_more_is_read_than_an_input_may_have(api: ApiApp) -> None:
    body = Endless()
    async with api.browser(None) as stranger:
        answer = await stranger.post(
            "/api/triggers/agents/agent-0",
            content=aiter(body),
            headers={"X-Hub-Signature-256": "sha256=00"},
        )
    assert (answer.status_code, body.taken) == (413, 2 * len(PIECE))


@pytest.mark.parametrize("endpoint", taking_bodies(), ids=str)
async def test_who_sends_no_json_is_asked_who_they_are_first(
    api: ApiApp, endpoint: Endpoint
) -> None:
    is_open = endpoint[1] == "/auth/sign-out"
    assert (await send(api, endpoint, None, b"{")).status_code == (303 if is_open else 401)


@pytest.mark.parametrize("endpoint", taking_bodies(), ids=str)
async def test_of_a_person_no_more_is_read_than_a_body_may_have(
    api: ApiApp, endpoint: Endpoint
) -> None:
    body = Endless()
    answer = await send(api, endpoint, new_guest_id(), body)
    assert body.taken <= MOST_BYTES + len(PIECE)
    if body.taken:
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("language", "word"), [("en", "MiB"), ("ko", "요청")])
async def test_a_body_that_says_that_it_is_too_long_is_refused_as_a_problem(
    api: ApiApp, language: str, word: str
) -> None:
    async with api.browser(new_guest_id()) as browser:
        answer = await browser.post(
            "/api/agents",
            content=b" " * (MOST_BYTES + 1),
            headers={**KIND, "Accept-Language": language},
        )
    problem: dict[str, JsonValue] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (413, 413)
    assert word in str(problem["detail"])


async def test_what_an_agent_may_have_fits(api: ApiApp) -> None:
    async with api.browser(new_guest_id()) as browser:
        text = "😀" * 65_536  # of each character JSON makes twelve
        answer = await browser.post("/api/agents", json={"name": "x", "spec": {"prompt": text}})
    assert answer.status_code == 201, answer.text[:200]


async def test_a_server_answers_before_the_body_came(api: ApiApp) -> None:
    async with api.serving() as url:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        head = ("POST /api/agents HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {10**12}")
        with socket.create_connection((host, port), timeout=10) as line:
            line.sendall("\r\n".join((*head, "", "{")).encode())
            said = await asyncio.to_thread(line.recv, 4096)
    assert said.startswith(b"HTTP/1.1 413 ")
