"""Who may talk to this server at all: hosts and origins, before any endpoint.

A page of another site can make a browser send requests with our cookie, and by rebinding a name
even read the answers. So what writes must come from our own origin, what is read must not be for
another site's page, and `heliostat dev`, whose agents run commands on this machine, answers to its
own names only.
"""

import re
from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from heliostat_api.base.texts import plain
from heliostat_api.people.credentials import IAP_HEADER
from heliostat_api.web.credentials import is_secure, read_bearer
from heliostat_api.web.problems import ProblemError, respond

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]@/\s]+)(?::[0-9]*)?")
_OWN_SITES = frozenset({"same-origin", "none"})


class Guard:
    """ASGI middleware. `hosts` are the names that it answers to; empty: to any.

    `public_url` is an origin of ours beside the one that the request itself names.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), public_url: str = "") -> None:
        self._app = app
        self._hosts = frozenset(each.lower() for each in hosts)
        public = urlsplit(public_url)
        self._public = {origin_of(public.scheme, public.netloc)} if public_url else set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses with 403, a WebSocket before it is accepted."""
        if scope["type"] not in ("http", "websocket") or is_for_programs(scope["path"]):
            return await self._app(scope, receive, send)
        refusal = self._refusal(scope)
        return await (refused(scope, refusal) if refusal else self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = host_of(headers)
        if self._hosts and (refusal := refuse_host(host, self._hosts)):
            return refusal
        own = {origin_of("https" if is_secure(scope) else "http", host), *self._public}
        if scope["type"] == "http" and scope["method"] in _SAFE:
            return refuse_reading(scope["method"], headers)
        return refuse_writing(headers, own)


class HostGuard:
    """ASGI middleware around a whole server of one machine: it answers to `hosts`, on any path."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses as Guard does."""
        is_asked = scope["type"] in ("http", "websocket")
        host = host_of(Headers(scope=scope)) if is_asked else ""
        refusal = refuse_host(host, self._hosts) if is_asked else None
        await (refused(scope, refusal) if refusal else self._app)(scope, receive, send)


def refused(scope: Scope, why: str) -> ASGIApp:
    """The answer: 403, of a WebSocket before it is accepted."""
    if scope["type"] == "websocket":
        return WebSocketClose(code=1008, reason=why)
    return respond(ProblemError(HTTPStatus.FORBIDDEN, plain(why)))


def refuse_host(host: str, hosts: Collection[str]) -> str | None:
    """Why this server is not meant."""
    if host_name(host) in hosts:
        return None
    return f"Host must be one of {', '.join(sorted(hosts))}."


def refuse_writing(headers: Headers, own: Collection[str]) -> str | None:
    """Why this may change nothing: None for our own pages, and for programs with a key.

    A browser names the origin of every write and of every WebSocket, programs name none. A
    request with a browser's credentials and without an origin is not believed.
    """
    origins = headers.getlist("origin")
    if not origins:
        if not has_browsers_credentials(headers):
            return None
        return "Origin is missing: commands with a session come from this server's own pages."
    if len(origins) == 1 and origins[0] in own:
        return None
    expected = " or ".join(sorted(own))
    return (
        f"Origin must be this server's own ({expected}): commands come from its own pages. Behind "
        "a proxy, HELIOSTAT_API_PUBLIC_URL and HELIOSTAT_API_TRUSTED_PROXIES say what is its own."
    )


def has_browsers_credentials(headers: Headers) -> bool:
    """Whether what comes with it may be of a browser's own accord, and so proves nothing: a cookie,
    or the header that a proxy adds to whatever passes it, unless a key says who it is."""
    is_by_proxy = IAP_HEADER in headers and not read_bearer(headers)
    return "cookie" in headers or is_by_proxy


def refuse_reading(method: str, headers: Headers) -> str | None:
    """Why this may not be read: what a page of another site embeds or fetches.

    A link from elsewhere may lead to us. Browsers say which is which (Fetch Metadata).
    """
    site = headers.get("sec-fetch-site")
    if site is None or site in _OWN_SITES:
        return None
    leads_here = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
    if leads_here and headers.get("sec-fetch-dest") == "document":
        return None
    return "A page of another site may lead here, but can't read from here."


def origin_of(scheme: str, host: str) -> str:
    """As browsers write it: in lower case, without the scheme's own port."""
    return f"{scheme}://{host}".lower().removesuffix(_DEFAULT_PORTS.get(scheme, " "))


def host_of(headers: Headers) -> str:
    """Empty where a request names none, or several."""
    hosts = headers.getlist("host")
    return hosts[0] if len(hosts) == 1 else ""


def host_name(host: str) -> str:
    """The name without its port, empty for what is no host: `127.0.0.1:8080`, `[::1]:8080`."""
    found = _HOST.fullmatch(host.lower())
    return found[1] if found else ""


def is_for_programs(path: str) -> bool:
    """Paths that no session opens: probes name the pod's address, runs the Service."""
    return path in ("/healthz", "/readyz", "/metrics") or path.startswith("/ingest/")
