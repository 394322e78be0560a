"""Events of the inner form, written as the stream of a chat completion."""

from heliostat_gateway.dialects.asked import Asked
from heliostat_gateway.dialects.blocks import THINKING
from heliostat_gateway.dialects.chat_completions import kept_thinking
from heliostat_gateway.dialects.citations import annotations_of
from heliostat_gateway.dialects.counts import chat_usage, latest_usage
from heliostat_gateway.dialects.reasons import finish_reason, refusal_of
from heliostat_json.objects import JsonObject, dump_object, object_at, text_at

DONE = b"data: [DONE]\n\n"


class ChunkWriter:
    """Writes one answer: the role first, then what is said, the finish, usage if asked for."""

    def __init__(self, asked: Asked, created: int) -> None:
        self._asked = asked
        self._created = created
        self._message: JsonObject = {}
        self._usage: JsonObject = {}
        self._block: JsonObject = {}  # the open one; thinking is gathered in it
        self._calls = 0
        self._silent = False  # nothing of the open call's arguments has been written
        self._thoughts = 0
        self._said = ""  # all of the text
        self._apart = False  # something other than text stood behind the last text

    def write(self, event: JsonObject) -> list[bytes]:
        """The chunks of one event. Raises MalformedAnswerError for an unknown stop reason."""
        return [dump_chunk(chunk) for chunk in self._chunks(event)]

    def finish(self) -> list[bytes]:
        """What ends the stream."""
        return [DONE]

    def _chunks(self, event: JsonObject) -> list[JsonObject]:
        kind = event["type"]
        if kind == "message_start":
            self._message = object_at(event, "message")
            self._usage = object_at(self._message, "usage")
            return [self._chunk({"role": "assistant", "content": "", "refusal": None})]
        if kind == "content_block_start":
            return self._open(dict(object_at(event, "content_block")))
        if kind == "content_block_delta":
            return self._grow(object_at(event, "delta"))
        if kind == "content_block_stop":
            return self._close()
        if kind == "message_delta":
            return self._end(event)
        return self._usage_chunk() if self._asked.wants_usage else []  # message_stop

    def _open(self, block: JsonObject) -> list[JsonObject]:
        self._block = block
        if block.get("type") == "text":
            return self._text(text_at(block, "text"))
        self._apart = True
        if block.get("type") == "tool_use":
            self._calls += 1
            written = object_at(block, "input")  # empty in a stream, but for some imitations
            arguments = dump_object(written).decode() if written else ""
            self._silent = not arguments
            function: JsonObject = {"name": block.get("name"), "arguments": arguments}
            call: JsonObject = {"id": block.get("id"), "type": "function", "function": function}
            return [self._call(call)]
        return self._reasoning(text_at(block, "thinking"))

    def _grow(self, delta: JsonObject) -> list[JsonObject]:
        kind = delta.get("type")
        if kind == "text_delta":
            return self._text(text_at(delta, "text"))
        if kind == "input_json_delta" and self._block.get("type") == "tool_use":
            return self._arguments(text_at(delta, "partial_json"))
        if kind == "thinking_delta":
            text = text_at(delta, "thinking")
            self._block["thinking"] = text_at(self._block, "thinking") + text
            return self._reasoning(text)
        if kind == "citations_delta":
            annotations = annotations_of([object_at(delta, "citation")], self._said)
            return [self._chunk({"annotations": [each]}) for each in annotations]
        if kind == "signature_delta":
            signature = text_at(self._block, "signature") + text_at(delta, "signature")
            self._block["signature"] = signature
        return []

    def _arguments(self, written: str) -> list[JsonObject]:
        if not written:
            return []
        self._silent = False
        return [self._call({"function": {"arguments": written}})]

    def _close(self) -> list[JsonObject]:
        if self._block.get("type") == "tool_use" and self._silent:
            return self._arguments("{}")  # OpenAI never leaves them empty
        if self._block.get("type") not in THINKING:
            return []
        kept = kept_thinking(self._block, self._thoughts)
        if kept is None:
            return []
        self._thoughts += 1
        return [self._chunk({"thinking_blocks": [kept]})]

    def _end(self, event: JsonObject) -> list[JsonObject]:
        self._usage = latest_usage(self._usage, object_at(event, "usage"))
        stop = object_at(event, "delta")
        if not text_at(stop, "stop_reason"):
            return []
        refusal = refusal_of(stop)
        told = [self._chunk({"refusal": refusal})] if refusal else []
        return [*told, self._chunk({}, finish_reason(stop))]

    def _text(self, text: str) -> list[JsonObject]:
        if not text:
            return []
        gap = "\n\n" if self._said and self._apart else ""
        self._said += gap + text
        self._apart = False
        return [self._chunk({"content": gap + text})]

    def _reasoning(self, text: str) -> list[JsonObject]:
        return [self._chunk({"reasoning_content": text})] if text else []

    def _call(self, call: JsonObject) -> JsonObject:
        numbered: JsonObject = {"index": self._calls - 1, **call}
        return self._chunk({"tool_calls": [numbered]})

    def _chunk(self, delta: JsonObject, finish: str | None = None) -> JsonObject:
        choice: JsonObject = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish,
        }
        chunk: JsonObject = {**self._head(), "choices": [choice]}
        if self._asked.wants_usage:
            chunk["usage"] = None  # as OpenAI does: the counts come in a chunk of their own
        return chunk

    def _usage_chunk(self) -> list[JsonObject]:
        return [{**self._head(), "choices": [], "usage": chat_usage(self._usage)}]

    def _head(self) -> JsonObject:
        return {
            "id": text_at(self._message, "id"),
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._asked.model or text_at(self._message, "model"),
        }


def dump_chunk(chunk: JsonObject) -> bytes:
    """One event of the stream."""
    return b"data: " + dump_object(chunk) + b"\n\n"
