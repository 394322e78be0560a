"""Signing in by OpenID Connect, and what a provider or a stranger may try."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.app.settings import ApiSettings
from support.oidc import CLIENT, LyingProvider, agree, lying_provider, rsa_key, stock_provider
from support.shared_api import PAGE, URL, ApiApp, api_app

ANN = {"sub": "ann", "email": "ann@example.com", "email_verified": True, "groups": ["ops"]}
BOB = {"sub": "bob", "email": "ann@example.com", "email_verified": False}
ROLES = [
    {"email": "ann@example.com", "role": "admin"},
    {"group": "ops", "role": "operator", "namespaces": ["team-a"]},
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with stock_provider(json.dumps(ANN), json.dumps(BOB)) as address:
        yield address


@pytest_asyncio.fixture
async def liar() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as provider:
        yield provider


@asynccontextmanager
async def app_at(issuer: str, folder: Path, **more: object) -> AsyncIterator[ApiApp]:
    given = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "public_url": URL, **more}
    given.setdefault("oidc_client_secret", "a secret / of + ours")
    async with api_app(folder, ApiSettings.model_validate(given)) as app:
        yield app


async def begin(browser: httpx2.AsyncClient, path: str = "/") -> str:
    """Where the browser is sent."""
    answer = await browser.get("/auth/sign-in", params={"next": path})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def sign_in(browser: httpx2.AsyncClient, subject: str, path: str = "/") -> httpx2.Response:
    return await browser.get(await agree(await begin(browser, path), subject))


async def lie(browser: httpx2.AsyncClient, liar: LyingProvider) -> httpx2.Response:
    return await browser.get(liar.authorize(await begin(browser)))


async def test_a_person_signs_in_and_is_the_same_everywhere(issuer: str, tmp_path: Path) -> None:
    async with app_at(issuer, tmp_path) as api:
        found = []
        for _ in range(2):
            async with api.browser() as browser:
                back = await sign_in(browser, "ann", "/agents?page=2")
                assert (back.status_code, back.headers["location"]) == (303, "/agents?page=2")
                found.append((await browser.get("/api/me")).json())
        async with api.browser() as browser:
            await sign_in(browser, "bob")
            bob = (await browser.get("/api/me")).json()
    assert found[0] == found[1]
    assert found[0]["kind"] == "user"
    assert "ann" not in found[0]["id"]
    assert bob["id"] != found[0]["id"], "one e-mail address is not one person"


async def test_roles_come_from_the_table_and_verified_claims(issuer: str, tmp_path: Path) -> None:
    async with app_at(issuer, tmp_path, roles=ROLES) as api:
        seen = []
        for subject in ("ann", "bob"):
            async with api.browser() as browser:
                await sign_in(browser, subject)
                seen.append((await browser.get("/api/me")).json()["isAdmin"])
    assert seen == [True, False]


async def test_who_is_not_listed_can_be_refused(issuer: str, tmp_path: Path) -> None:
    async with app_at(issuer, tmp_path, roles=ROLES, unlisted="refused") as api:
        async with api.browser() as browser:
            refused = await sign_in(browser, "bob")
            assert refused.status_code == 403
            assert "You do not have access yet" in refused.text
            assert (await browser.get("/api/me")).status_code == 401
        async with api.browser() as browser:
            await sign_in(browser, "ann")
            assert (await browser.get("/api/me")).status_code == 200


async def test_what_a_guest_has_moves_over(issuer: str, tmp_path: Path) -> None:
    async with app_at(issuer, tmp_path) as api, api.browser() as browser:
        await browser.get("/", headers=PAGE)
        guest = (await browser.get("/api/me")).json()["id"]
        uid = await api.give_execution(guest)
        stale = dict(browser.cookies)
        await sign_in(browser, "ann")
        assert (await browser.get(f"/api/executions/{uid}")).status_code == 200
        browser.cookies.clear()
        browser.cookies.update(stale)
        assert (await browser.get("/api/me")).status_code == 401, "that guest is no more"
        page = await browser.get("/", headers=PAGE)
        assert "set-cookie" in page.headers
        assert (await browser.get("/api/me")).json()["id"] not in (guest, None)


async def test_signing_out_ends_the_session_and_does_not_begin_one(
    issuer: str, tmp_path: Path
) -> None:
    async with app_at(issuer, tmp_path) as api, api.browser() as browser:
        await sign_in(browser, "ann")
        assert (await browser.get("/auth/sign-out")).status_code == 405
        out = await browser.post("/auth/sign-out")
        assert (out.status_code, out.headers["location"]) == (303, "/auth/signed-out")
        assert (await browser.get("/api/me")).status_code == 401
        said = await browser.get("/auth/signed-out", headers=PAGE)
        assert "set-cookie" not in said.headers
        assert "/auth/sign-in" in said.text


async def test_pkce_state_and_nonce_are_sent_and_never_twice_the_same(
    liar: LyingProvider, tmp_path: Path
) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        asked = [parse_qs(urlsplit(await begin(browser)).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) * 6 >= 128
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["scope"] == ["openid email profile"]
    assert asked[0]["redirect_uri"] == [f"{URL}/auth/callback"]


async def test_an_honest_answer_is_taken(liar: LyingProvider, tmp_path: Path) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        assert (await lie(browser, liar)).status_code == 303
        assert (await browser.get("/api/me")).status_code == 200
    assert liar.given["code_verifier"]
    assert "client_secret" not in liar.given, "it goes in the header"


async def test_a_public_client_has_no_secret(liar: LyingProvider, tmp_path: Path) -> None:
    async with (
        app_at(liar.issuer, tmp_path, oidc_client_secret="") as api,
        api.browser() as browser,
    ):
        assert (await lie(browser, liar)).status_code == 303
    assert liar.given["client_id"] == CLIENT


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"nonce": "another"}, "belongs to another sign-in"),
        ({"nonce": None}, "belongs to another sign-in"),
        ({"aud": "somebody-else"}, "not valid"),
        ({"aud": [CLIENT, "b"], "azp": "b"}, "made for another client"),
        ({"aud": [CLIENT, "b"]}, "made for another client"),
        ({"azp": "b"}, "made for another client"),
        ({"iss": "http://evil.example"}, "another issuer"),
        ({"iss": None}, "not valid"),
        ({"sub": None}, "not valid"),
        ({"exp": 1}, "not valid"),
        ({"exp": None}, "not valid"),
    ],
    ids=str,
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    liar: LyingProvider, tmp_path: Path, claims: dict[str, JsonValue], said: str
) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        liar.claims = claims
        refused = await lie(browser, liar)
        assert refused.status_code == 403
        assert said in refused.text
        assert (await browser.get("/api/me")).status_code == 401


async def test_a_token_that_somebody_else_signed_is_refused(
    liar: LyingProvider, tmp_path: Path
) -> None:
    stranger = rsa_key("stranger")
    lies: list[dict[str, object]] = [
        {"signs_with": stranger},
        {"signs_with": stranger, "key_id": None},
        {"key_id": "unheard-of"},
        {"signs_with": "s" * 32, "algorithm": "HS256"},
        {"signs_with": "", "algorithm": "none"},
    ]
    async with app_at(liar.issuer, tmp_path) as api:
        for each in lies:
            liar.signs_with, liar.algorithm, liar.key_id = None, "RS256", "first"
            for name, value in each.items():
                setattr(liar, name, value)
            async with api.browser() as browser:
                assert (await lie(browser, liar)).status_code == 403, each


async def test_an_answer_to_another_sign_in_is_refused(liar: LyingProvider, tmp_path: Path) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        back = liar.authorize(await begin(browser))
        async with api.browser() as victim:
            assert (await victim.get(back)).status_code == 403, "no sign-in began there"
            await begin(victim)
            assert (await victim.get(back)).status_code == 403, "another one began there"
        for wrong in ("?code=c-1", "?code=c-1&state=", "?code=c-1&state=한", "?state="):
            assert (await browser.get(f"/auth/callback{wrong}")).status_code == 403
        iss = await browser.get(f"{back}&iss=http://evil.example")
        assert "comes from another provider" in iss.text
        assert liar.given == {}, "no code was spent"
        assert (await browser.get(back)).status_code == 303


async def test_a_sign_in_ends_after_ten_minutes(liar: LyingProvider, tmp_path: Path) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        back = liar.authorize(await begin(browser))
        api.clock.go_on(timedelta(minutes=10))
        late = await browser.get(back)
    assert "took too long" in late.text


async def test_a_refusal_of_the_provider_is_said_as_text(
    liar: LyingProvider, tmp_path: Path
) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        url = await begin(browser)
        state = parse_qs(urlsplit(url).query)["state"][0]
        said = {"state": state, "error": "access_denied", "error_description": "<b>no</b>"}
        refused = await browser.get("/auth/callback", params=said)
    assert refused.status_code == 403
    assert "&lt;b&gt;no&lt;/b&gt;" in refused.text


async def test_a_provider_that_names_another_issuer_is_not_asked(
    liar: LyingProvider, tmp_path: Path
) -> None:
    liar.named_issuer = "http://evil.example"
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        answer = await browser.get("/auth/sign-in")
    assert answer.status_code == 503
    assert "HELIOSTAT_API_OIDC_ISSUER" in answer.text


async def test_a_provider_that_is_away_is_said(tmp_path: Path) -> None:
    async with app_at("http://127.0.0.1:9", tmp_path) as api, api.browser() as browser:
        answer = await browser.get("/auth/sign-in")
    assert answer.status_code == 503
    assert "Signing in does not work right now" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a\r\nb",
        "/\\/evil",
        "",
    ],
)
async def test_signing_in_never_leads_to_another_site(
    liar: LyingProvider, tmp_path: Path, path: str
) -> None:
    async with app_at(liar.issuer, tmp_path) as api, api.browser() as browser:
        back = await browser.get(liar.authorize(await begin(browser, path)))
    assert back.headers["location"] == "/"
