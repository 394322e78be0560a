"""A visit: the first page gives a session, a later one renews it. No API call ever does."""

import logging
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.port import StoreError
from heliostat_api.people.credentials import People, Visitor
from heliostat_api.people.sessions import LIFETIME, Sessions
from heliostat_api.web.credentials import SESSION, credentials_of, read_cookie, write_cookie
from heliostat_api.web.notices import notice

SIGN_IN_PATH: Final = "/auth/sign-in"
_NO_PAGES = ("/api/", "/agent/", "/ingest/", "/auth/")
_UNCHANGED = Visitor()
_LOG = logging.getLogger(__name__)


class SessionMiddleware:
    """ASGI middleware around the pages. `has_sign_in`: whether there is somewhere to sign in."""

    def __init__(
        self, app: ASGIApp, people: People, sessions: Sessions, *, has_sign_in: bool
    ) -> None:
        self._app = app
        self._people = people
        self._sessions = sessions
        self._has_sign_in = has_sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pages are what a browser asks for as HTML."""
        if not is_page(scope):
            return await self._app(scope, receive, send)
        visitor = await self._welcome(scope)
        if not visitor.may_enter:
            return await self._turn_away(scope)(scope, receive, send)
        cookie = self._cookie(scope, visitor)
        if cookie is None:
            return await self._app(scope, receive, send)
        line = write_cookie(scope, SESSION, cookie, LIFETIME)
        return await self._app(scope, receive, sending_cookie(send, line))

    async def _welcome(self, scope: Scope) -> Visitor:
        """While the store is away pages come as they are, and what they ask for says so."""
        try:
            return await self._people.welcome(credentials_of(scope))
        except (StoreError, ProviderAwayError) as error:
            _LOG.warning("a visitor can't be looked up: %s", error)
            return _UNCHANGED

    def _cookie(self, scope: Scope, visitor: Visitor) -> str | None:
        """The new cookie, or None where the one that came is good enough, or none is needed."""
        if visitor.person_id is None:
            return None
        session = self._sessions.read(read_cookie(scope, SESSION))
        is_same = session is not None and session.person_id == visitor.person_id
        if session is not None and is_same and not self._sessions.is_stale(session):
            return None
        goes_on = session.id if session is not None and is_same else ""
        return self._sessions.issue(visitor.person_id, goes_on)

    def _turn_away(self, scope: Scope) -> Response:
        if not self._has_sign_in:
            said = bilingual(
                en="You do not have access yet. Ask the administrator of this server.",
                ko="아직 들어올 수 없습니다. 서버 관리자에게 문의하세요.",
            )
            return notice(
                HTTPStatus.UNAUTHORIZED, bilingual(en="Not let in", ko="들어올 수 없습니다"), said
            )
        wanted = quote(scope["path"], safe="/")
        return RedirectResponse(
            f"{SIGN_IN_PATH}?next={wanted}", HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"}
        )


def sending_cookie(send: Send, line: str) -> Send:
    """Adds the cookie to the answer, which no cache may then keep for others."""

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("set-cookie", line)
            headers["cache-control"] = "no-store"
        await send(message)

    return send_with_cookie


def is_page(scope: Scope) -> bool:
    """Whether a person opens this in a browser."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path: str = scope["path"]
    if path.startswith(_NO_PAGES):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")
