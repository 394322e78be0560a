"""Who calls the scripted server: the key where the real API wants it, and a name for the bill."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from heliostat_scripted.apis import Api
from heliostat_scripted.checks import refuse
from heliostat_scripted.refusals import Refusal, RefusedError

_HEADERS = {
    Api.MESSAGES: "x-api-key",
    Api.CHAT: "authorization",
    Api.GEMINI: "x-goog-api-key",
}


@dataclass(frozen=True)
class Keys:
    """The keys that are accepted, by name; without any, every key is."""

    secrets: Mapping[str, str]

    def name_of(self, secret: str) -> str | None:
        """The name of a key; None when it is none of ours."""
        for name, known in self.secrets.items():
            if hmac.compare_digest(known.encode(), secret.encode()):
                return name
        if self.secrets:
            return None
        return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


def read_key(text: str) -> tuple[str, str]:
    """`NAME=KEY`, or a key alone, whose name is `default`."""
    name, separator, secret = text.partition("=")
    return (name, secret) if separator and secret else ("default", text)


def identify(api: Api, headers: Mapping[str, str], keys: Keys) -> str:
    """The name of the caller's key. Raises RefusedError as the real API would."""
    secret = _secret(api, headers)
    if not secret:
        raise RefusedError(_missing(api))
    name = keys.name_of(secret)
    if name is None:
        raise RefusedError(_unknown(api))
    return name


def check_headers(api: Api, headers: Mapping[str, str]) -> None:
    """The headers that a request must have. Raises RefusedError."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        refuse("content-type", f"must be application/json, not {media or 'missing'}")
    if api is Api.MESSAGES and not headers.get("anthropic-version"):
        refuse("anthropic-version", "header is required")


def _secret(api: Api, headers: Mapping[str, str]) -> str:
    """The key; empty when there is none. Two that differ are a leak of somebody's key."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    if api is Api.CHAT:
        return bearer
    own = headers.get(_HEADERS[api], "")
    if api is Api.GEMINI:
        return own
    if own and bearer and own != bearer:
        message = "x-api-key and Authorization are both given and differ"
        raise RefusedError(Refusal(401, "authentication_error", message, "authorization"))
    return own or bearer  # the SDK sends a key as Bearer since 2.12


def _missing(api: Api) -> Refusal:
    if api is Api.GEMINI:
        message = (
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key (x-goog-api-key) or other form of API consumer identity."
        )
        return Refusal(403, "permission_error", message, "x-goog-api-key")
    header = "x-api-key" if api is Api.MESSAGES else "Authorization: Bearer"
    return Refusal(401, "authentication_error", f"{header} header is required", header)


def _unknown(api: Api) -> Refusal:
    if api is Api.GEMINI:
        message = "API key not valid. Please pass a valid API key."
        return Refusal(400, "invalid_request_error", message, "x-goog-api-key")
    header = _HEADERS[api]
    message = "invalid x-api-key" if api is Api.MESSAGES else "Incorrect API key provided."
    return Refusal(401, "authentication_error", message, header)
