"""Guests: the first page gives a session, an API call never does."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
import pytest_asyncio
from fastapi import Depends, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import Person
from heliostat_api.base.roles import Claims
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import PersonRepository
from heliostat_api.web.credentials import SESSION
from heliostat_api.web.dependencies import person_of
from support.played_gateway import PlayedGateway
from support.shared_api import PAGE, URL, ApiApp, api_app

GUEST = new_guest_id()


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as app:
        yield app


async def test_the_first_page_gives_a_session_and_the_register_a_guest(api: ApiApp) -> None:
    async with api.browser() as browser:
        page = await browser.get("/", headers=PAGE)
        me = await browser.get("/api/me")
    line = page.headers["set-cookie"]
    assert line.startswith("heliostat_session=")
    assert line.endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")
    assert page.headers["cache-control"] == "no-store"
    guest = me.json()
    assert (guest["kind"], guest["isAdmin"]) == ("guest", False)
    assert guest["id"].startswith("guest-")
    assert len(bytes.fromhex(guest["id"].removeprefix("guest-"))) * 8 >= 96
    document = await api.documents.get(f"people/{guest['id']}")
    assert document is not None
    seen = api.clock.now
    assert document.fields == {"kind": "guest", "firstSeen": seen, "lastSeen": seen}


async def test_two_newcomers_are_two_guests(api: ApiApp) -> None:
    found = set()
    for _ in range(2):
        async with api.browser() as browser:
            await browser.get("/", headers=PAGE)
            found.add((await browser.get("/api/me")).json()["id"])
    assert len(found) == 2


async def test_an_api_call_gives_no_session(api: ApiApp) -> None:
    async with api.browser() as browser:
        for path in ("/api/me", "/agent/reports/stream", "/auth/sign-in"):
            answer = await browser.get(path, headers=PAGE)
            assert "set-cookie" not in answer.headers
        assert (await browser.get("/")).headers.get("set-cookie") is None
        assert (await browser.get("/api/me")).status_code == 401


async def test_a_guest_who_comes_back_stays_for_30_days_more(api: ApiApp) -> None:
    async with api.browser(GUEST) as browser:
        await browser.get("/api/me")
        first = api.clock.now
        for _ in range(3):
            api.clock.go_on(timedelta(days=29))
            await browser.get("/", headers=PAGE)
            assert (await browser.get("/api/me")).json()["id"] == GUEST
        document = await api.documents.get(f"people/{GUEST}")
        assert document is not None
        assert document.fields["firstSeen"] == first
        assert document.fields["lastSeen"] == api.clock.now
        api.clock.go_on(timedelta(days=30))
        assert (await browser.get("/api/me")).status_code == 401


async def test_a_second_visit_of_the_day_changes_nothing(api: ApiApp) -> None:
    async with api.browser(GUEST) as browser:
        await browser.get("/api/me")
        before = await api.documents.get(f"people/{GUEST}")
        api.clock.go_on(timedelta(hours=1))
        assert "set-cookie" not in (await browser.get("/", headers=PAGE)).headers
        await browser.get("/api/me")
        assert await api.documents.get(f"people/{GUEST}") == before


async def test_under_tls_the_cookie_is_for_this_host_and_tls_only(api: ApiApp) -> None:
    async with api.browser(url="https://api.test") as browser:
        page = await browser.get("/", headers=PAGE)
        assert page.headers["set-cookie"].startswith("__Host-heliostat_session=")
        assert page.headers["set-cookie"].endswith("SameSite=Lax; Secure")
        assert (await browser.get("/api/me")).status_code == 200
        browser.cookies.clear()
        browser.cookies.set("heliostat_session", api.sessions.issue(GUEST))
        assert (await browser.get("/api/me")).status_code == 401


@pytest.mark.parametrize(
    ("trusted", "is_secure"),
    [("192.0.2.0/24", True), ("192.0.2.1", True), ("198.51.100.0/24", False), ("", False)],
)
async def test_only_a_trusted_proxy_says_that_the_browser_speaks_tls(
    tmp_path: Path, trusted: str, is_secure: bool
) -> None:
    settings = ApiSettings.model_validate({"trusted_proxies": trusted})
    async with api_app(tmp_path, settings) as api, api.browser() as browser:
        page = await browser.get("/", headers={**PAGE, "X-Forwarded-Proto": "https"})
    assert page.headers["set-cookie"].endswith("; Secure") is is_secure


async def test_behind_a_trusted_proxy_our_own_origin_is_the_secure_one(tmp_path: Path) -> None:
    settings = ApiSettings.model_validate({"trusted_proxies": "192.0.2.1"})
    async with api_app(tmp_path, settings) as api, api.browser() as browser:
        forwarded = {"X-Forwarded-Proto": "https"}
        for origin, status in (("https://api.test", 401), ("http://api.test", 403)):
            answer = await browser.post(
                "/api/samples/hello", headers={**forwarded, "Origin": origin}
            )
            assert answer.status_code == status


async def test_without_guests_a_newcomer_is_turned_away(tmp_path: Path) -> None:
    settings = ApiSettings(guests=False, iap_audience="/projects/1")
    async with api_app(tmp_path, settings) as api:
        async with api.browser() as browser:
            page = await browser.get("/agents", headers=PAGE)
        async with api.browser(GUEST) as browser:
            me = await browser.get("/api/me")
    assert page.status_code == me.status_code == 401
    assert "Ask the administrator of this server" in page.text
    assert "set-cookie" not in page.headers


async def test_without_guests_a_newcomer_is_led_to_signing_in(tmp_path: Path) -> None:
    settings = ApiSettings(
        guests=False, oidc_issuer="https://id.test", oidc_client_id="us", public_url="http://a.test"
    )
    async with api_app(tmp_path, settings) as api, api.browser() as browser:
        page = await browser.get("/agents/a b?x=1", headers=PAGE)
    assert page.status_code == 303
    assert page.headers["location"] == "/auth/sign-in?next=/agents/a%20b"


async def test_while_the_store_is_away_pages_come_and_calls_say_so(
    api: ApiApp, tmp_path: Path
) -> None:
    async with api.browser(GUEST) as browser:
        with closing(sqlite3.connect(tmp_path / "documents.sqlite")) as other:
            other.execute("DROP TABLE documents")
        page = await browser.get("/", headers=PAGE)
        me = await browser.get("/api/me")
    assert page.headers["content-type"].startswith("text/html")
    assert "set-cookie" not in page.headers
    assert me.status_code == 503
    assert me.headers["retry-after"]


async def test_a_guest_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    settings = ApiSettings(limit_guest=3, limit_person=0, limit_address=0)
    async with api_app(tmp_path, settings) as api:
        async with api.browser(GUEST) as browser:
            statuses = [(await browser.get("/api/me")).status_code for _ in range(4)]
            refused = await browser.get("/api/me")
        async with api.browser(new_guest_id()) as other:
            assert (await other.get("/api/me")).status_code == 200
    assert statuses == [200, 200, 200, 429]
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.json()["detail"].startswith("At most 3 requests a minute: try again in")


async def test_one_address_has_a_limit_for_all_who_come_from_there(tmp_path: Path) -> None:
    settings = ApiSettings(limit_guest=0, limit_address=3)
    async with api_app(tmp_path, settings) as api:
        statuses = []
        for _ in range(4):
            async with api.browser(new_guest_id()) as browser:
                statuses.append((await browser.get("/api/me")).status_code)
                probe = await browser.get("/healthz")
    assert statuses == [200, 200, 200, 429]
    assert probe.status_code == 200, "probes are not limited"


async def test_a_key_counts_alone_whatever_cookie_comes_with_it(tmp_path: Path) -> None:
    eve = Identity("https://issuer", "eve", Claims())
    gateway = PlayedGateway(hsk_eve_right=eve.person_id)
    async with (
        api_app(tmp_path, gateway=gateway.place) as api,
        api.browser(GUEST) as browser,
    ):
        await PersonRepository(api.documents, api.clock).see_user(eve)
        for given, status in (
            ("Bearer hsk_eve_right", 200),
            ("bearer hsk_eve_right", 200),
            ("Bearer hsk_eve_wrong", 401),
            ("Bearer wrong", 401),
            ("Bearer", 401),
            ("Basic cmlnaHQ=", 401),
            ("", 401),
        ):
            answer = await browser.get("/api/me", headers={"Authorization": given})
            assert (given, answer.status_code) == (given, status)
        del browser.headers["Origin"]
        browser.cookies.clear()
        key = {"Authorization": "Bearer hsk_eve_right"}
        assert (await browser.post("/api/samples/none", headers=key)).status_code == 404


async def test_a_forwarded_header_is_not_believed_by_the_server_itself(api: ApiApp) -> None:
    forged = {**PAGE, "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1"}
    async with api.serving() as url, httpx2.AsyncClient() as client:
        page = await client.get(url, headers=forged)
    assert page.headers["set-cookie"].startswith("heliostat_session=")


async def test_a_websocket_is_opened_by_its_person_and_refused_to_nobody(api: ApiApp) -> None:
    @api.app.websocket("/workspace")
    async def say_who(socket: WebSocket, person: Annotated[Person, Depends(person_of)]) -> None:
        await socket.accept()
        await socket.send_text(person.id)
        await socket.close()

    cookie = {"cookie": f"heliostat_session={api.sessions.issue(GUEST)}", "origin": URL}
    with TestClient(api.app, base_url=URL) as client:
        with client.websocket_connect("ws://api.test/workspace", headers=cookie) as socket:
            assert socket.receive_text() == GUEST
        with pytest.raises(WebSocketDenialResponse) as unknown:
            client.websocket_connect("ws://api.test/workspace", headers={"origin": URL}).__enter__()
        assert unknown.value.status_code == 401
        foreign = {**cookie, "origin": "http://evil.example"}
        with pytest.raises(WebSocketDisconnect) as refused:
            client.websocket_connect("ws://api.test/workspace", headers=foreign).__enter__()
        assert refused.value.code == 1008


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (ApiSettings(limit_guest=2, limit_address=0), "At most 2 requests a minute"),
        (ApiSettings(limit_guest=0, limit_address=2), "At most 2 requests a minute"),
    ],
    ids=["a person", "an address"],
)
async def test_who_opens_a_websocket_too_often_is_told_when_to_come_back(
    tmp_path: Path, settings: ApiSettings, text: str
) -> None:
    async with api_app(tmp_path, settings) as api, api.serving() as url:
        cookie = f"{SESSION}={api.sessions.issue(GUEST)}"
        address = f"{url.replace('http:', 'ws:')}/workspace/{GUEST}"

        async def come() -> None:
            async with connect(
                address, additional_headers={"Cookie": cookie, "Origin": url}
            ) as socket:
                await socket.close()

        for _ in range(2):
            await come()
        with pytest.raises(InvalidStatus) as refused:
            await come()
    response = refused.value.response
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 30
    assert response.headers["content-type"] == "application/problem+json"
    assert text in (response.body or b"").decode()
