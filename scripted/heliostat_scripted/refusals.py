"""Error answers in the shape of each dialect."""

from dataclasses import dataclass

from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.apis import Api
from heliostat_scripted.headers import Headers
from heliostat_scripted.limits import limit_headers
from heliostat_scripted.scenario import Limit, RateLimits

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_CHAT_TYPES: dict[str, tuple[str, str | None]] = {
    "authentication_error": ("invalid_request_error", "invalid_api_key"),
    "billing_error": ("insufficient_quota", "insufficient_quota"),
    "not_found_error": ("invalid_request_error", "model_not_found"),
    "rate_limit_error": ("requests", "rate_limit_exceeded"),
    "api_error": ("server_error", None),
    "overloaded_error": ("server_error", None),
}
_GEMINI_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    529: "UNAVAILABLE",
}


NO_LIMITS = RateLimits()


@dataclass(frozen=True)
class Refusal:
    """An error answer, before it has a dialect."""

    status: int
    kind: str  # in Anthropic's words
    message: str
    field: str = ""  # of the request, where it is at fault
    code: str = ""  # chat only
    retry_seconds: float | None = None
    limits: RateLimits = NO_LIMITS
    headers: tuple[tuple[str, str], ...] = ()
    bad_body: bool = False  # half of the JSON


class RefusedError(Exception):
    """A request that the real API would refuse."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def status_refusal(status: int) -> Refusal:
    """The plain error answer of a status."""
    message = f"The scripted provider answers {status} here."
    return Refusal(status, _KINDS.get(status, "api_error"), message)


def limited_refusal(seconds: float) -> Refusal:
    """429 with everything that a dialect tells of it."""
    spent = Limit(limit=50, remaining=0, reset_seconds=seconds)
    return Refusal(
        429,
        "rate_limit_error",
        "Number of requests has exceeded your rate limit.",
        retry_seconds=seconds,
        limits=RateLimits(requests=spent),
    )


def refusal_body(api: Api, refusal: Refusal, request_id: str) -> bytes:
    """The error document."""
    body = dump_object(_DOCUMENTS[api](refusal, request_id))
    return body[: len(body) // 2] if refusal.bad_body else body


def refusal_headers(api: Api, refusal: Refusal, now: float) -> Headers:
    """The headers of an error answer; Gemini tells when to retry in its body."""
    headers = limit_headers(api, refusal.limits, now)
    if refusal.retry_seconds is not None and api is not Api.GEMINI:
        headers.append(("retry-after", f"{refusal.retry_seconds:g}"))
    return headers + list(refusal.headers)


def _messages(refusal: Refusal, request_id: str) -> JsonObject:
    return {
        "type": "error",
        "error": {"type": refusal.kind, "message": refusal.message},
        "request_id": request_id,
    }


def _chat(refusal: Refusal, request_id: str) -> JsonObject:  # noqa: ARG001
    kind, code = _CHAT_TYPES.get(refusal.kind, (refusal.kind, None))
    return {
        "error": {
            "message": refusal.message,
            "type": kind,
            "param": refusal.field or None,
            "code": refusal.code or code,
        }
    }


def _gemini(refusal: Refusal, request_id: str) -> JsonObject:  # noqa: ARG001
    error: JsonObject = {
        "code": refusal.status,
        "message": refusal.message,
        "status": _GEMINI_STATUSES.get(refusal.status, "UNKNOWN"),
    }
    if refusal.retry_seconds is not None:
        retry: JsonObject = {
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": f"{refusal.retry_seconds:g}s",
        }
        error["details"] = [retry]
    return {"error": error}


_DOCUMENTS = {Api.MESSAGES: _messages, Api.CHAT: _chat, Api.GEMINI: _gemini}
