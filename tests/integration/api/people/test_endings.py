"""An open stream ends soon after its session did, at whichever replica, and comes back with what
is one's own by then."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.roles import Claims, Role, RoleRow
from heliostat_api.documents.port import Query
from heliostat_api.events import revocations, stream
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.events.revocations import StreamLease
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.sessions import LIFETIME
from heliostat_api.web.credentials import SESSION
from support.redis_server import RedisServer
from support.shared_api import PAGE, ApiApp, api_app

ANN = new_guest_id()
SOON = 30.0
OPS = RoleRow(group="ops", role=Role.OPERATOR, namespaces=("team-a",))
STREAM = "/agent/reports/stream"


@asynccontextmanager
async def replicas(folder: Path, redis: RedisServer) -> AsyncIterator[tuple[ApiApp, ApiApp]]:
    """Two over one store and one Redis; they know the same people, and each has a memory."""
    logs = [RedisEventLog(redis.url) for _ in range(2)]
    settings = ApiSettings(roles=(OPS,))
    async with (
        api_app(folder, settings, log=logs[0]) as one,
        api_app(folder, settings, log=logs[1]) as two,
    ):
        yield one, two


async def names(browser: httpx2.AsyncClient) -> AsyncGenerator[str, None]:
    """Of the events of a stream, until it ends."""
    async with browser.stream("GET", STREAM, timeout=30) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                yield line.removeprefix("event: ")


@asynccontextmanager
async def listening(url: str, cookie: str) -> AsyncIterator[AsyncIterator[str]]:
    """A stream that has begun."""
    async with (
        httpx2.AsyncClient(base_url=url, cookies={SESSION: cookie}) as browser,
        aclosing(names(browser)) as events,
    ):
        assert await anext(events) == "snapshot"
        yield events


async def rest_of(events: AsyncIterator[str]) -> list[str]:
    async with asyncio.timeout(SOON):
        return [each async for each in events]


async def status(api: ApiApp, cookie: str) -> int:
    async with api.browser() as browser:
        browser.cookies.set(SESSION, cookie)
        return (await browser.get("/api/me")).status_code


async def post(api: ApiApp, path: str, cookie: str) -> None:
    async with api.browser() as browser:
        browser.cookies.set(SESSION, cookie)
        assert (await browser.post(path)).status_code == 303


async def test_signing_out_at_one_replica_ends_this_sessions_streams_at_the_others(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with replicas(tmp_path, redis_server) as (one, two), two.serving() as url:
        user = Identity("https://id.example", "ann", Claims())
        await one.parts.erasing.register.see_user(user)
        here, elsewhere = (one.sessions.issue(user.person_id) for _ in range(2))
        async with listening(url, here) as ending, listening(url, elsewhere) as staying:
            await post(one, "/auth/sign-out", here)
            assert await rest_of(ending) == ["ended"]
            assert (await status(one, here), await status(two, here)) == (401, 401)
            assert (await status(one, elsewhere), await status(two, elsewhere)) == (200, 200)
            await post(one, "/auth/sign-out?everywhere=true", elsewhere)
            assert await rest_of(staying) == ["ended"]
        assert (await status(one, elsewhere), await status(two, elsewhere)) == (401, 401)


async def test_signing_out_at_one_replica_closes_the_chat_at_the_others(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with replicas(tmp_path, redis_server) as (one, two), two.serving() as url:
        cookie = one.sessions.issue(ANN)
        assert await status(two, cookie) == 200
        headers = {"Cookie": f"{SESSION}={cookie}", "Origin": url}
        address = f"{url.replace('http:', 'ws:')}/workspace/{ANN}"
        async with connect(address, additional_headers=headers) as socket:
            await socket.send('{"type": "nonsense"}')
            assert "refused" in str(await socket.recv())
            await post(one, "/auth/sign-out", cookie)
            await asyncio.wait_for(socket.wait_closed(), SOON)
            assert (socket.close_code, socket.close_reason) == (
                1008,
                "The session ended or its rights changed: come again.",
            )
        with pytest.raises(InvalidStatus):
            await connect(address, additional_headers=headers)


async def test_what_is_said_after_the_session_makes_nothing_though_its_end_was_not_heard(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with replicas(tmp_path, redis_server) as (one, two), two.serving() as url:
        cookie = one.sessions.issue(ANN)
        headers = {"Cookie": f"{SESSION}={cookie}", "Origin": url}
        address = f"{url.replace('http:', 'ws:')}/workspace/{ANN}"
        said = {"type": "say", "id": "say-1", "text": "Make an agent.", "timeZone": "UTC"}
        async with connect(address, additional_headers=headers) as socket:
            await socket.send('{"type": "nonsense"}')
            assert "refused" in str(await socket.recv())
            session = one.sessions.read(cookie)
            assert session is not None
            await one.parts.erasing.register.end_session(session)  # and tells nobody
            await socket.send(json.dumps({**said, "conversation": None, "language": "en"}))
            await asyncio.wait_for(socket.wait_closed(), SOON)
            assert socket.close_code == 1008
        made = await one.documents.query(Query("conversations", ANN))
        assert made.documents == ()


async def test_a_role_that_changed_ends_streams_and_they_come_back_with_it(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with replicas(tmp_path, redis_server) as (one, two), two.serving() as url:
        plain = Identity("https://id.example", "ann", Claims())
        sign_in_sees = one.parts.erasing.register.see_user
        await sign_in_sees(plain)
        cookie = one.sessions.issue(plain.person_id)
        async with listening(url, cookie) as ending:
            promoted = Claims(groups=frozenset({"ops"}))
            await sign_in_sees(Identity(plain.issuer, plain.subject, promoted))
            await one.parts.revocations.tell(plain.person_id)
            assert await rest_of(ending) == ["ended"]
        async with listening(url, cookie) as again:
            await two.parts.revocations.tell(plain.person_id)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await anext(again)


async def test_who_leaves_for_good_hears_nothing_more(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with replicas(tmp_path, redis_server) as (one, two), two.serving() as url:
        cookie = one.sessions.issue(ANN)
        async with listening(url, cookie) as events:
            await one.parts.erasing.begin(ANN)
            assert await rest_of(events) == ["ended"]


async def test_a_session_that_runs_out_ends_its_streams_and_silence_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "WAIT_SECONDS", 0.05)
    async with (
        api_app(tmp_path) as api,
        api.serving() as url,
        listening(url, api.sessions.issue(ANN)) as events,
    ):
        assert await anext(events) == "heartbeat"
        api.clock.go_on(LIFETIME + timedelta(seconds=1))
        assert (await rest_of(events))[-1] == "ended"


async def test_a_cookie_that_was_kept_after_signing_out_is_nobodys_and_a_page_begins_anew(
    tmp_path: Path,
) -> None:
    async with api_app(tmp_path) as api:
        async with api.browser(ANN) as ann:
            assert (await ann.get("/api/me")).status_code == 200
            kept = ann.cookies[SESSION]
            await ann.post("/auth/sign-out")
        async with api.browser() as thief:
            thief.cookies.set(SESSION, kept)
            assert (await thief.get("/api/me")).status_code == 401
            page = await thief.get("/", headers=PAGE)
            begun = api.sessions.read(page.cookies[SESSION])
            assert begun is not None
            assert begun.person_id != ANN


async def test_a_session_that_is_renewed_is_the_same_one(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        first = api.sessions.read(ann.cookies[SESSION])
        await ann.get("/api/me")
        api.clock.go_on(timedelta(days=2))
        page = await ann.get("/", headers=PAGE)
        later = api.sessions.read(page.cookies[SESSION])
        assert first is not None
        assert later is not None
        assert later.id == first.id
        assert later.issued > first.issued


async def test_whoever_waits_for_something_else_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "LOOK_SECONDS", 0.02)
    async with api_app(tmp_path) as api:
        log, asked = api.parts.streams.log, 0

        async def ask() -> bool:
            nonlocal asked
            asked += 1
            return asked < 2

        over = asyncio.create_task(StreamLease(ANN, ask).until_over(log))
        for told in (1, 2):
            await asyncio.sleep(0)
            assert not over.done()
            await api.parts.revocations.tell(ANN)
            async with asyncio.timeout(SOON):
                while asked < told:
                    await asyncio.sleep(0.005)
        await asyncio.wait_for(over, SOON)
        ran_out = StreamLease(ANN, ask, has_end=lambda: True)
        await asyncio.wait_for(ran_out.until_over(log), SOON)
        assert asked == 2
