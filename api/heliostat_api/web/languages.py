"""The language of a request: `Accept-Language`, or `?language=` where a browser sets no headers."""

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from heliostat_api.base.texts import preferred, speaking


class InLanguage:
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
