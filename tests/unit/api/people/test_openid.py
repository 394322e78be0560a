"""Signing in at a provider: where the browser goes, and what it must come back with."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.base.roles import Claims
from heliostat_api.people.identities import Identity
from heliostat_api.people.openid import (
    Client,
    Flow,
    OpenIdProvider,
    SignInError,
    choose_auth_method,
)
from support.oidc import LyingProvider, lying_provider, rsa_key

CLIENT = Client(
    "https://id.test", "heliostat", "secret", ("email", "openid"), "groups", "https://us.test/back"
)
DOCUMENT: dict[str, JsonValue] = {
    "issuer": "https://id.test/",
    "authorization_endpoint": "https://id.test/authorize",
    "token_endpoint": "https://id.test/token",
    "jwks_uri": "https://id.test/keys",
}
FLOW = Flow("state-1", "nonce-1", "verifier-1")


class Discovery:
    """What the provider publishes under its issuer."""

    def __init__(self, **change: JsonValue) -> None:
        self.document = DOCUMENT | change
        self.asked: list[str] = []

    async def fetch(self, url: str) -> dict[str, JsonValue]:
        self.asked.append(url)
        return self.document

    def provider(self) -> OpenIdProvider:
        return OpenIdProvider(CLIENT, lambda: 0.0, self.fetch)


async def test_a_browser_is_sent_with_what_only_it_comes_back_with() -> None:
    discovery = Discovery()
    provider = discovery.provider()
    url, flow = await provider.begin()
    assert url.startswith("https://id.test/authorize?")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    digest = hashlib.sha256(flow.verifier.encode()).digest()
    assert asked == {
        "response_type": "code",
        "client_id": "heliostat",
        "redirect_uri": "https://us.test/back",
        "scope": "openid email",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    _, other = await provider.begin()
    assert {flow.state, flow.nonce, flow.verifier}.isdisjoint(
        {other.state, other.nonce, other.verifier}
    )
    assert all(len(each) == 43 for each in (flow.state, flow.nonce, flow.verifier))
    assert discovery.asked == ["https://id.test/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.test"},
        {"issuer": None},
        {"authorization_endpoint": ""},
        {"token_endpoint": ""},
        {"jwks_uri": ""},
    ],
)
async def test_another_issuers_document_is_refused_with_the_remedy(
    change: dict[str, JsonValue],
) -> None:
    with pytest.raises(ProviderAwayError, match="HELIOSTAT_API_OIDC_ISSUER"):
        await Discovery(**change).provider().begin()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "another sign-in"),
        ({"state": "state-2", "code": "c"}, "another sign-in"),
        ({"state": "state-1", "iss": "https://evil.test", "code": "c"}, "another provider"),
        ({"state": "state-1", "error": "access_denied"}, "refused: access_denied"),
        (
            {"state": "state-1", "error": "x", "error_description": "y" * 300},
            f"refused: {'y' * 200}$",
        ),
        ({"state": "state-1"}, "has no code"),
        ({"state": "state-1", "iss": "https://id.test/"}, "has no code"),
    ],
)
async def test_an_answer_that_is_not_ours_signs_nobody_in(
    answer: dict[str, str], words: str
) -> None:
    discovery = Discovery()
    with pytest.raises(SignInError, match=words):
        await discovery.provider().finish(FLOW, answer)
    assert discovery.asked == []


@pytest.mark.parametrize(
    ("offered", "has_secret", "method"),
    [
        (None, False, "none"),
        (["client_secret_post"], False, "none"),
        (None, True, "client_secret_basic"),
        ([], True, "client_secret_basic"),
        (["client_secret_post"], True, "client_secret_post"),
        (["client_secret_post", "client_secret_basic"], True, "client_secret_basic"),
        (["client_secret_basic"], True, "client_secret_basic"),
        ("client_secret_post", True, "client_secret_basic"),
    ],
)
def test_who_we_are_is_proved_in_the_header_where_that_is_taken(
    offered: JsonValue, has_secret: bool, method: str
) -> None:
    document: dict[str, JsonValue] = {"token_endpoint_auth_methods_supported": offered}
    assert choose_auth_method(document, has_secret=has_secret) == method


@pytest_asyncio.fixture
async def liar() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as provider:
        yield provider


def at(liar: LyingProvider, secret: str = "secret") -> OpenIdProvider:
    client = Client(liar.issuer, "heliostat", secret, (), "groups", "https://us.test/back")
    return OpenIdProvider(client, time.monotonic)


async def sign_in(provider: OpenIdProvider, liar: LyingProvider) -> Identity:
    """The browser goes to the provider and comes back."""
    url, flow = await provider.begin()
    back = liar.authorize(url)
    return await provider.finish(flow, dict(parse_qsl(urlsplit(back).query)))


async def test_who_signed_in_is_what_the_token_says(liar: LyingProvider) -> None:
    liar.claims = {"email": "a@b.c", "email_verified": True, "groups": ["x"]}
    found = await sign_in(at(liar), liar)
    assert found == Identity(liar.issuer, "ann", Claims("a@b.c", frozenset({"x"})))
    assert (liar.given["grant_type"], liar.given["code"]) == ("authorization_code", "c-1")
    assert "client_secret" not in liar.given  # it stands in the header


async def test_a_public_client_signs_in_without_a_secret(liar: LyingProvider) -> None:
    await sign_in(at(liar, secret=""), liar)
    assert liar.given["client_id"] == "heliostat"


# Numbers are seconds from now.
REFUSED: list[dict[str, JsonValue]] = [
    {"iss": "https://evil.test"},
    {"aud": "other"},
    {"aud": ["heliostat", "other"]},
    {"aud": ["heliostat", "other"], "azp": "other"},
    {"azp": "other"},
    {"nonce": "of another sign-in"},
    {"nonce": None},
    {"sub": None},
    {"exp": None},
    {"iat": None},
    {"exp": -90},
    {"iat": 300},
]
TAKEN: list[dict[str, JsonValue]] = [
    {"aud": ["heliostat"]},
    {"aud": ["heliostat", "other"], "azp": "heliostat"},
    {"azp": "heliostat"},
    {"exp": -30},
]


def from_now(claims: dict[str, JsonValue]) -> dict[str, JsonValue]:
    now = int(time.time())
    return {n: now + each if isinstance(each, int) else each for n, each in claims.items()}


async def test_a_token_that_is_not_for_us_or_now_signs_nobody_in(liar: LyingProvider) -> None:
    """One provider for all: a server takes longer than its answers."""
    provider = at(liar)
    for claims in REFUSED:
        liar.claims = from_now(claims)
        with pytest.raises(SignInError, match="ID token"):
            await sign_in(provider, liar)


async def test_a_token_for_us_signs_in(liar: LyingProvider) -> None:
    provider = at(liar)
    for claims in TAKEN:
        liar.claims = from_now(claims)
        assert (await sign_in(provider, liar)).subject == "ann"


async def test_a_token_that_another_key_signed_signs_nobody_in(liar: LyingProvider) -> None:
    liar.signs_with = rsa_key("stranger")
    with pytest.raises(SignInError, match="not valid"):
        await sign_in(at(liar), liar)
    liar.key_id = "second"
    with pytest.raises(SignInError, match="does not know"):
        await sign_in(at(liar), liar)


async def test_our_own_secret_signs_nothing(liar: LyingProvider) -> None:
    liar.signs_with, liar.algorithm = "s" * 32, "HS256"
    with pytest.raises(SignInError, match="not valid"):
        await sign_in(at(liar, secret="s" * 32), liar)


async def test_a_code_of_another_browser_is_not_taken(liar: LyingProvider) -> None:
    provider = at(liar)
    url, flow = await provider.begin()
    liar.authorize(url)
    other = Flow(flow.state, flow.nonce, "of another browser" * 3)
    with pytest.raises(SignInError, match="did not take the code: invalid_grant"):
        await provider.finish(other, {"state": flow.state, "code": "c-1"})


async def test_a_provider_whose_tokens_are_away_is_away() -> None:
    """Nobody listens on port 9 of this machine."""
    discovery = Discovery(token_endpoint="http://127.0.0.1:9/token")
    provider = discovery.provider()
    with pytest.raises(ProviderAwayError, match=r"http://127\.0\.0\.1:9/token"):
        await provider.finish(FLOW, {"state": "state-1", "code": "c-1"})
