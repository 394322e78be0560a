"""Answers of chat completions, whole or in chunks, read as events of the inner form."""

from dataclasses import dataclass

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.asked import Asked
from heliostat_gateway.dialects.blocks import objects, parse_arguments
from heliostat_gateway.dialects.citations import citations_of_chat
from heliostat_gateway.dialects.counts import usage_of_chat
from heliostat_gateway.dialects.events import CUT, EventWriter
from heliostat_gateway.dialects.faults import (
    MalformedAnswerError,
    StreamFaultError,
    translate_error,
)
from heliostat_gateway.dialects.reasoning_details import ReasoningDetails, shown_text
from heliostat_gateway.dialects.reasons import stop_of_chat
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject, list_at, object_at, parse_object, text_at

DONE = b"[DONE]"


class ChatReader:
    """Reads one answer. The end is told once usage had its chance: at `[DONE]` or at the end."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._events = EventWriter()
        self._usage: JsonObject | None = None
        self._finish = ""
        self._refusal = ""
        self._text = ""  # all of it, for annotations say places
        self._details = ReasoningDetails()
        self._calls: set[str] = set()
        self._call: _Call | None = None  # the open one
        self._held: list[_Call] = []  # those that began before the open one was whole
        self._last = -1  # index of the newest call

    def read(self, event: Event) -> list[JsonObject]:
        """One event of a stream. Raises MalformedAnswerError and StreamFaultError."""
        if event.data.strip() == DONE:
            return self.finish()
        chunk = parse_object(event.data)
        if chunk is None:
            raise MalformedAnswerError("The provider sent an event that is no JSON object.")
        return self.read_chunk(chunk)

    def read_whole(self, completion: JsonObject) -> list[JsonObject]:
        """A whole answer, read as one chunk."""
        choices: list[JsonObject] = []
        for choice in objects(list_at(completion, "choices")):
            message = object_at(choice, "message")
            calls = objects(list_at(message, "tool_calls"))
            numbered = [{**call, "index": index} for index, call in enumerate(calls)]
            delta: JsonObject = {**message, "tool_calls": [*numbered]}
            choices.append({**choice, "delta": delta})
        if not choices and "error" not in completion:
            raise MalformedAnswerError("The provider's answer has no choices.")
        return [*self.read_chunk({**completion, "choices": [*choices]}), *self.finish()]

    def read_chunk(self, chunk: JsonObject) -> list[JsonObject]:
        """One chunk. Raises MalformedAnswerError and StreamFaultError."""
        if chunk.get("error"):
            raise StreamFaultError(translate_error(0, chunk, Dialect.CHAT))
        if usage := object_at(chunk, "usage"):
            self._usage = usage_of_chat(usage)
        written: list[JsonObject] = []
        for choice in objects(list_at(chunk, "choices")):
            if choice.get("index", 0) != 0:
                continue
            model = self._asked.model or text_at(chunk, "model")
            name = text_at(chunk, "id") or f"chatcmpl-{self._asked.turn}"
            written += self._events.start(name, model, None)
            written += self._read_delta(object_at(choice, "delta"))
            self._finish = text_at(choice, "finish_reason") or self._finish
        return written

    def finish(self) -> list[JsonObject]:
        """The end of the message. Raises MalformedAnswerError when the answer was cut."""
        if not self._finish:
            raise MalformedAnswerError("The provider's answer ended without a finish_reason.")
        stop = stop_of_chat(self._finish, self._events.called, self._refusal)
        signed = self._sign()
        held = self._release(cut=stop["stop_reason"] in CUT)
        return [*signed, *held, *self._events.end(stop, self._usage)]

    def _read_delta(self, delta: JsonObject) -> list[JsonObject]:
        if self._finish and any(delta.get(name) for name in ("content", "tool_calls", "refusal")):
            raise MalformedAnswerError("The provider's answer went on after its finish_reason.")
        thought = self._read_thought(delta)
        refusal = text_at(delta, "refusal")
        content = text_at(delta, "content")
        calls = objects(list_at(delta, "tool_calls"))
        written = self._release() if thought or content or refusal else []
        written += self._events.thinking(thought)
        if content or refusal or calls:
            written += self._sign()
        self._refusal += refusal
        self._text += content
        cited = citations_of_chat(objects(list_at(delta, "annotations")), self._text)
        written += [
            *self._events.text(content),
            *self._events.cite(cited),
            *self._events.text(refusal),
        ]
        for call in calls:
            written += self._read_call(call)
        return written

    def _read_thought(self, delta: JsonObject) -> str:
        details = objects(list_at(delta, "reasoning_details"))
        self._details.add(details)
        said = text_at(delta, "reasoning_content") or text_at(delta, "reasoning")
        return said or shown_text(details)

    def _sign(self) -> list[JsonObject]:
        """OpenRouter's details so far, on the thinking before or on an empty one."""
        signature = self._details.take()
        return self._events.sign(signature) if signature else []

    def _read_call(self, call: JsonObject) -> list[JsonObject]:
        """A call, or more of it: a new index or a new id begins the next one.

        Blocks come one after the other: what comes of later calls waits until the open one is
        whole.
        """
        index = call.get("index")
        index = index if type(index) is int else self._last
        function = object_at(call, "function")
        arguments = text_at(function, "arguments")
        found = self._find(index, text_at(call, "id"))
        if found is None:
            found = self._new(index, text_at(call, "id"), text_at(function, "name"))
            self._held.append(found)
            written = self._advance()
        else:
            written = []
        found.arguments += arguments
        if found is self._call:
            written += self._events.arguments(arguments)
        return [*written, *self._advance()]

    def _find(self, index: int, call_id: str) -> "_Call | None":
        """The call that a delta belongs to; None when it begins one."""
        known = [*([self._call] if self._call else []), *self._held]
        if call_id:
            return next((each for each in known if each.id == call_id), None)
        return next((each for each in reversed(known) if each.index == index), None)

    def _new(self, index: int, call_id: str, name: str) -> "_Call":
        if not name or call_id in self._calls:
            raise MalformedAnswerError("The provider's tool calls are out of order.")
        call_id = call_id or self._asked.call_id(len(self._calls), name, self._calls)
        self._calls.add(call_id)
        self._last = max(self._last, index)
        return _Call(index, call_id, name)

    def _advance(self) -> list[JsonObject]:
        """Opens the next call as soon as there is none, or the open one is whole."""
        written: list[JsonObject] = []
        while self._held and (self._call is None or self._call.is_whole):
            written += self._open_next()
        return written

    def _open_next(self) -> list[JsonObject]:
        self._call = self._held.pop(0)
        begun = self._events.call(self._call.id, self._call.name)
        return [*begun, *self._events.arguments(self._call.arguments)]

    def _release(self, *, cut: bool = False) -> list[JsonObject]:
        """Whatever is held, in order; nothing is added to these calls any more.

        `cut`: the answer was, so that any of them may be half written.
        """
        written: list[JsonObject] = []
        while self._held:
            written += [*(self._events.close(cut=True) if cut else []), *self._open_next()]
        self._call = None
        return written


@dataclass
class _Call:
    """A tool call as far as it has come."""

    index: int
    id: str
    name: str
    arguments: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether its arguments are a complete object. None yet may still come."""
        written = self.arguments.rstrip()
        return written.endswith("}") and parse_arguments(written) is not None
