"""Errors, between the dialects. The kinds are those of Messages (`rate_limit_error`, ...)."""

import re
from dataclasses import dataclass
from typing import Final

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import objects
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at, text_at


@dataclass(frozen=True)
class ProviderFault:
    """What a provider said no with. The message holds no key."""

    kind: str
    message: str


class MalformedAnswerError(Exception):
    """An answer that no client could read."""


class StreamFaultError(Exception):
    """An error that the provider told in the middle of a stream."""

    def __init__(self, fault: ProviderFault) -> None:
        super().__init__(f"{fault.kind}: {fault.message}")
        self.fault = fault


KIND_OF_STATUS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Where several statuses mean one kind, the one that Anthropic's API gives it.
_STATUS_OF_KIND: Final = {kind: status for status, kind in KIND_OF_STATUS.items()} | {
    "invalid_request_error": 400
}
KIND_OF_CHAT: Final = {  # by `code`, else by `type`
    "insufficient_quota": "billing_error",
    "invalid_api_key": "authentication_error",
    "rate_limit_exceeded": "rate_limit_error",
    "model_not_found": "not_found_error",
    "context_length_exceeded": "invalid_request_error",
    "server_error": "api_error",
    "invalid_request_error": "invalid_request_error",
    "rate_limit_error": "rate_limit_error",
    "authentication_error": "authentication_error",
    "permission_error": "permission_error",
    "overloaded_error": "overloaded_error",
}
KIND_OF_GEMINI: Final = {
    "INVALID_ARGUMENT": "invalid_request_error",
    "FAILED_PRECONDITION": "invalid_request_error",
    "OUT_OF_RANGE": "invalid_request_error",
    "UNAUTHENTICATED": "authentication_error",
    "PERMISSION_DENIED": "permission_error",
    "NOT_FOUND": "not_found_error",
    "RESOURCE_EXHAUSTED": "rate_limit_error",
    "UNAVAILABLE": "overloaded_error",
    "DEADLINE_EXCEEDED": "timeout_error",
    "INTERNAL": "api_error",
}
# Type and code in an error of chat completions.
CHAT_OF_KIND: Final = {
    "invalid_request_error": ("invalid_request_error", None),
    "request_too_large": ("invalid_request_error", "request_too_large"),
    "not_found_error": ("invalid_request_error", "not_found"),
    "authentication_error": ("authentication_error", "invalid_api_key"),
    "permission_error": ("permission_error", "permission_denied"),
    "billing_error": ("insufficient_quota", "insufficient_quota"),
    "rate_limit_error": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded_error": ("server_error", "overloaded"),
    "timeout_error": ("server_error", "timeout"),
    "api_error": ("server_error", None),
}


# How the providers say that a prompt does not fit. Clients of Anthropic's dialect, such as Claude
# Code, read it in the message; those of OpenAI's in the code.
_TOO_LONG: Final = re.compile(
    r"prompt is too long|context[ _](length|window)|maximum context|input token count",
    re.IGNORECASE,
)
_ANTHROPICS_WORDS: Final = "prompt is too long"


def translate_error(status: int, document: JsonObject | None, source: Dialect) -> ProviderFault:
    """What an error of a provider means. `status` 0: told inside a stream."""
    answer = document or {}
    error = object_at(answer, "error")
    if status in (0, 200) and type(error.get("code")) is int:
        status = int(str(error["code"]))  # Gemini and OpenRouter repeat the status here
    kind = _said_kind(status, error, source) or kind_of_status(status)
    if kind == "authentication_error":
        # Providers quote the key that they refuse, in parts.
        return ProviderFault(kind, "The provider refused the gateway's credential.")
    said = text_at(error, "message") or text_at(answer, "error") or text_at(answer, "message")
    is_long = text_at(error, "code") == "context_length_exceeded" or is_too_long(kind, said)
    if is_long and _ANTHROPICS_WORDS not in said:
        said = f"{_ANTHROPICS_WORDS}: {said}"
    return ProviderFault(kind, said or f"The provider answered with status {status}.")


def is_too_long(kind: str, message: str) -> bool:
    """Whether an error says that the prompt does not fit into the model."""
    is_request = kind in ("invalid_request_error", "request_too_large")
    return is_request and _TOO_LONG.search(message) is not None


def kind_of_status(status: int) -> str:
    """The kind of error that a status alone stands for."""
    if status in KIND_OF_STATUS:
        return KIND_OF_STATUS[status]
    return "invalid_request_error" if 400 <= status < 500 else "api_error"


def status_of_kind(kind: str) -> int:
    """The status that a kind of error has over HTTP; 500 for one that has none of its own."""
    return _STATUS_OF_KIND.get(kind, 500)


def _said_kind(status: int, error: JsonObject, source: Dialect) -> str | None:
    if source is Dialect.MESSAGES:
        return text_at(error, "type") or None
    if source is Dialect.GEMINI:
        reasons = [text_at(each, "reason") for each in objects(list_at(error, "details"))]
        if "API_KEY_INVALID" in reasons:  # Gemini says 400 for it
            return "authentication_error"
        said = text_at(error, "status")
        says_less = said == "UNKNOWN" and status in KIND_OF_STATUS
        return None if says_less else KIND_OF_GEMINI.get(said)
    if by_code := KIND_OF_CHAT.get(text_at(error, "code")):
        return by_code
    if status != 400 and status in KIND_OF_STATUS:  # it says more than OpenAI's types
        return KIND_OF_STATUS[status]
    return KIND_OF_CHAT.get(text_at(error, "type"))


def is_error_document(document: JsonObject, dialect: Dialect) -> bool:
    """Whether it has the shape that clients of the dialect read."""
    error = object_at(document, "error")
    has_kind = bool(text_at(error, "type")) or dialect is not Dialect.MESSAGES
    return has_kind and bool(text_at(error, "message"))


def error_document(
    dialect: Dialect,
    status: int,
    kind: str,
    message: str,
    request_id: str,
    field: str | None = None,
) -> JsonObject:
    """An error in the caller's dialect; `field` is what the caller must change, if known."""
    if dialect is Dialect.MESSAGES:
        error: JsonObject = {"type": kind, "message": message}
        return {"type": "error", "error": error, "request_id": request_id}
    if dialect is Dialect.CHAT:
        said, code = CHAT_OF_KIND.get(kind, CHAT_OF_KIND[kind_of_status(status)])
        if is_too_long(kind, message):
            said, code = "invalid_request_error", "context_length_exceeded"
        told: JsonObject = {"message": message, "type": said, "param": field, "code": code}
        return {"error": told, "request_id": request_id}
    raise ValueError("Gemini is never a caller's dialect")


def error_event(dialect: Dialect, kind: str, message: str, request_id: str) -> bytes:
    """An error as the last event of a stream in the caller's dialect."""
    data = dump_object(error_document(dialect, 500, kind, message, request_id))
    name = b"event: error\n" if dialect is Dialect.MESSAGES else b""
    return name + b"data: " + data + b"\n\n"
