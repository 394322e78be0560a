"""Ids of traces, computed: parts of a run that never meet still tell of one trace.

The trace follows from the correlation id, a span from what it is about. So nothing has to be
carried through a pod that runs whatever its agent wants, and nobody in it can forge a parent.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from heliostat_core.names import GROUP

TRACEPARENT_ANNOTATION: Final = f"{GROUP}/traceparent"
"""On an Execution: the span that asked for it, as the header of W3C Trace Context."""
TRACEPARENT_VARIABLE: Final = "TRACEPARENT"
_HEADER = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True)
class SpanContext:
    """A span that others may stand below."""

    trace: int
    span: int

    def to_header(self) -> str:
        """As W3C Trace Context writes it, sampled."""
        return f"00-{self.trace:032x}-{self.span:016x}-01"


def read_header(text: str) -> SpanContext | None:
    """None for what is no such header."""
    found = _HEADER.fullmatch(text)
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return SpanContext(int(found[1], 16), int(found[2], 16))


def tick_context(correlation_id: str, execution_uid: str) -> SpanContext:
    """The time of a schedule for which the run was made."""
    return SpanContext(trace_of(correlation_id), _number(f"tick/{execution_uid}", 8))


def run_context(correlation_id: str, execution_uid: str) -> SpanContext:
    """The run, from its creation to its end."""
    return SpanContext(trace_of(correlation_id), _number(f"run/{execution_uid}", 8))


def attempt_context(correlation_id: str, execution_uid: str, attempt: int) -> SpanContext:
    """One attempt: its Job and its pod."""
    return SpanContext(trace_of(correlation_id), _number(f"attempt/{execution_uid}/{attempt}", 8))


def runner_context(correlation_id: str, execution_uid: str, attempt: int) -> SpanContext:
    """What runs in the pod, below which its model calls are."""
    return SpanContext(trace_of(correlation_id), _number(f"runner/{execution_uid}/{attempt}", 8))


def queue_context(correlation_id: str, execution_uid: str) -> SpanContext:
    """The wait for the admission."""
    return SpanContext(trace_of(correlation_id), _number(f"queue/{execution_uid}", 8))


def trace_of(correlation_id: str) -> int:
    """The trace of all that has this correlation id."""
    return _number(f"trace/{correlation_id}", 16)


def _number(text: str, size: int) -> int:
    """Never 0, which means none."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size], "big") or 1
