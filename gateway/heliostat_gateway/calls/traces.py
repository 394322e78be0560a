"""Spans of requests, where an address is set."""

from heliostat_core.traces import SpanContext, read_header, runner_context
from heliostat_gateway.access.callers import Caller
from heliostat_gateway.calls.provider_attempt import ProviderAttempt
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.telemetry import (
    Report,
    attempt_attributes,
    is_error,
    request_attributes,
    span_name,
)
from heliostat_telemetry.spans import Span, Spans


class RequestSpans:
    """Makes spans: of a request, below its run or its caller's, and of each attempt below it."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def tell(self, report: Report) -> None:
        """Makes the spans of one request; another thread sends them."""
        span = self._spans.tell(
            Span(
                name=span_name(report.asked_model),
                kind="server",
                began=report.began,
                ended=report.began + report.seconds,
                attributes=request_attributes(report),
                failed=is_error(report),
                parent=parent_of(report.request),
            )
        )
        for attempt in report.attempts:
            self._spans.tell(_attempt(report, attempt, span))

    async def close(self) -> None:
        """Sends what is left."""
        await self._spans.close()


def parent_of(request: ModelRequest) -> SpanContext | None:
    """What a request stands below: what its caller says, or the run that its key is of. What runs
    for an agent chooses a span of its own trace, and no other trace."""
    said = read_header(
        next((value for name, value in request.headers if name == "traceparent"), "")
    )
    run = _run_of(request.caller)
    return said if said and (run is None or said.trace == run.trace) else run


def _run_of(caller: Caller) -> SpanContext | None:
    if not caller.execution:
        return None
    return runner_context(caller.correlation, caller.execution, caller.attempt)


def _attempt(report: Report, attempt: ProviderAttempt, parent: SpanContext) -> Span:
    began = report.began + attempt.began - report.began_monotonic
    attributes = attempt_attributes(attempt)
    return Span(
        name=span_name(attempt.candidate.target),
        kind="client",
        began=began,
        ended=began + attempt.seconds,
        attributes=attributes,
        failed="error.type" in attributes,
        parent=parent,
    )
