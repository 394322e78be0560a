"""A provider's answer as the caller shall see it: the same bytes, or a translation."""

import time
from typing import Protocol

from heliostat_gateway.calls.asks import Ask
from heliostat_gateway.calls.outgoing import Outgoing
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import error_event, translate_error
from heliostat_gateway.dialects.translation import stream_translation, translate_answer
from heliostat_gateway.meter import Meter
from heliostat_gateway.meter.chat import is_usage_chunk
from heliostat_gateway.sse import Event
from heliostat_json.encoding import dump_object, parse_object
from heliostat_json.objects import JsonObject


class Rendering(Protocol):
    """Writes one stream."""

    def event(self, event: Event, meter: Meter) -> list[bytes]:
        """What the caller gets for an event that the meter has just read."""
        ...

    def finish(self, rest: bytes) -> list[bytes]:
        """What the caller gets after the provider's stream ended well; `rest` is white space
        behind its last event."""
        ...


class Passing:
    """The bytes as they came; a usage chunk that only we asked for is taken out again."""

    def __init__(self, *, hides_usage: bool) -> None:
        self._hides_usage = hides_usage

    def event(self, event: Event, meter: Meter) -> list[bytes]:
        """The event itself."""
        if self._hides_usage and meter.final and is_usage_chunk(event):
            return []
        return [event.raw]

    def finish(self, rest: bytes) -> list[bytes]:
        """The rest: the provider said its last word."""
        return [rest] if rest else []


class Translating:
    """The stream in the caller's own dialect."""

    def __init__(self, ask: Ask, source: Dialect) -> None:
        self._source = source
        self._target = ask.dialect
        self._translation = stream_translation(source, ask.dialect, ask.document, int(time.time()))

    def event(self, event: Event, meter: Meter) -> list[bytes]:
        """The caller's events for one of the provider's. Raises MalformedAnswerError."""
        if meter.error is not None:
            fault = translate_error(0, parse_object(event.data), self._source)
            return [error_event(self._target, fault.kind, fault.message, "")]
        return self._translation.feed(event)

    def finish(self, rest: bytes) -> list[bytes]:  # noqa: ARG002
        """The end, as the caller's dialect says it."""
        return self._translation.finish()


def new_rendering(ask: Ask, source: Dialect, outgoing: Outgoing) -> Rendering:
    """How one stream is written for the one who asked."""
    if source is ask.dialect:
        return Passing(hides_usage=outgoing.hides_usage)
    return Translating(ask, source)


def render_whole(message: JsonObject, source: Dialect, ask: Ask) -> bytes:
    """A whole answer in the caller's dialect. Raises MalformedAnswerError."""
    now = int(time.time())
    return dump_object(translate_answer(message, source, ask.dialect, ask.document, now))
