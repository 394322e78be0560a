"""Spans by OTLP over HTTP. Imported only where an address is set: it takes a part of the start."""

import asyncio
import os
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from heliostat_gateway.telemetry import (
    Report,
    attempt_attributes,
    is_error,
    request_attributes,
    span_name,
)

_NANOS: Final = 1_000_000_000
_FLUSH_SECONDS: Final = 3.0


class OtlpTracing:
    """A span for each request, under the caller's own, and one below it for each attempt."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` without `/v1/traces`; everything else is read from OTEL_ variables."""
        named = {} if "OTEL_SERVICE_NAME" in os.environ else {SERVICE_NAME: "heliostat-gateway"}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("heliostat_gateway")
        self._propagator = TraceContextTextMapPropagator()

    def tell(self, report: Report) -> None:
        """Makes the spans of one request; another thread sends them."""
        span = self._tracer.start_span(
            span_name(report.asked_model),
            context=self._propagator.extract(dict(report.ask.headers)),
            kind=SpanKind.SERVER,
            attributes=request_attributes(report),
            start_time=_nanos(report.began),
        )
        below = set_span_in_context(span)
        for part in report.parts:
            began = report.began + part.began - report.began_monotonic
            attributes = attempt_attributes(part)
            attempt = self._tracer.start_span(
                span_name(part.candidate.target),
                context=below,
                kind=SpanKind.CLIENT,
                attributes=attributes,
                start_time=_nanos(began),
            )
            if "error.type" in attributes:
                attempt.set_status(Status(StatusCode.ERROR))
            attempt.end(end_time=_nanos(began + part.seconds))
        if is_error(report):
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_time=_nanos(report.began + report.seconds))

    async def close(self) -> None:
        """Sends what is left; a receiver that does not answer is not waited for."""
        flushing = asyncio.to_thread(
            self._provider.force_flush, timeout_millis=round(_FLUSH_SECONDS * 1000)
        )
        try:
            async with asyncio.timeout(_FLUSH_SECONDS):
                await flushing
        except TimeoutError:
            return
        await asyncio.to_thread(self._provider.shutdown)


def _nanos(seconds: float) -> int:
    return round(seconds * _NANOS)
