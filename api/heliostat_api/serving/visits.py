"""A visit: the first page gives a session, a later one renews it. No API call ever does."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.people.sessions import COOKIE, LIFETIME, Sessions


class Visits:
    """ASGI middleware that sets the cookie on pages. `new_person` gives a newcomer's id."""

    def __init__(self, app: ASGIApp, sessions: Sessions, new_person: Callable[[], str]) -> None:
        self._app = app
        self._sessions = sessions
        self._new_person = new_person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pages are what a browser asks for as HTML."""
        cookie = self._cookie(scope) if is_page(scope) else None
        if cookie is None:
            return await self._app(scope, receive, send)
        flags = "; Secure" if scope["scheme"] == "https" else ""
        seconds = int(LIFETIME.total_seconds())
        line = f"{COOKIE}={cookie}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flags}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", line)
            await send(message)

        return await self._app(scope, receive, send_with_cookie)

    def _cookie(self, scope: Scope) -> str | None:
        """The new cookie, or None where the one that came is good enough."""
        session = self._sessions.read(read_cookie(Headers(scope=scope)))
        if session is None:
            return self._sessions.issue(self._new_person())
        return self._sessions.issue(session.person_id) if self._sessions.is_stale(session) else None


def is_page(scope: Scope) -> bool:
    """Whether a person opens this in a browser."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path: str = scope["path"]
    if path.startswith(("/api/", "/agent/", "/ingest/")):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def read_cookie(headers: Headers) -> str | None:
    """The session's cookie among all of them."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)
