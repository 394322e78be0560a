"""A person's own keys at a real gateway: one key opens the gateway and the api."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.roles import Claims, RoleRow
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import PersonRepository
from support.real_gateway import RealGateway
from support.shared_api import URL, ApiApp, api_app

EVE = Identity("https://issuer", "eve", Claims(email="eve@example.com"))
BOB = Identity("https://issuer", "bob", Claims())
SETTINGS = ApiSettings(
    person_daily_micros=1,
    roles=(RoleRow(email="eve@example.com", role="admin"),),
)
BOTH: JsonValue = {"name": "laptop", "scopes": ["models", "api"], "expiresSeconds": 3600}


@pytest_asyncio.fixture
async def api(tmp_path: Path, gateway: RealGateway) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path, SETTINGS, gateway=gateway.place) as opened:
        register = PersonRepository(opened.documents, opened.clock)
        for each in (EVE, BOB):
            await register.see_user(each)
        yield opened


def program(api: ApiApp, key: str) -> httpx2.AsyncClient:
    """It has a key, no cookie and no origin."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(api.app), base_url=URL, headers=headers
    )


async def make(api: ApiApp, who: Identity = EVE, wanted: JsonValue = BOTH) -> tuple[str, str]:
    """A new key's text and id."""
    async with api.browser(who.person_id) as browser:
        made = await browser.post("/api/keys", json=wanted)
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["key"].startswith(body["details"]["id"])
    return body["key"], body["details"]["id"]


async def status(api: ApiApp, key: str, path: str = "/api/me") -> int:
    async with program(api, key) as client:
        return (await client.get(path)).status_code


async def test_one_key_opens_both_as_its_person_and_is_shown_once(
    gateway: RealGateway, api: ApiApp
) -> None:
    key, key_id = await make(api)
    async with program(api, key) as client:
        me = (await client.get("/api/me")).json()
        listed = await client.get("/api/keys")
    assert (me["id"], me["isAdmin"]) == (EVE.person_id, True)
    assert key.removeprefix(key_id) not in listed.text
    (shown,) = listed.json()["items"]
    assert (shown["name"], shown["scopes"]) == ("laptop", ["api", "models"])
    assert shown["lastUsedTime"] is not None
    assert (await gateway.say(key)).status_code == 200
    assert await gateway.rows("user, key") == [(EVE.person_id, key_id)]


async def test_a_key_that_is_asked_for_again_is_the_same(api: ApiApp) -> None:
    headers = {"idempotency-key": "once"}
    async with api.browser(EVE.person_id) as eve:
        asked = [eve.post("/api/keys", json=BOTH, headers=headers) for _ in range(3)]
        answers = await asyncio.gather(*asked)
        again = await eve.post("/api/keys", json=BOTH, headers=headers)
        assert {each.status_code for each in answers} == {201}
        assert {each.json()["key"] for each in (*answers, again)} == {answers[0].json()["key"]}
        items = (await eve.get("/api/keys")).json()["items"]
        live = [each["id"] for each in items if each["revokedTime"] is None]
        assert live == [again.json()["details"]["id"]]
        assert await status(api, again.json()["key"]) == 200
        await eve.delete(f"/api/keys/{live[0]}")
        other = await eve.post("/api/keys", json={"name": "x", "scopes": ["api"]}, headers=headers)
    assert other.status_code == 422


async def test_a_key_spends_from_its_persons_cap(gateway: RealGateway, api: ApiApp) -> None:
    key, _ = await make(api)
    assert (await gateway.say(key)).status_code == 200
    refused = await gateway.say(key)
    assert refused.status_code == 429
    assert f"person-{EVE.person_id}" in refused.text


async def test_a_scope_that_it_lacks_stays_closed(gateway: RealGateway, api: ApiApp) -> None:
    models, _ = await make(api, wanted={"name": "m", "scopes": ["models"]})
    only_api, _ = await make(api, wanted={"name": "a", "scopes": ["api"]})
    assert await status(api, models) == 401
    assert await status(api, only_api) == 200
    assert (await gateway.say(only_api)).status_code == 403


async def test_each_sees_and_ends_their_own_only(api: ApiApp) -> None:
    key, key_id = await make(api)
    async with api.browser(BOB.person_id) as bob:
        assert (await bob.get("/api/keys")).json() == {"items": []}
        refused = [await bob.delete(f"/api/keys/{each}") for each in (key_id, "hsk_none")]
    assert [each.status_code for each in refused] == [404, 404]
    assert refused[0].json() == refused[1].json()
    assert await status(api, key) == 200


async def test_a_revoked_key_opens_nothing_here_at_once(gateway: RealGateway, api: ApiApp) -> None:
    key, key_id = await make(api)
    assert await status(api, key) == 200
    async with api.browser(EVE.person_id) as eve:
        for _ in range(2):
            assert (await eve.delete(f"/api/keys/{key_id}")).status_code == 204
        (shown,) = (await eve.get("/api/keys")).json()["items"]
    assert shown["revokedTime"] is not None
    assert await status(api, key) == 401
    assert (await gateway.say(key)).status_code == 401


async def test_one_that_was_revoked_elsewhere_opens_nothing_after_five_seconds(
    gateway: RealGateway, api: ApiApp
) -> None:
    key, key_id = await make(api)
    assert await status(api, key) == 200
    async with gateway.by_operator() as operator:
        await operator.delete(f"/admin/keys/{key_id}")
    async with asyncio.timeout(5):
        while await status(api, key) != 401:
            await asyncio.sleep(0.1)


async def test_keys_make_no_keys_and_guests_have_none(api: ApiApp) -> None:
    key, _ = await make(api)
    async with program(api, key) as client, api.browser(new_guest_id()) as guest:
        refused = [await each.post("/api/keys", json=BOTH) for each in (client, guest)]
    assert [each.status_code for each in refused] == [403, 403]
    assert "signed in" in refused[0].json()["detail"]
    assert "sign in" in refused[1].json()["detail"]


async def test_a_key_of_somebody_who_was_never_here_opens_nothing(
    gateway: RealGateway, api: ApiApp
) -> None:
    wanted = {"name": "x", "kind": "user", "scopes": ["api"]}
    async with gateway.by_operator() as operator:
        keys = []
        for more in ({"user": "user-nobody"}, {"user": "local"}, {"kind": "service"}):
            made = await operator.post("/admin/keys", json={**wanted, **more})
            keys.append(made.json()["key"])
    assert [await status(api, each) for each in keys] == [401, 401, 401]


async def test_what_can_be_asked_for_is_bounded(api: ApiApp) -> None:
    async with api.browser(EVE.person_id) as eve:
        for wanted in (
            {"name": "", "scopes": ["api"]},
            {"name": "x", "scopes": ["admin"]},
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": ["api"], "expiresSeconds": 0},
        ):
            assert (await eve.post("/api/keys", json=wanted)).status_code == 422
