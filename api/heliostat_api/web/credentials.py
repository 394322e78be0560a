"""What a request presents: its cookies, which no other site can send, and its keys."""

from datetime import timedelta
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from heliostat_api.people.credentials import IAP_HEADER, Credentials

SESSION: Final = "heliostat_session"
SIGN_IN: Final = "heliostat_sign_in"
_AT_ONCE = timedelta(0)


def read_cookie(scope: Scope, name: str) -> str | None:
    """A cookie's value."""
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return cookies.get(name_in(scope, name))


def write_cookie(scope: Scope, name: str, value: str, lifetime: timedelta) -> str:
    """The header Set-Cookie."""
    secure = "; Secure" if is_secure(scope) else ""
    seconds = int(lifetime.total_seconds())
    kept = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    return f"{name_in(scope, name)}={value}; {kept}"


def forget_cookie(scope: Scope, name: str) -> str:
    """The header Set-Cookie that takes a cookie away."""
    return write_cookie(scope, name, "", _AT_ONCE)


def name_in(scope: Scope, name: str) -> str:
    """Under TLS a name that browsers take from this very host only, never from a neighbour."""
    return f"__Host-{name}" if is_secure(scope) else name


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS, with us or with a proxy that we trust."""
    return scope["scheme"] in ("https", "wss")


def credentials_of(scope: Scope) -> Credentials:
    """Of a request or of a WebSocket's handshake."""
    headers = Headers(scope=scope)
    return Credentials(
        cookie=read_cookie(scope, SESSION),
        bearer=read_bearer(headers),
        assertion=headers.get(IAP_HEADER),
    )


def read_bearer(headers: Headers) -> str | None:
    """The key of `Authorization: Bearer KEY`; another scheme is a key that nobody has."""
    given = headers.get("authorization")
    if given is None:
        return None
    scheme, _, key = given.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
