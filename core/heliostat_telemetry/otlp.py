"""Spans by OTLP over HTTP, with OpenTelemetry's own SDK: its variables hold."""

import asyncio
import os
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision

from heliostat_core.traces import SpanContext
from heliostat_telemetry.spans import Span

_NANOS: Final = 1_000_000_000
_FLUSH_SECONDS: Final = 3.0
_KINDS: Final = {
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "internal": trace.SpanKind.INTERNAL,
}
_SAMPLED: Final = trace.TraceFlags(trace.TraceFlags.SAMPLED)
_NOT_SAMPLED: Final = trace.TraceFlags(trace.TraceFlags.DEFAULT)


class _GivenIds(IdGenerator):
    """The ids that the next span has, where it has some; for one thread, that of the loop."""

    def __init__(self) -> None:
        self.given: SpanContext | None = None
        self._random = RandomIdGenerator()

    def generate_span_id(self) -> int:
        """See class."""
        return self.given.span if self.given else self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        """See class."""
        return self.given.trace if self.given else self._random.generate_trace_id()


class OtlpSpans:
    """See Spans. Another thread sends them."""

    def __init__(self, endpoint: str, service: str) -> None:
        """`endpoint` without `/v1/traces`; everything else is read from OTEL_ variables."""
        named = {} if "OTEL_SERVICE_NAME" in os.environ else {SERVICE_NAME: service}
        self._ids = _GivenIds()
        self._provider = TracerProvider(
            resource=Resource.create(named), shutdown_on_exit=False, id_generator=self._ids
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(service.replace("-", "_"))

    def tell(self, span: Span) -> SpanContext:
        """See Spans."""
        self._ids.given = span.own
        started = self._tracer.start_span(
            span.name,
            context=self._below(span.parent),
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            start_time=_nanos(span.began),
        )
        if span.failed:
            started.set_status(trace.Status(trace.StatusCode.ERROR))
        started.end(end_time=_nanos(span.ended))
        made = started.get_span_context()
        return SpanContext(made.trace_id, made.span_id)

    def _below(self, parent: SpanContext | None) -> Context:
        """An empty context too: nothing of the surrounding code's own is a parent.

        Whether a parent was sampled nobody passes on: the sampler says of the trace's id what it
        said, or will say, where the trace began.
        """
        if parent is None:
            return Context()
        root = self._provider.sampler.should_sample(Context(), parent.trace, "")
        is_sampled = root.decision is Decision.RECORD_AND_SAMPLE
        flags = _SAMPLED if is_sampled else _NOT_SAMPLED
        known = trace.SpanContext(parent.trace, parent.span, is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(trace.NonRecordingSpan(known), Context())

    async def close(self) -> None:
        """See Spans. A receiver that does not answer is not waited for."""
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
