"""The meter of one answer: reads usage from what passes by, changes nothing."""

from heliostat_gateway.sse import Event
from heliostat_gateway.usage import Usage, counted_input, read_usage, with_counted_output
from heliostat_gateway.wire import JsonObject, object_at, parse_object, text_at


class MalformedAnswerError(Exception):
    """An answer that no client could read."""


class Meter:
    """What an answer has used so far.

    `final` says that the provider's own final usage arrived, so that the bill is known exactly.
    """

    def __init__(self, request_bytes: int) -> None:
        self._counted = counted_input(request_bytes)
        self._reported: Usage | None = None
        self._characters = 0
        self.final = False
        self.stopped = False
        self.error: tuple[str, str] | None = None  # type and message of an error event

    @property
    def has_report(self) -> bool:
        """Whether the provider has said anything about usage."""
        return self._reported is not None

    def usage(self) -> Usage:
        """What the request costs if it ends now."""
        if self._reported is None:
            return with_counted_output(self._counted, self._characters)
        if self.final:
            return self._reported
        return with_counted_output(self._reported, self._characters)

    def read_message(self, body: bytes) -> None:
        """A whole answer. Raises MalformedAnswerError when it is no message with usage."""
        message = parse_object(body)
        usage = object_at(message or {}, "usage")
        if not usage:
            raise MalformedAnswerError("The provider's answer is no message with usage.")
        self._reported = read_usage(Usage(), usage)
        self.final = self.stopped = True

    def read_event(self, event: Event) -> None:
        """One event of a stream. Raises MalformedAnswerError when its data is no JSON object."""
        if not event.data:
            return
        fields = parse_object(event.data)
        if fields is None:
            raise MalformedAnswerError("The provider sent an event that is no JSON object.")
        kind = text_at(fields, "type")
        if kind == "message_start":
            self._reported = read_usage(Usage(), object_at(object_at(fields, "message"), "usage"))
        elif kind == "content_block_delta":
            self._characters += _characters(object_at(fields, "delta"))
        elif kind == "message_delta":
            self._read_delta(fields)
        elif kind == "message_stop":
            self.stopped = True
        elif kind == "error":
            error = object_at(fields, "error")
            self.error = (text_at(error, "type") or "api_error", text_at(error, "message"))

    def _read_delta(self, fields: JsonObject) -> None:
        usage = object_at(fields, "usage")
        if usage:
            self._reported = read_usage(self._reported or Usage(), usage)
            self.final = bool(text_at(object_at(fields, "delta"), "stop_reason")) or self.final


def _characters(delta: JsonObject) -> int:
    """Characters that a delta shows; a signature shows none."""
    return sum(len(text_at(delta, name)) for name in ("text", "thinking", "partial_json"))
