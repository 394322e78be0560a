"""Events of the inner form: those of a Messages stream, as objects."""

from collections.abc import Iterable
from typing import Final

from heliostat_gateway.dialects.blocks import parse_arguments
from heliostat_gateway.dialects.counts import latest_usage, zero_usage
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

# After these an answer may end in the middle of a tool call.
CUT: Final = ("max_tokens", "refusal", "model_context_window_exceeded")


class EventWriter:
    """Writes the events of one answer: blocks in order, one open at a time, each closed."""

    def __init__(self) -> None:
        self.started = False
        self.ended = False
        self.called = False  # a tool was called
        self._index = 0
        self._open = ""  # type of the open block
        self._arguments: list[str] = []

    def start(self, message_id: str, model: str, usage: JsonObject | None) -> list[JsonObject]:
        """The start of the message; `usage` as far as it is known."""
        if self.started:
            return []
        self.started = True
        message: JsonObject = {
            "id": message_id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage or zero_usage(),
        }
        return [{"type": "message_start", "message": message}]

    def text(self, text: str) -> list[JsonObject]:
        """More text."""
        if not text:
            return []
        opened = self._opened("text", {"type": "text", "text": ""})
        return [*opened, self._delta({"type": "text_delta", "text": text})]

    def thinking(self, text: str) -> list[JsonObject]:
        """More thinking."""
        if not text:
            return []
        opened = self._open_thinking()
        return [*opened, self._delta({"type": "thinking_delta", "thinking": text})]

    def sign(self, signature: str) -> list[JsonObject]:
        """The signature of the open thinking block, or of an empty one; it ends the block."""
        opened = self._open_thinking()
        delta = self._delta({"type": "signature_delta", "signature": signature})
        return [*opened, delta, *self.close()]

    def cite(self, citations: list[JsonObject]) -> list[JsonObject]:
        """The sources of the open text; after its end they stand on their own, by title."""
        if not citations:
            return []
        titles = ", ".join(text_at(each, "title") for each in citations)
        opened = [] if self._open == "text" else self.text(titles)
        deltas = [self._delta({"type": "citations_delta", "citation": each}) for each in citations]
        return [*opened, *deltas]

    def call(self, call_id: str, name: str) -> list[JsonObject]:
        """The start of a tool call."""
        self.called = True
        block: JsonObject = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        return [*self.close(), *self._opened("tool_use", block)]

    def arguments(self, written: str) -> list[JsonObject]:
        """More of the open call's arguments, as JSON text."""
        if not written:
            return []
        self._arguments.append(written)
        return [self._delta({"type": "input_json_delta", "partial_json": written})]

    def close(self, cut: bool = False) -> list[JsonObject]:
        """The end of the open block. Raises MalformedAnswerError for arguments that are no JSON.

        `cut`: the answer was, so that its last call may be half written.
        """
        if not self._open:
            return []
        if self._open == "tool_use" and not cut:
            read_arguments("".join(self._arguments))
        self._arguments.clear()
        self._open = ""
        self._index += 1
        return [{"type": "content_block_stop", "index": self._index - 1}]

    def end(self, stop: JsonObject, usage: JsonObject | None) -> list[JsonObject]:
        """The end of the message, with its final usage, once."""
        if self.ended:
            return []
        self.ended = True
        delta: JsonObject = {"stop_sequence": None, **stop}
        final: JsonObject = {
            "type": "message_delta",
            "delta": delta,
            "usage": usage or {"output_tokens": 0},
        }
        return [*self.close(stop["stop_reason"] in CUT), final, {"type": "message_stop"}]

    def _open_thinking(self) -> list[JsonObject]:
        return self._opened("thinking", {"type": "thinking", "thinking": "", "signature": ""})

    def _opened(self, kind: str, block: JsonObject) -> list[JsonObject]:
        if self._open == kind:
            return []
        closed = self.close()
        self._open = kind
        start: JsonObject = {
            "type": "content_block_start",
            "index": self._index,
            "content_block": block,
        }
        return [*closed, start]

    def _delta(self, delta: JsonObject) -> JsonObject:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}


def read_arguments(written: str) -> JsonObject:
    """Arguments of a tool call; none is an empty object. Raises MalformedAnswerError."""
    arguments = parse_arguments(written)
    if arguments is None:
        raise MalformedAnswerError("The provider wrote arguments of a tool that are no object.")
    return arguments


def fold(events: Iterable[JsonObject]) -> JsonObject:
    """The whole message that the events of one answer make."""
    message: JsonObject = {}
    blocks: list[JsonObject] = []
    written: dict[int, str] = {}
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            message = dict(object_at(event, "message"))
        elif kind == "content_block_start":
            blocks.append(dict(object_at(event, "content_block")))
        elif kind == "content_block_delta":
            index = count_at(event, "index")
            delta = object_at(event, "delta")
            _grow(blocks[index], delta)
            written[index] = written.get(index, "") + text_at(delta, "partial_json")
        elif kind == "message_delta":
            usage = latest_usage(object_at(message, "usage"), object_at(event, "usage"))
            message |= {**object_at(event, "delta"), "usage": usage}
    for index, arguments in written.items():
        if arguments:
            cut = message.get("stop_reason") in CUT
            half = parse_arguments(arguments) or {} if cut else None  # nothing of a half is said
            blocks[index]["input"] = read_arguments(arguments) if half is None else half
    return {**message, "content": [*blocks]}


def _grow(block: JsonObject, delta: JsonObject) -> None:
    if delta.get("type") == "citations_delta":
        block["citations"] = [*list_at(block, "citations"), delta["citation"]]
    for name in ("text", "thinking", "signature"):
        if name in delta:
            block[name] = text_at(block, name) + text_at(delta, name)
