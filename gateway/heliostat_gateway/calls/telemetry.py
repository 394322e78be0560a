"""Telemetry of each request once it is over: a log line, and spans where they are wanted.

All names of OpenTelemetry's conventions for generative AI are here; they still change. Nothing
here holds a word of a prompt or an answer, or a key.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.calls.provider_attempt import ProviderAttempt
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.money.bookings import Booking, Usage, sum_usages
from heliostat_gateway.providers.http import HttpProvider
from heliostat_json.objects import dump_line
from heliostat_telemetry.lines import begin_lines

_LOG = logging.getLogger(__name__)
_REQUESTS = logging.getLogger("heliostat_gateway.requests")
# Where the convention has a word of its own for a provider.
_PROVIDERS: Final = {"gemini": "gcp.gemini"}
_OPERATION: Final = "chat"
_GOOD: Final = frozenset({"answered"})
_ERRORS_FROM = 400

Attributes: TypeAlias = dict[str, str | int | float | bool]


class Report(NamedTuple):
    """One request, when its last byte is sent. A tuple, because it is made for each."""

    id: str
    request: ModelRequest
    asked_model: str
    persona: str
    outcome: str  # as in the ledger; `refused` when no provider was asked
    attempts: Sequence[ProviderAttempt]  # every attempt
    bookings: Sequence[Booking]  # what is in the ledger; none for a hit and a refusal
    cache: str  # `hit`, `miss`, `off`; empty on a route without one
    began: float  # seconds since the epoch
    began_monotonic: float
    seconds: float
    overhead_ms: float

    @property
    def cost_nanos(self) -> int:
        """What was booked."""
        return sum(booking.cost_nanos for booking in self.bookings)

    @property
    def usage(self) -> Usage:
        """Tokens of all that was booked."""
        return sum_usages([booking.usage for booking in self.bookings])


class Tracing(Protocol):
    """Takes the spans of requests."""

    def tell(self, report: Report) -> None:
        """Makes the spans of one request; never waits."""
        ...

    async def close(self) -> None:
        """Sends what is not sent yet, for a few seconds at most."""
        ...


def begin_call(request_id: str, caller: Caller) -> None:
    """From now on this task's lines name this request."""
    begin_lines(requestId=request_id, correlationId=caller.correlation, execution=caller.execution)


def write_line(line: bytes) -> None:
    """To stderr; a log that can't be written holds no request up."""
    with suppress(OSError, ValueError):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()


class Telemetry:
    """Writes the log line of each request and hands it on for spans."""

    def __init__(
        self, tracing: Tracing | None = None, write: Callable[[bytes], None] = write_line
    ) -> None:
        self._tracing = tracing
        self._write = write

    def tell(self, report: Report) -> None:
        """Tells of one request. Never raises."""
        try:
            # Past the library's records and handlers: they would cost four times the line.
            if _REQUESTS.isEnabledFor(logging.INFO):
                self._write(log_line(report))
            if self._tracing is not None:
                self._tracing.tell(report)
        except Exception:  # noqa: BLE001  the request is answered, whatever is wrong here
            _LOG.exception("request %s could not be reported", report.id)

    async def close(self) -> None:
        """Sends what is not sent yet."""
        if self._tracing is not None:
            await self._tracing.close()


def log_line(report: Report) -> bytes:
    """The line of one request, with its end."""
    request, caller, usage = report.request, report.request.caller, report.usage
    last = report.attempts[-1] if report.attempts else None
    line = {
        "time": datetime.fromtimestamp(report.began + report.seconds, UTC),
        "level": "info",
        "logger": _REQUESTS.name,
        "message": "request",
        "requestId": report.id,
        "correlationId": caller.correlation,
        "execution": caller.execution,
        "attempt": caller.attempt,
        "agent": caller.agent,
        "user": caller.user,
        "key": caller.key,
        "session": request.session,
        "dialect": request.dialect.value,
        "stream": request.is_stream,
        "askedModel": report.asked_model,
        "persona": report.persona,
        "provider": last.candidate.provider.name if last is not None else "",
        "model": last.model if last is not None else "",
        "providerRequest": _provider_request(last),
        "outcome": report.outcome,
        "attempts": [
            {
                "provider": attempt.candidate.provider.name,
                "model": attempt.candidate.target,
                "credential": attempt.candidate.credential.name,
                "verdict": attempt.judged,
                "status": attempt.answer.status if attempt.answer is not None else None,
                "seconds": round(attempt.seconds, 4),
            }
            for attempt in report.attempts
        ],
        "tokens": {
            "input": usage.input,
            "output": usage.output,
            "cacheRead": usage.cache_read,
            "cacheWrite5m": usage.cache_write_5m,
            "cacheWrite1h": usage.cache_write_1h,
            "thinking": usage.thinking,
            "webSearches": usage.web_searches,
        },
        "costNanos": report.cost_nanos,
        "estimated": any(booking.estimated for booking in report.bookings),
        "unpriced": sorted(
            {name for booking in report.bookings for name in booking.usage.terms.unpriced}
        ),
        "cache": report.cache,
        "seconds": round(report.seconds, 4),
        "overheadMs": round(report.overhead_ms, 2),
    }
    return dump_line(line) + b"\n"


def request_attributes(report: Report) -> Attributes:
    """Attributes of a request's span. Tokens are here and not at attempts: sums count them once."""
    request, caller, usage = report.request, report.request.caller, report.usage
    found: Attributes = {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.request.model": report.asked_model,
        "gen_ai.request.stream": request.is_stream,
        "gen_ai.agent.name": caller.agent,
        "gen_ai.conversation.id": request.session,
        "heliostat.request.id": report.id,
        "heliostat.correlation.id": caller.correlation,
        "heliostat.execution": caller.execution,
        "heliostat.user": caller.user,
        "heliostat.key.id": caller.key,
        "heliostat.dialect": request.dialect.value,
        "heliostat.persona": report.persona,
        "heliostat.cache": report.cache,
        "heliostat.outcome": report.outcome,
        "heliostat.attempts": len(report.attempts),
        "heliostat.cost_nanos": report.cost_nanos,
        "heliostat.estimated": any(booking.estimated for booking in report.bookings),
        "heliostat.overhead_ms": report.overhead_ms,
    }
    if report.attempts:
        last = report.attempts[-1]
        found["gen_ai.provider.name"] = _provider_word(last)
        found["gen_ai.response.model"] = last.model
        found["gen_ai.response.id"] = _provider_request(last)
    if report.bookings:
        found["gen_ai.usage.input_tokens"] = usage.total_input
        found["gen_ai.usage.output_tokens"] = usage.output
        found["gen_ai.usage.cache_read.input_tokens"] = usage.cache_read
        found["gen_ai.usage.cache_creation.input_tokens"] = (
            usage.cache_write_5m + usage.cache_write_1h
        )
        found["gen_ai.usage.reasoning.output_tokens"] = usage.thinking
    if is_error(report):
        found["error.type"] = report.outcome
    return _said(found)


def attempt_attributes(attempt: ProviderAttempt) -> Attributes:
    """Attributes of the span of one attempt at a provider."""
    found: Attributes = {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.provider.name": _provider_word(attempt),
        "gen_ai.request.model": attempt.candidate.target,
        "heliostat.verdict": attempt.judged,
        "heliostat.credential": attempt.candidate.credential.name,
    }
    provider = attempt.candidate.provider
    if isinstance(provider, HttpProvider):
        found["server.address"], found["server.port"] = _address(provider.base_url)
    status = attempt.answer.status if attempt.answer is not None else 0
    if status:
        found["http.response.status_code"] = status
    if attempt.judged not in _GOOD:
        found["error.type"] = str(status) if status >= _ERRORS_FROM else attempt.judged
    return _said(found)


def is_error(report: Report) -> bool:
    """Whether the request was not answered as it should."""
    return report.outcome not in _GOOD


def span_name(model: str) -> str:
    """The name of a span about this model."""
    return f"{_OPERATION} {model}"


def _provider_word(attempt: ProviderAttempt) -> str:
    name = attempt.candidate.provider.name
    return _PROVIDERS.get(name, name)


def _provider_request(attempt: ProviderAttempt | None) -> str:
    return attempt.answer.request_id if attempt is not None and attempt.answer is not None else ""


@lru_cache(maxsize=64)
def _address(base_url: str) -> tuple[str, int]:
    """Host and port."""
    found = urlsplit(base_url)
    return found.hostname or "", found.port or (443 if found.scheme == "https" else 80)


def _said(attributes: Attributes) -> Attributes:
    """Without empty texts."""
    return {name: value for name, value in attributes.items() if value != ""}
