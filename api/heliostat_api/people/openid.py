"""OpenID Connect: the code flow with PKCE, state and nonce, at one provider."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx2
import jwt
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.people.identities import Identity, claims_of
from heliostat_api.people.keysets import Fetch, JsonMap, KeySet, fetch_json, tls

_DISCOVERY: Final = "/.well-known/openid-configuration"
# Signatures that a public key verifies: never HS256, whose key would be our secret.
_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
_LEEWAY_SECONDS: Final = 60
_TIMEOUT_SECONDS: Final = 10.0
_RANDOM_BYTES: Final = 32


class SignInError(Exception):
    """Nobody was signed in; the text is for the person."""


@dataclass(frozen=True)
class Client:
    """Who we are at the provider."""

    issuer: str
    id: str
    secret: str
    """Empty for a public client."""
    scopes: tuple[str, ...]
    groups_claim: str
    redirect_uri: str


@dataclass(frozen=True)
class Flow:
    """What one sign-in must come back with."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    auth_method: str
    keys: KeySet


class OpenIdProvider:
    """Asked by what it publishes under its issuer; that is read once it is needed."""

    def __init__(
        self, client: Client, clock: Callable[[], float], fetch: Fetch = fetch_json
    ) -> None:
        self._client = client
        self._clock = clock
        self._fetch = fetch
        self._known: _Metadata | None = None

    async def begin(self) -> tuple[str, Flow]:
        """Where the browser goes to sign in. Raises ProviderAwayError."""
        known = await self._metadata()
        flow = Flow(*(secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3)))
        async with self._session(known) as session:
            url, _ = session.create_authorization_url(
                known.authorization_endpoint,
                state=flow.state,
                code_verifier=flow.verifier,
                nonce=flow.nonce,
            )
        return str(url), flow

    async def finish(self, flow: Flow, answer: Mapping[str, str]) -> Identity:
        """Who signed in, by the query that the browser came back with.

        Raises SignInError and ProviderAwayError.
        """
        self._check_answer(flow, answer)
        known = await self._metadata()
        token = await self._exchange(known, answer["code"], flow.verifier)
        claims = await self._verify(known, token, flow.nonce)
        return Identity(
            self._client.issuer, str(claims["sub"]), claims_of(claims, self._client.groups_claim)
        )

    def _check_answer(self, flow: Flow, answer: Mapping[str, str]) -> None:
        if not secrets.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise SignInError("This answer belongs to another sign-in: begin again.")
        if answer.get("iss", self._client.issuer).rstrip("/") != self._client.issuer:
            raise SignInError("This answer comes from another provider: begin again.")
        if "error" in answer:
            said = answer.get("error_description") or answer["error"]
            raise SignInError(f"The provider refused: {said[:200]}")
        if "code" not in answer:
            raise SignInError("The provider's answer has no code: begin again.")

    async def _exchange(self, known: _Metadata, code: str, verifier: str) -> str:
        """The ID token for a code."""
        try:
            async with self._session(known) as session:
                token: JsonMap = await session.fetch_token(
                    known.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
        except OAuthError as error:
            raise SignInError(f"The provider did not take the code: {error.error}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderAwayError(f"{known.token_endpoint} gave no answer that helps") from error
        found = token.get("id_token")
        if not isinstance(found, str):
            raise SignInError("The provider gave no ID token: is the scope openid allowed there?")
        return found

    async def _verify(self, known: _Metadata, token: str, nonce: str) -> JsonMap:
        key = await known.keys.find(token)
        if key is None:
            raise SignInError("The ID token is signed with a key that the provider does not know.")
        try:
            claims: JsonMap = jwt.decode(
                token,
                key,
                _ALGORITHMS,
                audience=self._client.id,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["aud", "exp", "iat", "iss", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise SignInError(f"The ID token is not valid: {error}") from error
        self._check_claims(claims, nonce)
        return claims

    def _check_claims(self, claims: JsonMap, nonce: str) -> None:
        """What the library does not: a token of another sign-in, or for another client of ours."""
        if str(claims["iss"]).rstrip("/") != self._client.issuer:
            raise SignInError("The ID token is another issuer's.")
        if not secrets.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise SignInError("The ID token belongs to another sign-in: begin again.")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._client.id) != self._client.id:
            raise SignInError("The ID token was made for another client.")

    def _session(self, known: _Metadata) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._client.id,
            client_secret=self._client.secret or None,
            token_endpoint_auth_method=known.auth_method,
            scope=" ".join(dict.fromkeys(("openid", *self._client.scopes))),
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
            verify=tls(),
        )

    async def _metadata(self) -> _Metadata:
        """Kept for good: a provider that moves its endpoints keeps the old ones for a while, and
        a restart reads the new ones."""
        if self._known is None:
            document = await self._fetch(self._client.issuer + _DISCOVERY)
            self._known = self._read(document)
        return self._known

    def _read(self, document: JsonMap) -> _Metadata:
        names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        issuer, authorization, token, keys = (str(document.get(name, "")) for name in names)
        if issuer.rstrip("/") != self._client.issuer or not (authorization and token and keys):
            raise ProviderAwayError(
                f"{self._client.issuer}{_DISCOVERY} is not this issuer's own document (its issuer "
                f"is {issuer or 'missing'}): set HELIOSTAT_API_OIDC_ISSUER to what it says"
            )
        return _Metadata(
            authorization,
            token,
            choose_auth_method(document, has_secret=bool(self._client.secret)),
            KeySet(keys, self._clock, self._fetch),
        )


def choose_auth_method(document: JsonMap, *, has_secret: bool) -> str:
    """How we prove who we are: in the header, unless the provider takes it in the body only."""
    if not has_secret:
        return "none"
    offered = document.get("token_endpoint_auth_methods_supported")
    takes = offered if isinstance(offered, list) else []
    only_body = "client_secret_post" in takes and "client_secret_basic" not in takes
    return "client_secret_post" if only_body else "client_secret_basic"
