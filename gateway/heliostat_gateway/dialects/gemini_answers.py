"""Answers of Gemini, whole or in a stream, read as events of the inner form.

Each event of a stream is a GenerateContentResponse of its own, so both are read the same way.
"""

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.asked import Asked
from heliostat_gateway.dialects.blocks import objects
from heliostat_gateway.dialects.citations import citations_of_gemini
from heliostat_gateway.dialects.counts import usage_of_gemini
from heliostat_gateway.dialects.events import EventWriter
from heliostat_gateway.dialects.faults import (
    MalformedAnswerError,
    StreamFaultError,
    translate_error,
)
from heliostat_gateway.dialects.reasons import stop_of_block, stop_of_gemini
from heliostat_gateway.dialects.signatures import SignedPart, ThoughtSignature
from heliostat_gateway.sse import Event
from heliostat_json.objects import (
    JsonObject,
    dump_object,
    list_at,
    object_at,
    parse_object,
    text_at,
)


class GeminiReader:
    """Reads one answer. The end is told when the provider's stream has ended."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._events = EventWriter()
        self._usage: JsonObject | None = None
        self._finish: tuple[str, str] | None = None  # reason and message
        self._feedback: JsonObject = {}
        self._calls: set[str] = set()
        self._text = ""  # all of it, for sources say places
        self._sources: list[JsonObject] = []  # as last told

    def read(self, event: Event) -> list[JsonObject]:
        """One event of a stream. Raises MalformedAnswerError and StreamFaultError."""
        response = parse_object(event.data)
        if response is None:
            raise MalformedAnswerError("The provider sent an event that is no JSON object.")
        return self.read_response(response)

    def read_whole(self, response: JsonObject) -> list[JsonObject]:
        """A whole answer."""
        return [*self.read_response(response), *self.finish()]

    def read_response(self, response: JsonObject) -> list[JsonObject]:
        """One response, whole or a part of a stream."""
        if response.get("error"):
            raise StreamFaultError(translate_error(0, response, Dialect.GEMINI))
        if usage := object_at(response, "usageMetadata"):
            self._usage = usage_of_gemini(usage)
        name = text_at(response, "responseId") or f"msg_{self._asked.turn}"
        model = self._asked.model or text_at(response, "modelVersion")
        written = self._events.start(name, model, self._usage)
        feedback = object_at(response, "promptFeedback")
        if text_at(feedback, "blockReason"):
            self._feedback = feedback
        for candidate in objects(list_at(response, "candidates"))[:1]:
            for part in objects(list_at(object_at(candidate, "content"), "parts")):
                written += self._read_part(part)
            cited = object_at(candidate, "citationMetadata")
            self._sources = objects(list_at(cited, "citationSources")) or self._sources
            if reason := text_at(candidate, "finishReason"):
                self._finish = (reason, text_at(candidate, "finishMessage"))
        return written

    def finish(self) -> list[JsonObject]:
        """The end of the message. Raises MalformedAnswerError when the answer was cut."""
        if self._feedback:
            stop = stop_of_block(self._feedback)
        elif self._finish:
            stop = stop_of_gemini(*self._finish, self._events.called)
        else:
            raise MalformedAnswerError("The provider's answer ended without a finishReason.")
        cited = self._events.cite(citations_of_gemini(self._sources, self._text))
        return [*cited, *self._events.end(stop, self._usage)]

    def _read_part(self, part: JsonObject) -> list[JsonObject]:
        signature = text_at(part, "thoughtSignature")
        if call := object_at(part, "functionCall"):
            return self._read_call(call, signature)
        if "text" not in part:
            if signature and set(part) <= {"thoughtSignature", "thought"}:
                return self._sign(SignedPart.TEXT, signature)
            kinds = ", ".join(sorted(part))
            raise MalformedAnswerError(f"The provider's answer has a part of unknown kind: {kinds}")
        if part.get("thought") is True:
            written = self._events.thinking(text_at(part, "text"))
            return [*written, *self._sign(SignedPart.THOUGHT, signature)]
        self._text += text_at(part, "text")
        written = self._events.text(text_at(part, "text"))
        return [*written, *self._sign(SignedPart.TEXT, signature)]

    def _read_call(self, call: JsonObject, signature: str) -> list[JsonObject]:
        name = text_at(call, "name")
        if not name:
            raise MalformedAnswerError("The provider called a tool without a name.")
        if self._calls and self._asked.one_call:
            return []
        position = len(self._calls)
        call_id = text_at(call, "id") or self._asked.call_id(position, name, self._calls)
        self._calls.add(call_id)
        signed = self._sign(SignedPart.CALL, signature, call_id)
        arguments = dump_object(object_at(call, "args")).decode()
        began = self._events.call(call_id, name)
        return [*signed, *began, *self._events.arguments(arguments), *self._events.close()]

    def _sign(self, part: SignedPart, signature: str, call: str = "") -> list[JsonObject]:
        if not signature:
            return []
        if part is SignedPart.TEXT:  # behind its text, never part of a thought before it
            closed = self._events.close()
            return [*closed, *self._events.sign(str(ThoughtSignature(part, signature)))]
        return self._events.sign(str(ThoughtSignature(part, signature, call)))
