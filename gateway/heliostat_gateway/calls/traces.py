"""Spans of requests, where an address is set."""

from heliostat_core.traces import SpanContext, read_header, runner_context
from heliostat_gateway.access.callers import Caller
from heliostat_gateway.calls.asks import Ask
from heliostat_gateway.calls.parts import Part
from heliostat_gateway.calls.telemetry import (
    Report,
    attempt_attributes,
    is_error,
    request_attributes,
    span_name,
)
from heliostat_telemetry.spans import Span, Spans


class RequestSpans:
    """A span for each request, below its run or its caller's, and one below for each attempt."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def tell(self, report: Report) -> None:
        """Makes the spans of one request; another thread sends them."""
        request = self._spans.tell(
            Span(
                name=span_name(report.asked_model),
                kind="server",
                began=report.began,
                ended=report.began + report.seconds,
                attributes=request_attributes(report),
                failed=is_error(report),
                parent=parent_of(report.ask),
            )
        )
        for part in report.parts:
            self._spans.tell(_attempt(report, part, request))

    async def close(self) -> None:
        """Sends what is left."""
        await self._spans.close()


def parent_of(ask: Ask) -> SpanContext | None:
    """What a request stands below: what its caller says, or the run that its key is of. What runs
    for an agent chooses a span of its own trace, and no other trace."""
    said = read_header(next((value for name, value in ask.headers if name == "traceparent"), ""))
    run = _run_of(ask.caller)
    return said if said and (run is None or said.trace == run.trace) else run


def _run_of(caller: Caller) -> SpanContext | None:
    if not caller.execution:
        return None
    return runner_context(caller.correlation, caller.execution, caller.attempt)


def _attempt(report: Report, part: Part, request: SpanContext) -> Span:
    began = report.began + part.began - report.began_monotonic
    attributes = attempt_attributes(part)
    return Span(
        name=span_name(part.candidate.target),
        kind="client",
        began=began,
        ended=began + part.seconds,
        attributes=attributes,
        failed="error.type" in attributes,
        parent=request,
    )
