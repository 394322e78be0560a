"""Refusals of the API server are mapped to errors that are named by their business fact."""

import json
from collections.abc import Mapping

from heliostat_core.worlds import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    JsonObject,
    NamespaceTerminatingError,
    NotFoundError,
    UnavailableError,
    WorldError,
)

_LONGEST_RETRY_AFTER = 5.0  # seconds
_LONGEST_TEXT = 2000  # characters of an answer that is no Status
# A server-side apply that doesn't fit the schema ends as 500 without a reason, before validation.
_MALFORMED_APPLY = "failed to create typed patch object"

_BY_STATUS: Mapping[int, type[WorldError]] = {
    400: InvalidError,
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    405: InvalidError,
    409: ConflictError,
    413: InvalidError,
    415: InvalidError,
    422: InvalidError,
}


class ExpiredError(WorldError):
    """The resourceVersion or the continue token is too old: list again."""


class NotServedError(NotFoundError):
    """The API server serves no such kind: most likely our CRDs are not installed."""


def map_error(code: int, content: bytes) -> WorldError:
    """The error that an answer with HTTP status `code` stands for; its text is the server's."""
    status = _parse_status(content)
    if status is None:
        text = f"HTTP {code}: {cut(content)}"
        return NotServedError(text) if code == 404 else _BY_STATUS.get(code, UnavailableError)(text)
    return map_status(status, code)


def map_status(status: JsonObject, code: int) -> WorldError:
    """The error that a Status document stands for."""
    message = str(status.get("message") or f"HTTP {code}")
    reason = status.get("reason")
    if code == 410 or reason in ("Expired", "Gone"):
        return ExpiredError(message)
    if reason == "AlreadyExists":
        return AlreadyExistsError(message)
    if _names_cause(status, "reason", "NamespaceTerminating"):
        return NamespaceTerminatingError(message)
    # An apply with another uid than the object's is refused as an immutable field.
    if _names_cause(status, "field", "metadata.uid"):
        return ConflictError(message)
    if message.startswith(_MALFORMED_APPLY):
        return InvalidError(message)
    return _BY_STATUS.get(code, UnavailableError)(message)


def read_retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait: at most 5, so that a confused server does not stop us for long."""
    try:
        return min(max(float(headers.get("Retry-After", "1")), 0.1), _LONGEST_RETRY_AFTER)
    except ValueError:
        return 1.0


def _names_cause(status: JsonObject, key: str, value: str) -> bool:
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    return isinstance(causes, list) and any(
        isinstance(cause, Mapping) and cause.get(key) == value for cause in causes
    )


def _parse_status(content: bytes) -> JsonObject | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("kind") == "Status" else None


def cut(content: bytes) -> str:
    """Shortens an answer that could not be read to what fits into an error."""
    return content.decode(errors="replace").strip()[:_LONGEST_TEXT]
