"""Who may talk to this server at all: hosts and origins, before any endpoint.

A page of another site can make a browser send requests with our cookie, and by rebinding a name
even read the answers. So what writes must come from our own origin, and `heliostat dev`, whose
agents run commands on this machine, answers to its own names only.
"""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from heliostat_api.serving.problems import ProblemError, respond

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware. `hosts` are the names that it answers to; empty: to any."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses with 403, a WebSocket before it is accepted."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is None:
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await WebSocketClose(code=1008, reason=refusal)(scope, receive, send)
        return await respond(ProblemError(HTTPStatus.FORBIDDEN, refusal))(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts and host_name(host) not in self._hosts:
            return f"Host must be one of {', '.join(sorted(self._hosts))}."
        writes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if writes and not is_own_origin(headers, host):
            return "Origin must be this server's own: commands come from its own pages."
        return None


def is_own_origin(headers: Headers, host: str) -> bool:
    """A browser names the origin of every write; programs, which carry a token, name none.

    A request with our cookie and without an origin is not believed.
    """
    origin = headers.get("origin")
    if origin is None:
        return "cookie" not in headers
    return urlsplit(origin).netloc == host


def host_name(host: str) -> str:
    """The name without its port: `127.0.0.1:8080`, `[::1]:8080`."""
    return host[: host.rindex("]") + 1] if host.startswith("[") else host.partition(":")[0]
