"""The table of contents: every path of the gateway but those under /admin."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from heliostat_gateway.calls.conversations import Conversations
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.serving.admin import Admin
from heliostat_gateway.serving.failures import Failures, dialect_of, known_headers
from heliostat_gateway.serving.figures import Requests
from heliostat_gateway.serving.listings import list_models, show_model
from heliostat_gateway.serving.openapi import describe_call, describe_listing
from heliostat_gateway.serving.outside import Outside
from heliostat_gateway.serving.shortcuts import Handler, ShortcutApp
from heliostat_gateway.settings import Settings
from heliostat_json.objects import JsonObject


def add_endpoints(
    app: ShortcutApp, conversations: Conversations, admin: Admin, settings: Settings
) -> None:
    """Registers every path on `app`, and how errors leave it."""
    calls = Calls(conversations)
    app.include_router(calls.endpoints())
    app.include_router(Requests(conversations).endpoints())
    app.include_router(Outside(conversations).endpoints())
    app.include_router(Probes(conversations, settings).endpoints())
    app.include_router(admin.endpoints())
    failures = Failures(conversations.books.metrics)
    failures.add_to(app)
    app.cut_short(calls.shortcuts(), failures)


class Calls:
    """What SDKs and Claude Code ask for."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def endpoints(self) -> APIRouter:
        """The paths."""
        router = APIRouter(prefix="/v1", tags=["models"])
        router.add_api_route(
            "/messages",
            self.create_message,
            methods=["POST"],
            response_class=Response,
            openapi_extra=describe_call(
                "MessagesRequest", "MessagesAnswer", "MessagesError", streams=True
            ),
        )
        router.add_api_route(
            "/messages/count_tokens",
            self.count_tokens,
            methods=["POST"],
            response_class=Response,
            openapi_extra=describe_call(
                "CountRequest", "CountAnswer", "MessagesError", streams=False
            ),
        )
        router.add_api_route(
            "/chat/completions",
            self.create_completion,
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

    def shortcuts(self) -> dict[str, Handler]:
        """What is asked so often that it skips the framework."""
        return {
            "/v1/messages": self.create_message,
            "/v1/chat/completions": self.create_completion,
            "/v1/messages/count_tokens": self.count_tokens,
        }

    async def create_message(self, request: Request) -> Response:
        """A model call in the Anthropic dialect, streaming or not."""
        known = known_headers(request)
        return await self._conversations.create(request, Dialect.MESSAGES, known)

    async def create_completion(self, request: Request) -> Response:
        """A model call in the OpenAI dialect, streaming or not."""
        return await self._conversations.create(request, Dialect.CHAT, known_headers(request))

    async def count_tokens(self, request: Request) -> Response:
        """The tokens of a request in the Anthropic dialect; costs nothing."""
        return await self._conversations.count(request, known_headers(request))

    async def models(self, request: Request) -> JsonObject:
        """The models that this key may ask for, in the shape of the dialect that asks."""
        return list_models(self._names(request), dialect_of(request))

    async def model(self, model: str, request: Request) -> JsonObject:
        """One model, in the shape of the dialect that asks."""
        return show_model(model, self._names(request), dialect_of(request))

    def _names(self, request: Request) -> list[str]:
        caller = self._conversations.authenticate(request.headers)
        return self._conversations.router.models(caller, datetime.now(UTC))


class Probes:
    """What kubelets, load balancers, Prometheus and Claude Code's start-up ask for."""

    def __init__(self, conversations: Conversations, settings: Settings) -> None:
        self._conversations = conversations
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
        missing = self._conversations.router.missing
        return {
            "status": "ok",
            "publicKeys": self._conversations.keys.count(),
            "defaultProvider": self._settings.default_provider,
            "message": f"{missing}." if missing else "",
        }

    async def healthz(self) -> JsonObject:
        """The process answers."""
        return {"status": "ok"}

    async def readyz(self) -> JsonObject:
        """The ledger can be read; keys may come later, and a broken routes file is not used."""
        conversations = self._conversations
        await conversations.books.ledger.execution("")
        ledger = conversations.books.ledger.state()
        return {
            "status": "ok",
            "publicKeys": conversations.keys.count(),
            "routesProblem": conversations.router.problem,
            "ledger": ledger.mode.value,
            "ledgerReason": ledger.reason,
            "breakers": conversations.breakers.state().mode,
        }

    async def metrics(self) -> Response:
        """Metrics in the text format of Prometheus."""
        text = self._conversations.books.metrics.text()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
