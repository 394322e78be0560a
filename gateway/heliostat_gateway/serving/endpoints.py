"""The table of contents: every path of the gateway but those under /admin."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from heliostat_gateway.calls.handler import ModelCallHandler
from heliostat_gateway.serving.admin import Admin
from heliostat_gateway.serving.failures import Failures, dialect_of
from heliostat_gateway.serving.fast_path import FastPathApp, Handler
from heliostat_gateway.serving.figures import Requests
from heliostat_gateway.serving.listings import list_models, show_model
from heliostat_gateway.serving.openapi import describe_call, describe_listing
from heliostat_gateway.serving.outside import Outside
from heliostat_gateway.settings import Settings
from heliostat_json.objects import JsonObject


def add_endpoints(
    app: FastPathApp, handler: ModelCallHandler, admin: Admin, settings: Settings
) -> None:
    """Registers every path on `app`, and how errors leave it."""
    calls = Calls(handler)
    app.include_router(calls.endpoints())
    app.include_router(Requests(handler).endpoints())
    app.include_router(Outside(handler).endpoints())
    app.include_router(Probes(handler, settings).endpoints())
    app.include_router(admin.endpoints())
    failures = Failures(handler.dependencies.metrics)
    failures.add_to(app)
    app.add_fast_paths(calls.fast_paths(), failures)
    if settings.cors_origins:
        app.allow_origins(settings.cors_origins)


class Calls:
    """The endpoints that SDKs and Claude Code use."""

    def __init__(self, handler: ModelCallHandler) -> None:
        self._handler = handler

    def endpoints(self) -> APIRouter:
        """The paths."""
        router = APIRouter(prefix="/v1", tags=["models"])
        router.add_api_route(
            "/messages",
            self._handler.create_message,
            methods=["POST"],
            response_class=Response,
            openapi_extra=describe_call(
                "MessagesRequest", "MessagesAnswer", "MessagesError", streams=True
            ),
        )
        router.add_api_route(
            "/messages/count_tokens",
            self._handler.count_tokens,
            methods=["POST"],
            response_class=Response,
            openapi_extra=describe_call(
                "CountRequest", "CountAnswer", "MessagesError", streams=False
            ),
        )
        router.add_api_route(
            "/chat/completions",
            self._handler.create_completion,
            methods=["POST"],
            response_class=Response,
            openapi_extra=describe_call("ChatRequest", "ChatAnswer", "ChatError", streams=True),
        )
        router.add_api_route(
            "/models",
            self.models,
            name="list_models",
            methods=["GET"],
            responses=describe_listing("ModelList"),
        )
        router.add_api_route(
            "/models/{model:path}",
            self.model,
            name="get_model",
            methods=["GET"],
            responses=describe_listing("Model"),
        )
        return router

    def fast_paths(self) -> dict[str, Handler]:
        """What is asked so often that it skips the framework."""
        return {
            "/v1/messages": self._handler.create_message,
            "/v1/chat/completions": self._handler.create_completion,
            "/v1/messages/count_tokens": self._handler.count_tokens,
        }

    async def models(self, request: Request) -> JsonObject:
        """The models that this key may ask for, in the shape of the dialect that asks."""
        return list_models(self._names(request), dialect_of(request))

    async def model(self, model: str, request: Request) -> JsonObject:
        """One model, in the shape of the dialect that asks."""
        return show_model(model, self._names(request), dialect_of(request))

    def _names(self, request: Request) -> list[str]:
        caller = self._handler.authenticate(request.headers)
        return self._handler.router.models(caller, datetime.now(UTC))


class Probes:
    """The endpoints of kubelets, load balancers, Prometheus and Claude Code's start-up."""

    def __init__(self, handler: ModelCallHandler, settings: Settings) -> None:
        self._handler = handler
        self._settings = settings

    def endpoints(self) -> APIRouter:
        """The paths."""
        router = APIRouter(tags=["probes"])
        for path in ("/", "/api/hello"):
            router.add_api_route(path, self.hello, methods=["HEAD", "GET"], include_in_schema=False)
        router.add_api_route("/health", self.health, methods=["GET"])
        router.add_api_route("/healthz", self.healthz, methods=["GET"])
        router.add_api_route("/readyz", self.readyz, methods=["GET"])
        router.add_api_route("/metrics", self.metrics, methods=["GET"], include_in_schema=False)
        return router

    async def hello(self) -> Response:
        """Claude Code's start-up probes."""
        return Response(status_code=200)

    async def health(self) -> JsonObject:
        """What this gateway can do."""
        missing = self._handler.router.missing
        return {
            "status": "ok",
            "publicKeys": self._handler.keys.count(),
            "defaultProvider": self._settings.default_provider,
            "message": f"{missing}." if missing else "",
        }

    async def healthz(self) -> JsonObject:
        """The process answers."""
        return {"status": "ok"}

    async def readyz(self) -> JsonObject:
        """The ledger can be read; keys may come later, and a broken routes file is not used."""
        handler = self._handler
        await handler.dependencies.ledger.execution("")
        ledger = handler.dependencies.ledger.state()
        return {
            "status": "ok",
            "publicKeys": handler.keys.count(),
            "routesProblem": handler.router.problem,
            "ledger": ledger.mode.value,
            "ledgerReason": ledger.reason,
            "breakers": handler.breakers.state().mode,
        }

    async def metrics(self) -> Response:
        """Metrics in the text format of Prometheus."""
        text = self._handler.dependencies.metrics.text()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
