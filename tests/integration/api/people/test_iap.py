"""Google's Identity-Aware Proxy: only its own signature, for us, opens anything."""

import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx2
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from jwt.algorithms import ECAlgorithm
from pydantic import JsonValue

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.people.credentials import Credentials
from heliostat_api.people.iap import ISSUER, Iap
from heliostat_api.people.keysets import PAUSE_SECONDS, RENEWAL_SECONDS, KeySet
from heliostat_cli.embedded.gateways import EmbeddedServer, serving_app
from heliostat_cli.embedded.ports import port_of
from support.oidc import rsa_key
from support.shared_api import PAGE, ApiApp, api_app

AUDIENCE = "/projects/1/global/backendServices/2"
HEADER = "x-goog-iap-jwt-assertion"


@cache
def key_of(name: str) -> ec.EllipticCurvePrivateKey:  # noqa: ARG001
    return ec.generate_private_key(ec.SECP256R1())


class Keys:
    """What the proxy publishes, and how often it was asked."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked = 0
        self.is_away = False
        self.now = 1000.0

    async def fetch(self, url: str) -> dict[str, JsonValue]:
        self.asked += 1
        if self.is_away:
            raise ProviderAwayError(f"{url} is away")
        keys = {name: ECAlgorithm.to_jwk(key_of(name).public_key(), True) for name in self.names}
        return {"keys": [{**key, "kid": name, "alg": "ES256"} for name, key in keys.items()]}

    def iap(self) -> Iap:
        return Iap(AUDIENCE, KeySet("https://keys.test", lambda: self.now, self.fetch))


def assertion(
    name: str = "a", key_id: str | None = None, claims: Mapping[str, JsonValue] | None = None
) -> str:
    now = int(time.time())
    honest: dict[str, JsonValue] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "accounts.google.com:1",
        "email": "ann@example.com",
        "iat": now,
        "exp": now + 600,
    }
    given = {name: each for name, each in {**honest, **(claims or {})}.items() if each is not None}
    return jwt.encode(given, key_of(name), "ES256", {"kid": key_id or name})


async def test_the_proxy_vouches_for_somebody() -> None:
    identity = await Keys("a").iap().identify(assertion())
    assert identity is not None
    assert (identity.issuer, identity.subject) == (ISSUER, "accounts.google.com:1")
    assert identity.claims.email == "ann@example.com"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "/projects/1/global/backendServices/3"},
        {"aud": None},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"sub": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 10**10},
        {"iat": None},
    ],
    ids=str,
)
async def test_a_header_that_is_not_for_us_or_not_for_now_is_nobodys(
    claims: dict[str, JsonValue],
) -> None:
    assert await Keys("a").iap().identify(assertion(claims=claims)) is None


async def test_a_header_that_somebody_else_signed_is_nobodys() -> None:
    claims = jwt.decode(assertion(), options={"verify_signature": False})
    public = key_of("a").public_key()
    kid = {"kid": "a"}
    for forged in (
        assertion("stranger", key_id="a"),
        assertion("stranger"),
        jwt.encode(claims, rsa_key("stranger"), "RS256", kid),
        jwt.encode(claims, "", "none", kid),
        jwt.encode(claims, str(public.public_numbers().x), "HS256", kid),
        assertion()[:-8] + "AAAAAAAA",
        "",
        "a.b.c",
        "no token",
    ):
        assert await Keys("a").iap().identify(forged) is None, forged


async def test_keys_are_kept_and_renewed_each_hour() -> None:
    keys = Keys("a")
    iap = keys.iap()
    for _ in range(3):
        await iap.identify(assertion())
    assert keys.asked == 1
    keys.now += RENEWAL_SECONDS
    await iap.identify(assertion())
    assert keys.asked == 2


async def test_a_new_key_is_asked_for_but_an_invented_one_not_each_time() -> None:
    keys = Keys("a")
    iap = keys.iap()
    await iap.identify(assertion())
    keys.names = ("a", "b")
    keys.now += PAUSE_SECONDS
    assert await iap.identify(assertion("b")) is not None
    for _ in range(5):
        assert await iap.identify(assertion("invented")) is None
    assert keys.asked == 2


async def test_a_key_that_was_withdrawn_opens_nothing_after_an_hour() -> None:
    keys = Keys("a", "b")
    iap = keys.iap()
    assert await iap.identify(assertion("b")) is not None
    keys.names = ("a",)
    keys.now += RENEWAL_SECONDS
    assert await iap.identify(assertion("b")) is None


async def test_while_the_keys_are_away_known_ones_count_and_new_ones_wait() -> None:
    keys = Keys("a")
    iap = keys.iap()
    await iap.identify(assertion())
    keys.is_away = True
    keys.now += RENEWAL_SECONDS
    assert await iap.identify(assertion()) is not None
    keys.now += PAUSE_SECONDS
    with pytest.raises(ProviderAwayError, match=r"keys\.test is away"):
        await iap.identify(assertion("b"))
    asked = keys.asked
    with pytest.raises(ProviderAwayError):
        await iap.identify(assertion("b"))
    assert keys.asked == asked, "who is away is not asked again at once"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    # An address where nobody answers: no key can be had there.
    settings = ApiSettings(iap_audience=AUDIENCE, iap_keys_url="http://127.0.0.1:9")
    async with api_app(tmp_path, settings) as app:
        yield app


async def call(browser: httpx2.AsyncClient, header: str) -> int:
    return (await browser.get("/api/me", headers={HEADER: header})).status_code


async def test_a_header_is_never_made_up_for_by_a_session(api: ApiApp) -> None:
    async with api.browser() as browser:
        await browser.get("/", headers=PAGE)
        assert (await browser.get("/api/me")).status_code == 200
        assert await call(browser, assertion()) == 503, "the keys can't be had"


@asynccontextmanager
async def published(*names: str) -> AsyncIterator[str]:
    """The address of those keys."""
    app, keys = FastAPI(), Keys(*names)

    @app.get("/keys")
    async def publish() -> JSONResponse:
        return JSONResponse(await keys.fetch(""))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with serving_app(app, listening, EmbeddedServer):
            yield f"http://127.0.0.1:{port_of(listening)}/keys"


async def test_whom_the_proxy_lets_in_needs_no_session(tmp_path: Path) -> None:
    rows = [{"email": "Ann@example.com", "role": "operator", "namespaces": ["team-a"]}]
    async with published("a") as url:
        given = {"iap_audience": AUDIENCE, "iap_keys_url": url, "roles": rows, "guests": False}
        async with api_app(tmp_path, ApiSettings.model_validate(given)) as api:
            async with api.browser() as browser:
                assert await call(browser, assertion()) == 200
                assert await call(browser, assertion("stranger", "a")) == 401
                header = {HEADER: assertion()}
                page = await browser.get("/", headers={**PAGE, **header})
                assert "set-cookie" not in page.headers
                del browser.headers["Origin"]
                assert (await browser.post("/api/samples/hello", headers=header)).status_code == 403
            person = await api.parts.people.find(Credentials(assertion=assertion()))
            assert person is not None
            document = await api.documents.get(f"people/{person.id}")
    assert (person.is_admin, set(person.namespaces)) == (False, {"team-a"})
    assert document is not None
    assert (document.fields["kind"], document.fields["issuer"]) == ("user", ISSUER)


async def test_without_an_audience_the_header_is_ignored(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser() as browser:
        assert await call(browser, assertion()) == 401
        await browser.get("/", headers=PAGE)
        assert await call(browser, assertion()) == 200
