"""How errors leave the gateway: in the dialect of the one who asked, with the request's id."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from heliostat_gateway.calls.requests import known_headers
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import RefusalError, invalid_request, refusal_response
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.storage import StorageError

_LOG = logging.getLogger(__name__)


class Failures:
    """Turns each kind of error into a response."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def add_to(self, app: FastAPI) -> None:
        """Answers every error of `app`."""

        async def answer(request: Request, error: Exception) -> Response:
            return self.response(request, error)

        for kind in (RefusalError, RequestValidationError, HTTPException, StorageError, Exception):
            app.add_exception_handler(kind, answer)

    def response(self, request: Request, error: Exception) -> Response:
        """The answer to one request that failed."""
        refusal = _refusal_of(request, error)
        self._metrics.refusals.add(refusal.kind)
        return refusal_response(refusal, known_headers(request), dialect_of(request))


def _refusal_of(request: Request, error: Exception) -> RefusalError:
    match error:
        case RefusalError():
            return error
        case RequestValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return invalid_request(f"{where}: {first['msg']}")
        case HTTPException():
            kind = "not_found_error" if error.status_code == 404 else "invalid_request_error"
            message = f"{request.method} {request.url.path}: {error.detail}."
            return RefusalError(error.status_code, kind, message)
        case StorageError():
            _LOG.error("request %s: %s", known_headers(request), error)
            return RefusalError(503, "api_error", str(error))
    _LOG.error("request %s failed", known_headers(request), exc_info=error)
    return RefusalError(500, "api_error", "The gateway failed; its log has the request id.")


def dialect_of(request: Request) -> Dialect:
    """The dialect of the one who asks: by the path, else Anthropic's SDKs name a version."""
    path = request.url.path
    if path.startswith("/v1/chat/"):
        return Dialect.CHAT
    is_listing = path.startswith("/v1/models")
    if is_listing and "anthropic-version" not in request.headers:
        return Dialect.CHAT
    return Dialect.MESSAGES
