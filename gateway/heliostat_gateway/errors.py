"""Refusals: what the gateway itself says no to, in the dialect of the caller."""

from collections.abc import Mapping
from typing import Final

from fastapi import Response

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import error_document
from heliostat_json.objects import dump_object

# The official SDKs and Claude Code obey it: what will not get better is asked only once.
DO_NOT_RETRY = {"x-should-retry": "false"}
# Where the official SDKs look for the id of a request.
REQUEST_ID_HEADERS: Final = {Dialect.MESSAGES: "request-id", Dialect.CHAT: "x-request-id"}


class RefusalError(Exception):
    """A request that gets no model call. The message says what is wrong and what to do."""

    def __init__(
        self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = dict(headers or {})


def refusal_response(
    refusal: RefusalError, headers: Mapping[str, str], dialect: Dialect
) -> Response:
    """The HTTP answer of a refusal; `headers` hold the request id."""
    request_id = headers["x-heliostat-request-id"]
    document = error_document(dialect, refusal.status, refusal.kind, refusal.message, request_id)
    return Response(
        dump_object(document),
        refusal.status,
        {**headers, REQUEST_ID_HEADERS[dialect]: request_id, **refusal.headers},
        media_type="application/json",
    )


def key_refused(message: str) -> RefusalError:
    """401: the key is no good, now and later."""
    return RefusalError(401, "authentication_error", message, DO_NOT_RETRY)


def invalid_request(message: str) -> RefusalError:
    """400: the request itself is wrong."""
    return RefusalError(400, "invalid_request_error", message)
