"""The span of a request for a run is the first of the run's trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import randbits

from heliostat_core.traces import TRACEPARENT_ANNOTATION, SpanContext, trace_of
from heliostat_telemetry.spans import Span, Spans


@dataclass(frozen=True)
class Trigger:
    """A run that is being asked for."""

    began: float
    context: SpanContext | None
    """None where nobody listens."""

    @property
    def annotations(self) -> Mapping[str, str]:
        """What the Execution says of it."""
        if self.context is None:
            return {}
        return {TRACEPARENT_ANNOTATION: self.context.to_header()}


@dataclass(frozen=True)
class TriggerSpans:
    """Writes the spans of runs that were asked for; does nothing without an exporter."""

    clock: Callable[[], datetime]
    spans: Spans | None = None

    def begin(self, correlation_id: str) -> Trigger:
        """Before the run is made."""
        began = self.clock().timestamp()
        if self.spans is None:
            return Trigger(began, None)
        return Trigger(began, SpanContext(trace_of(correlation_id), randbits(63) + 1))

    def end(self, trigger: Trigger, agent: str, correlation_id: str, uid: str) -> None:
        """When it is made."""
        if self.spans is None:
            return
        self.spans.tell(
            Span(
                name=f"ask for a run of {agent}",
                kind="server",
                began=trigger.began,
                ended=self.clock().timestamp(),
                attributes={"heliostat.correlation.id": correlation_id, "heliostat.execution": uid},
                own=trigger.context,
            )
        )
