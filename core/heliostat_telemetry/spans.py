"""Spans as services tell them, and where they go. Free where no address is set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from heliostat_core.traces import SpanContext

Attributes: TypeAlias = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Span:
    """Something that is over. Times in seconds since the epoch."""

    name: str
    kind: Literal["server", "client", "internal"]
    began: float
    ended: float
    attributes: Attributes = field(default_factory=dict)
    failed: bool = False
    parent: SpanContext | None = None
    own: SpanContext | None = None
    """Where the ids are known beforehand; else new ones, in the trace of the parent."""


class Spans(Protocol):
    """Where spans go."""

    def tell(self, span: Span) -> SpanContext:
        """Takes one and never waits; what others may stand below."""
        ...

    async def close(self) -> None:
        """Sends what is not sent yet, for a few seconds at most."""
        ...


def open_spans(service: str, endpoint: str) -> Spans | None:
    """Sends by OTLP over HTTP where an address is set; else None, and nothing is loaded."""
    if not endpoint:
        return None
    # Imported only where it is used: half a second of a start.
    from heliostat_telemetry.otlp import OtlpSpans

    return OtlpSpans(endpoint, service)
