"""Model calls go straight to their handler; everything else goes through FastAPI.

Its routing and its solving of parameters would cost more than all that we do with such a request.
The same paths are registered there too: for OpenAPI, and for other methods than POST.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from heliostat_gateway.serving.failures import Failures

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Shortcuts:
    """ASGI middleware: POST requests on the given paths."""

    def __init__(self, app: ASGIApp, handlers: Mapping[str, Handler], failures: Failures) -> None:
        self._app = app
        self._handlers = handlers
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or passes the request on."""
        handler = None
        if scope["type"] == "http" and scope["method"] == "POST":
            handler = self._handlers.get(scope["path"])
        if handler is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001  whatever it is, the caller hears of it
            response = self._failures.response(request, error)
        await response(scope, receive, send)
