"""What a request presents to say whose it is."""

from starlette.datastructures import Headers
from starlette.types import Scope

from heliostat_api.people.credentials import IAP_HEADER, Credentials
from heliostat_api.web.cookies import SESSION, read_cookie


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
