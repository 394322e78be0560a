"""What an attempt that failed says of its provider: class, words for the caller, rest. Pure."""

import math
from datetime import datetime
from typing import Final

from heliostat_gateway.breakers import Limited, Result
from heliostat_gateway.calls.resumptions import resumes_at
from heliostat_gateway.calls.verdicts import (
    AttemptFailedError,
    Failure,
    Verdict,
    verdict_of_error,
    verdict_of_refusal,
)
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
from heliostat_json.encoding import parse_object

# What a caller needs of an error that is written anew.
_KEPT: Final = frozenset({"retry-after", "retry-after-ms", "x-should-retry"})
# Where `retry-after` speaks of the provider, and not of the one request.
_LIMITED: Final = frozenset({429, 503, 529})
_BAD_GATEWAY: Final = 502


def judge_error(
    error: BaseException | None, provider: str, *, seconds: float, is_shown: bool
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
    return Result.FAILED if failure.resumes is None else Limited(failure.resumes.timestamp())


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
