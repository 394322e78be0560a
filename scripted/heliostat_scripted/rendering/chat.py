"""OpenAI chat completions: chunks, deltas of tool calls, usage in a last chunk of its own."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.rendering import (
    COMPLETE,
    Omissions,
    Piece,
    Report,
    padded,
    pieces_of_text,
)
from heliostat_scripted.scenario import UsageSpec
from heliostat_scripted.script import Action, Script, Text, Thinking, ToolUse, visible

_CREATED = 1_790_000_000  # the same answer each time
_TIERS = {"flex": "flex", "priority": "priority", "fast": "priority"}
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def call_id(action: ToolUse) -> str:
    """A tool call's id as this API writes them."""
    return f"call_{action.id.removeprefix('toolu_')}"


@dataclass
class ChatRendering:
    """An answer of the chat completions API. Thinking goes into `reasoning_content`."""

    script: Script
    omissions: Omissions = COMPLETE
    include_usage: bool = False
    _calls: int = field(default=0, init=False)

    @property
    def ping(self) -> bytes:
        """The API is silent."""
        return b""

    def start(self) -> Iterator[Piece]:
        """The chunk that names the role."""
        yield Piece(self._chunk({"role": "assistant", "content": "", "refusal": None}))

    def block(self, action: Action, index: int) -> Iterator[Piece]:  # noqa: ARG002
        """The chunks of one text, thinking or tool call."""
        size = self.script.pace.characters
        if isinstance(action, Text):
            for text in pieces_of_text(action.text, size):
                yield Piece(self._chunk({"content": text}), len(text))
        elif isinstance(action, Thinking):
            for text in pieces_of_text(action.text, size):
                yield Piece(self._chunk({"reasoning_content": text}), len(text))
        elif isinstance(action, ToolUse):
            yield from self._tool_call(action, size)

    def end(self) -> Iterator[Piece]:
        """The finish reason, the usage where it was asked for, `[DONE]`."""
        told = self.include_usage and not self.omissions.usage
        # Without a usage chunk the finish reason is the end that the bill goes by.
        unasked = not self.include_usage and not self.omissions.usage
        yield Piece(
            self._chunk({}, _FINISH[self.script.stop_reason]),
            report=Report.FINAL if unasked else Report.NOTHING,
        )
        if told:
            chunk = self._document("chat.completion.chunk")
            chunk |= {"choices": [], "usage": usage_document(self.script.usage)}
            yield Piece(_data(chunk), report=Report.FINAL)
        if not self.omissions.end:
            yield Piece(b"data: [DONE]\n\n")

    def whole(self) -> Piece:
        """The completion as one document."""
        document = self._document("chat.completion")
        reason = None if self.omissions.end else _FINISH[self.script.stop_reason]
        document["choices"] = [
            {"index": 0, "message": self._message(), "logprobs": None, "finish_reason": reason}
        ]
        characters = visible(self.script.actions)
        if self.omissions.usage:
            return Piece(dump_object(document), characters)
        document["usage"] = usage_document(self.script.usage)
        return Piece(dump_object(document), characters, Report.FINAL)

    def error_event(self, kind: str, message: str) -> bytes:
        """A chunk with `error`."""
        name = "server_error" if kind in ("api_error", "overloaded_error") else kind
        return _data({"error": {"message": message, "type": name, "param": None, "code": None}})

    def bad_json(self) -> bytes:
        """A chunk that breaks off inside its JSON."""
        return b'data: {"id":"chatcmpl-x","object":"chat.completion.chunk","choi\n\n'

    def padding(self, size: int) -> bytes:
        """A chunk with a very long `obfuscation`, a field that the API knows."""
        chunk = self._document("chat.completion.chunk") | {"choices": []}
        return b"data: " + padded(chunk, "obfuscation", size) + b"\n\n"

    def _tool_call(self, action: ToolUse, size: int) -> Iterator[Piece]:
        index, self._calls = self._calls, self._calls + 1
        opening: JsonObject = {
            "index": index,
            "id": call_id(action),
            "type": "function",
            "function": {"name": action.name, "arguments": ""},
        }
        yield Piece(self._chunk({"tool_calls": [opening]}))
        for text in pieces_of_text(json.dumps(action.input, ensure_ascii=False), size):
            more: JsonObject = {"index": index, "function": {"arguments": text}}
            yield Piece(self._chunk({"tool_calls": [more]}), len(text))

    def _message(self) -> JsonObject:
        texts = [action.text for action in self.script.actions if isinstance(action, Text)]
        thoughts = [action.text for action in self.script.actions if isinstance(action, Thinking)]
        calls = [action for action in self.script.actions if isinstance(action, ToolUse)]
        message: JsonObject = {
            "role": "assistant",
            "content": "".join(texts) if texts or not calls else None,
            "refusal": None,
            "annotations": [],
        }
        if thoughts:
            message["reasoning_content"] = "".join(thoughts)
        if calls:
            message["tool_calls"] = [_whole_call(call) for call in calls]
        return message

    def _chunk(self, delta: JsonObject, finish: str | None = None) -> bytes:
        chunk = self._document("chat.completion.chunk")
        chunk["choices"] = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        if self.include_usage:
            chunk["usage"] = None
        return _data(chunk)

    def _document(self, kind: str) -> JsonObject:
        digest = hashlib.sha256(self.script.id.encode()).hexdigest()
        return {
            "id": f"chatcmpl-{self.script.id.removeprefix('msg_')}",
            "object": kind,
            "created": _CREATED,
            "model": self.script.model,
            "service_tier": _TIERS.get(self.script.usage.variant or "", "default"),
            "system_fingerprint": f"fp_{digest[:10]}",
        }


def usage_document(usage: UsageSpec) -> JsonObject:
    """Usage in this API's words: the prompt includes the cached, the completion the thinking."""
    prompt = usage.input + usage.cache_read + usage.cache_write5m + usage.cache_write1h
    details: JsonObject = {"cached_tokens": usage.cache_read, "audio_tokens": usage.input_audio}
    if usage.cache_write5m:
        details["cache_write_tokens"] = usage.cache_write5m
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {
            "reasoning_tokens": usage.thinking,
            "audio_tokens": usage.output_audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        **usage.others,
    }


def _whole_call(call: ToolUse) -> JsonObject:
    arguments = json.dumps(call.input, ensure_ascii=False)
    function: JsonObject = {"name": call.name, "arguments": arguments}
    return {"id": call_id(call), "type": "function", "function": function}


def _data(document: JsonObject) -> bytes:
    return b"data: " + dump_object(document) + b"\n\n"
