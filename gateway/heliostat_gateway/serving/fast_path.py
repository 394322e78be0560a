"""Model calls go straight to their handler; everything else goes through FastAPI.

Its middleware, its routing and its solving of parameters would cost more than all that we do with
such a request. The same paths are registered there too: for OpenAPI, and for other methods.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from fastapi import Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from heliostat_gateway.serving.failures import Failures
from heliostat_gateway.serving.openapi import DescribedApp

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class FastPathApp(DescribedApp):
    """The gateway's app: POST requests on the paths of `cut_short` never enter the framework."""

    _handlers: Mapping[str, Handler] = {}
    _answer: ASGIApp | None = None

    def add_fast_paths(self, handlers: Mapping[str, Handler], failures: Failures) -> None:
        """From now on these handlers get the POST requests on their paths."""
        self._handlers = handlers
        self._failures = failures

    def allow_origins(self, origins: Sequence[str]) -> None:
        """Lets pages of these origins call the gateway from browsers; `*` is every origin."""
        self._answer = CORSMiddleware(
            self._answered,
            allow_origins=origins,
            allow_methods=["GET", "POST", "HEAD"],
            allow_headers=["*"],
            expose_headers=["*"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a model call, or passes the request on."""
        answer = self._answer or self._answered
        await answer(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = None
        if scope["type"] == "http" and scope["method"] == "POST":
            handler = self._handlers.get(scope["path"])
            if handler is None and scope["path"].endswith("/"):
                # A redirect would lose the body at some clients.
                path = scope["path"].rstrip("/")
                if handler := self._handlers.get(path):
                    scope = {**scope, "path": path, "raw_path": path.encode()}
        if handler is None:
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001  whatever it is, the caller hears of it
            response = self._failures.response(request, error)
        await response(scope, receive, send)
