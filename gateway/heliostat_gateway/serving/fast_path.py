"""Model calls go straight to their handler; everything else goes through FastAPI.

Its middleware, its routing and its solving of parameters would cost more than all that we do with
such a request. The same paths are registered there too: for OpenAPI, and for other methods.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from heliostat_gateway.serving.failures import Failures
from heliostat_gateway.serving.openapi import DescribedApp

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class FastPathApp(DescribedApp):
    """The gateway's app: POST requests on the paths of `cut_short` never enter the framework."""

    _handlers: Mapping[str, Handler] = {}

    def add_fast_paths(self, handlers: Mapping[str, Handler], failures: Failures) -> None:
        """From now on these handlers get the POST requests on their paths."""
        self._handlers = handlers
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a model call, or passes the request on."""
        handler = None
        if scope["type"] == "http" and scope["method"] == "POST":
            handler = self._handlers.get(scope["path"])
        if handler is None:
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001  whatever it is, the caller hears of it
            response = self._failures.response(request, error)
        await response(scope, receive, send)
