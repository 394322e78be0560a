"""Middleware around every request: the language that it asks for, and errors of ours."""

import logging
from http import HTTPStatus
from uuid import uuid4

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.base.texts import bilingual, preferred, speaking
from heliostat_api.web.problems import ProblemError, respond
from heliostat_telemetry.lines import add_to_lines, subject_of_lines

_LOG = logging.getLogger(__name__)


class FailureMiddleware:
    """ASGI middleware: an error of ours is answered with status 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What was begun to be answered can only break off."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        has_begun = False

        async def begin(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, begin)
        except Exception:
            if has_begun:
                raise
            problem = failure()
            _LOG.exception("%s %s failed", scope["method"], scope["path"])
            await respond(problem)(scope, receive, send)
        return None


def failure() -> ProblemError:
    """With the correlation id of the request, or a new one, which lines of the log say too."""
    correlation = subject_of_lines().get("correlationId") or f"dash-{uuid4()}"
    add_to_lines(correlationId=correlation)
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        bilingual(
            en=f"This is a fault of the server. Its log has it under {correlation}.",
            ko=f"서버 오류입니다. 로그에서 다음 번호로 찾을 수 있습니다: {correlation}",
        ),
        headers={"X-Correlation-Id": correlation},
    )


class LanguageMiddleware:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Everything below speaks the language that was asked for."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        chosen = QueryParams(scope["query_string"]).get("language")
        asked = chosen or Headers(scope=scope).get("accept-language", "")
        with speaking(preferred(asked)):
            await self._app(scope, receive, send)
        return None
