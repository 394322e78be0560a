"""What became of an attempt, and whether the next provider may be asked. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from heliostat_json.objects import JsonObject, list_at, text_at


class Verdict(StrEnum):
    """The class of an attempt; retry, fallback and billing follow from it."""

    ANSWERED = "answered"
    NOT_SENT = "not_sent"  # nothing reached the provider; free
    REFUSED = "refused"  # the provider can't now, for reasons of its own; free
    REJECTED = "rejected"  # the request itself is wrong; free
    UNCERTAIN = "uncertain"  # may have been executed, nothing was shown; may cost
    VISIBLE = "visible"  # failed after the client saw output; costs


_PROVIDER_STATE: Final = frozenset({401, 402, 403, 404, 408, 429})
# Some providers say 400 for it.
_KINDS_OF_STATE: Final = frozenset(
    {
        "authentication_error",
        "billing_error",
        "not_found_error",
        "overloaded_error",
        "permission_error",
        "rate_limit_error",
        "timeout_error",
    }
)


def verdict_of_refusal(status: int, kind: str) -> Verdict:
    """The class of an answer that is no success; `kind` as the Anthropic dialect names errors.

    A redirect is the provider's state too: its address is wrong. Every other 4xx is the request.
    """
    is_request = 400 <= status < 500 and status not in _PROVIDER_STATE
    return Verdict.REJECTED if is_request and kind not in _KINDS_OF_STATE else Verdict.REFUSED


def verdict_of_error(kind: str) -> Verdict:
    """The class of an error event that came before any output."""
    is_own_fault = kind in ("invalid_request_error", "request_too_large")
    return Verdict.REJECTED if is_own_fault else Verdict.REFUSED


def has_side_effects(document: JsonObject) -> bool:
    """Whether executing a request twice may do more than cost twice.

    Remote MCP servers, code containers and tools that the provider runs act on their own.
    """
    if document.get("mcp_servers") or document.get("container"):
        return True
    return any(_runs_at_the_provider(tool) for tool in list_at(document, "tools"))


def _runs_at_the_provider(tool: object) -> bool:
    """Server tools of the Anthropic dialect have a dated type; they execute code or fetch."""
    if not isinstance(tool, dict):
        return False
    kind = text_at(tool, "type")
    return kind not in ("", "custom", "function") and not kind.startswith("web_search")


def may_go_on(verdict: Verdict, document: JsonObject) -> bool:
    """Whether the next candidate may be asked after this verdict."""
    if verdict is Verdict.UNCERTAIN:
        return not has_side_effects(document)
    return verdict in (Verdict.NOT_SENT, Verdict.REFUSED)


def is_free(verdict: Verdict) -> bool:
    """Whether the provider bills nothing for such an attempt."""
    return verdict in (Verdict.NOT_SENT, Verdict.REFUSED, Verdict.REJECTED)


@dataclass(frozen=True)
class Failure:
    """An attempt that gave no whole answer, in the words that the caller shall hear."""

    verdict: Verdict
    status: int  # that the caller gets when nothing was sent yet
    kind: str  # of the error, in the Anthropic dialect
    message: str
    headers: tuple[tuple[str, str], ...] = ()  # retry-after and its like
    body: bytes | None = None  # the provider's own words, in the caller's dialect already
    resumes: datetime | None = None  # when the provider says that it can be asked again


class AttemptFailedError(Exception):
    """Carries the Failure of one attempt."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
