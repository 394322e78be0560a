"""Answers of Messages, whole or in a stream: they are the inner form, once their order is seen."""

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import (
    MalformedAnswerError,
    StreamFaultError,
    translate_error,
)
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject, object_at, parse_object, text_at


class MessagesReader:
    """Reads one stream, and sees that its events come in order."""

    def __init__(self) -> None:
        self._started = False
        self._stopped = False
        self._reasoned = False
        self._next = 0
        self._open = False

    def read(self, event: Event) -> list[JsonObject]:
        """One event of a stream. Raises MalformedAnswerError and StreamFaultError."""
        fields = parse_object(event.data)
        if fields is None:
            raise MalformedAnswerError("The provider sent an event that is no JSON object.")
        kind = text_at(fields, "type")
        if kind == "error":
            raise StreamFaultError(translate_error(0, fields, Dialect.MESSAGES))
        if kind == "message_start":
            self._expect(not self._started, kind)
            self._started = True
            return [fields]
        if kind == "message_delta":
            self._expect(self._started and not self._open, kind)
            self._reasoned |= bool(text_at(object_at(fields, "delta"), "stop_reason"))
            return [fields]
        if kind == "message_stop":
            self._expect(self._reasoned and not self._stopped, kind)
            self._stopped = True
            return [fields]
        return self._read_block(kind, fields)

    def finish(self) -> list[JsonObject]:
        """Raises MalformedAnswerError when the answer was cut."""
        self._expect(self._stopped, "the end of the stream")
        return []

    def _read_block(self, kind: str, fields: JsonObject) -> list[JsonObject]:
        if kind not in ("content_block_start", "content_block_delta", "content_block_stop"):
            return []  # pings, and what is new
        opens = kind == "content_block_start"
        self._expect(self._started and not self._reasoned and self._open != opens, kind)
        self._expect(fields.get("index") == self._next, kind)
        self._open = kind != "content_block_stop"
        self._next += not self._open
        return [fields]

    def _expect(self, right: bool, kind: str) -> None:
        if not right:
            raise MalformedAnswerError(f"The provider's stream is out of order: {kind}.")


def check_message(message: JsonObject) -> JsonObject:
    """A whole answer. Raises MalformedAnswerError when it is no message."""
    if not isinstance(message.get("content"), list) or not text_at(message, "stop_reason"):
        raise MalformedAnswerError("The provider's answer is no message.")
    return message
