"""Signing in at a provider: where the browser goes, and what it must come back with."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import JsonValue

from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.people.openid import (
    Client,
    Flow,
    OpenIdProvider,
    SignInError,
    choose_auth_method,
)

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
