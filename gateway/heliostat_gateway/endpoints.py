"""The table of contents: every path of the gateway, and how errors leave it."""

import logging
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from heliostat_gateway.admin import Admin
from heliostat_gateway.errors import RefusalError, invalid_request, refusal_response
from heliostat_gateway.intake import new_request_id
from heliostat_gateway.messages import Messages
from heliostat_gateway.settings import Settings
from heliostat_gateway.storage import StorageError
from heliostat_gateway.wire import JsonObject

_LOG = logging.getLogger(__name__)


def add_endpoints(app: FastAPI, messages: Messages, admin: Admin, settings: Settings) -> None:
    """Registers every path on `app`."""
    metrics = messages.books.metrics

    @app.post("/v1/messages")
    async def create_message(request: Request) -> Response:
        """A model call in the Anthropic dialect, streaming or not."""
        return await messages.create(request, _known(request))

    @app.post("/v1/messages/count_tokens")
    async def count_tokens(request: Request) -> Response:
        """The provider's token count of a request."""
        return await messages.count_tokens(request, _known(request))

    @app.get("/v1/models")
    async def models(request: Request) -> JsonObject:
        """The models that this gateway serves, in the Anthropic shape."""
        caller = messages.authenticate(request.headers)
        return _model_list(messages.router.models(caller, datetime.now(UTC)))

    @app.api_route("/", methods=["HEAD", "GET"], include_in_schema=False)
    @app.api_route("/api/hello", methods=["HEAD", "GET"], include_in_schema=False)
    async def hello() -> Response:
        """Claude Code's start-up probes."""
        return Response(status_code=200)

    @app.get("/health")
    async def health() -> JsonObject:
        """What this gateway can do."""
        missing = messages.router.missing
        return {
            "status": "ok",
            "publicKeys": messages.keys.count(),
            "defaultProvider": settings.default_provider,
            "message": f"{missing}." if missing else "",
        }

    @app.get("/healthz")
    async def healthz() -> JsonObject:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JsonObject:
        """The ledger can be read; keys may come later, and a broken routes file is not used."""
        await messages.books.ledger.execution("")
        problem = messages.router.problem
        return {"status": "ok", "publicKeys": messages.keys.count(), "routesProblem": problem}

    @app.get("/metrics", include_in_schema=False)
    async def prometheus() -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.include_router(admin.endpoints())
    _add_error_handlers(app, messages)


def _add_error_handlers(app: FastAPI, messages: Messages) -> None:
    @app.exception_handler(RefusalError)
    async def refused(request: Request, error: RefusalError) -> Response:
        messages.books.metrics.refusals.labels(error.kind).inc()
        return refusal_response(error, _known(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return await refused(request, invalid_request(f"{where}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def no_such_path(request: Request, error: HTTPException) -> Response:
        kind = "not_found_error" if error.status_code == 404 else "invalid_request_error"
        message = f"{request.method} {request.url.path}: {error.detail}."
        return await refused(request, RefusalError(error.status_code, kind, message))

    @app.exception_handler(StorageError)
    async def unwritable(request: Request, error: StorageError) -> Response:
        _LOG.error("request %s: %s", _known(request), error)
        return await refused(request, RefusalError(503, "api_error", str(error)))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _LOG.error("request %s failed", _known(request), exc_info=error)
        message = "The gateway failed; its log has the request id."
        return await refused(request, RefusalError(500, "api_error", message))


def _known(request: Request) -> dict[str, str]:
    """The x-heliostat headers of a request as far as they are known; its id from the start."""
    if not hasattr(request.state, "heliostat"):
        request.state.heliostat = {"x-heliostat-request-id": new_request_id()}
    found: dict[str, str] = request.state.heliostat
    return found


def _model_list(names: list[str]) -> JsonObject:
    return {
        "data": [
            {
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": "2026-01-01T00:00:00Z",
            }
            for name in names
        ],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }
