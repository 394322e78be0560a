"""How errors leave the gateway: in the dialect of the one who asked, with the request's id."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import RefusalError, invalid_request, refusal_response
from heliostat_gateway.intake import new_request_id
from heliostat_gateway.metrics import Metrics
from heliostat_gateway.storage import StorageError

_LOG = logging.getLogger(__name__)


def add_failures(app: FastAPI, metrics: Metrics) -> None:
    """Registers what becomes of each kind of error."""

    @app.exception_handler(RefusalError)
    async def refused(request: Request, error: RefusalError) -> Response:
        metrics.refusals.add(error.kind)
        return refusal_response(error, known_headers(request), dialect_of(request))

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
        _LOG.error("request %s: %s", known_headers(request), error)
        return await refused(request, RefusalError(503, "api_error", str(error)))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _LOG.error("request %s failed", known_headers(request), exc_info=error)
        message = "The gateway failed; its log has the request id."
        return await refused(request, RefusalError(500, "api_error", message))


def dialect_of(request: Request) -> Dialect:
    """The dialect of the one who asks: by the path, else Anthropic's SDKs name a version."""
    path = request.url.path
    if path.startswith("/v1/chat/"):
        return Dialect.CHAT
    is_listing = path.startswith("/v1/models")
    if is_listing and "anthropic-version" not in request.headers:
        return Dialect.CHAT
    return Dialect.MESSAGES


def known_headers(request: Request) -> dict[str, str]:
    """The x-heliostat headers of a request as far as they are known; its id from the start."""
    if not hasattr(request.state, "heliostat"):
        request.state.heliostat = {"x-heliostat-request-id": new_request_id()}
    found: dict[str, str] = request.state.heliostat
    return found
