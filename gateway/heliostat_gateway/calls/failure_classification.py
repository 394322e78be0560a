"""Classifies failures of providers: what may be asked next, what is free, what the caller hears.

Pure: retry, fallback and billing follow from the verdict.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from heliostat_gateway.breakers import Limited, Result
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import (
    MalformedAnswerError,
    ProviderFault,
    StreamFaultError,
    is_error_document,
    status_of_kind,
    translate_error,
)
from heliostat_gateway.errors import REQUEST_ID_HEADERS
from heliostat_gateway.headers import Headers, header_text
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_json.objects import JsonObject, list_at, object_at, parse_object, text_at


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
    outcome: str = ""  # of a request that no provider was asked for


class AttemptFailedError(Exception):
    """Carries the Failure of one attempt."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


# What a caller needs of an error that is written anew.
_KEPT: Final = frozenset({"retry-after", "retry-after-ms", "x-should-retry"})
# Where `retry-after` speaks of the provider, and not of the one request.
_LIMITED: Final = frozenset({429, 503, 529})
_BAD_GATEWAY: Final = 502


def judge_error(
    error: BaseException, provider: str, *, seconds: float, is_shown: bool
) -> Failure | None:
    """What an error says of the provider; None when it says nothing (the client left, ...).

    `seconds` is how long the attempt took, `is_shown` whether the caller has seen output of it.
    """
    after = Verdict.VISIBLE if is_shown else Verdict.UNCERTAIN
    match error:
        case AttemptFailedError():
            return error.failure
        case StreamFaultError():
            return judge_fault(error.fault, is_shown=is_shown)
        case ProviderError(sent=False):
            return Failure(Verdict.NOT_SENT, _BAD_GATEWAY, "api_error", str(error))
        case ProviderError() | MalformedAnswerError():
            return Failure(after, _BAD_GATEWAY, "api_error", str(error))
        case TimeoutError():
            message = f"{provider} did not go on with its answer in time ({seconds:.0f} s)."
            return Failure(after, 504, "timeout_error", message)
        case _:
            return None


def judge_fault(fault: ProviderFault, *, is_shown: bool = False) -> Failure:
    """An error that came with a good status, as the HTTP error that it stands for."""
    verdict = Verdict.VISIBLE if is_shown else verdict_of_error(fault.kind)
    return Failure(verdict, status_of_kind(fault.kind), fault.kind, fault.message)


def judge_refusal(
    answer: ProviderAnswer, body: bytes | None, source: Dialect, target: Dialect, now: datetime
) -> Failure:
    """The failure that a status other than 200 says, `body` None when it broke off.

    An error in the caller's dialect `target` passes as it came. Written anew are those of another
    dialect or shape, and a refused key, for its words may repeat a part of it.
    """
    document = parse_object(body or b"")
    fault = translate_error(answer.status, document, source)
    verdict = verdict_of_refusal(answer.status, fault.kind)
    known = dict(answer.headers)
    resumes = resumes_at(known, now, document) if answer.status in _LIMITED else None
    has_shape = source is target and is_error_document(document or {}, target)
    if has_shape and fault.kind != "authentication_error" and answer.status >= 400:
        headers = tuple(answer.headers)
        return Failure(verdict, answer.status, fault.kind, fault.message, headers, body, resumes)
    kept = [(name, value) for name, value in answer.headers if name in _KEPT]
    if resumes is not None and not {"retry-after", "retry-after-ms"} & set(known):
        kept.append(("retry-after", str(math.ceil((resumes - now).total_seconds()))))
    headers = (*kept, *id_headers(answer, target))
    status = _told_status(answer.status, fault.kind, verdict)
    return Failure(verdict, status, fault.kind, fault.message, headers, resumes=resumes)


def result_of(failure: Failure) -> Result | Limited:
    """What the breaker is told."""
    if failure.verdict is Verdict.REJECTED:
        return Result.OK
    if failure.resumes is None:
        return Result.FAILED
    return Limited(failure.resumes.timestamp(), failure.status)


def id_headers(answer: ProviderAnswer, target: Dialect, ours: str = "") -> Headers:
    """The provider's id of the request, where clients of the dialect `target` look for it.

    `ours` stands there when the provider gives none; nothing when that is empty too.
    """
    found = header_text(answer.request_id) or ours
    return [(REQUEST_ID_HEADERS[target], found)] if found else []


def _told_status(status: int, kind: str, verdict: Verdict) -> int:
    """The status that the caller gets: a redirect is none for it, a bad key no bad request."""
    if status < 400:
        return _BAD_GATEWAY
    is_misnamed = status == 400 and verdict is Verdict.REFUSED
    return status_of_kind(kind) if is_misnamed else status


_LONGEST_WAIT: Final = 40 * 24 * 3600.0  # beyond a month it is no instant but nonsense
_ANTHROPIC: Final = re.compile(r"anthropic-ratelimit-([a-z-]+)-reset")
_CHAT: Final = re.compile(r"x-ratelimit-reset-([a-z-]+)")
_SPAN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def resumes_at(
    headers: Mapping[str, str], now: datetime, document: JsonObject | None = None
) -> datetime | None:
    """The stated instant, None when nothing is stated: `retry-after-ms`, `retry-after`, the delay
    in the body of Gemini's error, else the last reset of the limits that have nothing left.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        found = _retry_after(headers.get(name, ""), scale, now)
        if found is not None:
            return found
    delay = _span(_delay(document or {}), now)
    return delay or max(_resets(headers, now), default=None)


def _retry_after(text: str, scale: float, now: datetime) -> datetime | None:
    try:
        return _soon(float(text) / scale, now)
    except ValueError:
        return _http_date(text)


def _delay(document: JsonObject) -> str:
    """`retryDelay` of google.rpc.RetryInfo."""
    details = list_at(object_at(document, "error"), "details")
    delays = (text_at(each, "retryDelay") for each in details if isinstance(each, dict))
    return next((delay for delay in delays if delay), "")


def _resets(headers: Mapping[str, str], now: datetime) -> Iterator[datetime]:
    for name, value in headers.items():
        found: datetime | None = None
        if (of := _ANTHROPIC.fullmatch(name)) and _is_spent(
            headers.get(f"anthropic-ratelimit-{of[1]}-remaining")
        ):
            found = _instant(value, now)
        elif (of := _CHAT.fullmatch(name)) and _is_spent(
            headers.get(f"x-ratelimit-remaining-{of[1]}")
        ):
            found = _span(value, now)
        if found is not None:
            yield found


def _is_spent(remaining: str | None) -> bool:
    return remaining == "0"


def _span(text: str, now: datetime) -> datetime | None:
    """`now` and a span such as 1m2.5s or 120ms."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return _soon(sum(float(number) * _UNITS[unit] for number, unit in parts), now)


def _instant(text: str, now: datetime) -> datetime | None:
    """An RFC 3339 instant within the longest wait."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    return _soon((found - now).total_seconds(), now)


def _soon(seconds: float, now: datetime) -> datetime | None:
    return now + timedelta(seconds=seconds) if 0 <= seconds < _LONGEST_WAIT else None


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
