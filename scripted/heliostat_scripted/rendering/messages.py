"""Anthropic Messages: event types, their order, indices, usage."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.rendering import (
    COMPLETE,
    Omissions,
    Piece,
    Report,
    padded,
    pieces_of_text,
)
from heliostat_scripted.scenario import Compaction, UsageSpec
from heliostat_scripted.script import (
    Action,
    Script,
    Text,
    Thinking,
    ToolUse,
    shown,
    visible,
)
from heliostat_scripted.signatures import signature_of


def event(name: str, fields: JsonObject) -> bytes:
    """One server-sent event."""
    return (
        b"event: " + name.encode() + b"\ndata: " + dump_object({"type": name, **fields}) + b"\n\n"
    )


@dataclass(frozen=True)
class MessagesRendering:
    """An answer of the Messages API."""

    script: Script
    omissions: Omissions = COMPLETE

    @property
    def ping(self) -> bytes:
        """The API's own ping."""
        return b'event: ping\ndata: {"type": "ping"}\n\n'

    def start(self) -> Iterator[Piece]:
        """`message_start`, with the input's usage."""
        so_far = {"output": 1, "thinking": 0, "web_searches": 0, "compactions": (), "others": {}}
        usage = _usage(self.script.usage.model_copy(update=so_far))
        message = self._message() | {"usage": usage}
        yield Piece(event("message_start", {"message": message}), report=Report.INPUT)

    def block(self, action: Action, index: int) -> Iterator[Piece]:
        """A content block from start to stop."""
        yield Piece(
            event("content_block_start", {"index": index, "content_block": _opening(action)})
        )
        if index == 0:
            yield Piece(self.ping)
        for delta, characters in _deltas(action, self.script.pace.characters):
            fields: JsonObject = {"index": index, "delta": delta}
            yield Piece(event("content_block_delta", fields), characters)
        yield Piece(event("content_block_stop", {"index": index}))

    def end(self) -> Iterator[Piece]:
        """`message_delta` with the final usage, and `message_stop`."""
        fields: JsonObject = {
            "delta": {"stop_reason": self.script.stop_reason, "stop_sequence": None}
        }
        if self.omissions.usage:
            yield Piece(event("message_delta", fields))
        else:
            fields["usage"] = _usage(self.script.usage)
            yield Piece(event("message_delta", fields), report=Report.FINAL)
        if not self.omissions.end:
            yield Piece(event("message_stop", {}))

    def whole(self) -> Piece:
        """The message as one document."""
        document = self._message() | {
            "content": [_content(action) for action in self.script.actions if shown(action)]
        }
        if not self.omissions.end:
            document["stop_reason"] = self.script.stop_reason
        characters = visible(self.script.actions)
        if self.omissions.usage:
            return Piece(dump_object(document), characters)
        document["usage"] = _usage(self.script.usage)
        return Piece(dump_object(document), characters, Report.FINAL)

    def error_event(self, kind: str, message: str) -> bytes:
        """`event: error`."""
        return event("error", {"error": {"type": kind, "message": message}})

    def bad_json(self) -> bytes:
        """A delta that breaks off inside its JSON."""
        return b'event: content_block_delta\ndata: {"type": "content_block_delta", "ind\n\n'

    def padding(self, size: int) -> bytes:
        """A very long ping."""
        return b"event: ping\ndata: " + padded({"type": "ping"}, "padding", size) + b"\n\n"

    def _message(self) -> JsonObject:
        return {
            "id": self.script.id,
            "type": "message",
            "role": "assistant",
            "model": self.script.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }


def _deltas(action: Action, size: int) -> Iterator[tuple[JsonObject, int]]:
    """Each delta with the number of characters that it shows."""
    if isinstance(action, Text):
        for piece in pieces_of_text(action.text, size):
            yield {"type": "text_delta", "text": piece}, len(piece)
    elif isinstance(action, Thinking):
        for piece in pieces_of_text(action.text, size):
            yield {"type": "thinking_delta", "thinking": piece}, len(piece)
        yield {"type": "signature_delta", "signature": signature_of(action.text)}, 0
    elif isinstance(action, ToolUse):
        yield {"type": "input_json_delta", "partial_json": ""}, 0
        for piece in pieces_of_text(json.dumps(action.input, ensure_ascii=False), size):
            yield {"type": "input_json_delta", "partial_json": piece}, len(piece)


def _opening(action: Action) -> JsonObject:
    if isinstance(action, Thinking):
        return {"type": "thinking", "thinking": "", "signature": ""}
    if isinstance(action, ToolUse):
        return {"type": "tool_use", "id": action.id, "name": action.name, "input": {}}
    return {"type": "text", "text": ""}


def _content(action: Action) -> JsonObject:
    if isinstance(action, Thinking):
        signature = signature_of(action.text)
        return {"type": "thinking", "thinking": action.text, "signature": signature}
    if isinstance(action, ToolUse):
        return {"type": "tool_use", "id": action.id, "name": action.name, "input": action.input}
    return {"type": "text", "text": shown(action)}


def _usage(usage: UsageSpec) -> JsonObject:
    told: JsonObject = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write5m + usage.cache_write1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write5m,
            "ephemeral_1h_input_tokens": usage.cache_write1h,
        },
        "output_tokens": usage.output,
        "service_tier": usage.variant if usage.variant in ("batch", "priority") else "standard",
        "inference_geo": "us" if usage.variant == "us" else "global",
    }
    if usage.variant == "fast":
        told["speed"] = "fast"
    if usage.compactions:
        told["iterations"] = [
            *(_iteration("compaction", each) for each in usage.compactions),
            _iteration("message", usage),
        ]
    if usage.thinking:
        told["output_tokens_details"] = {"thinking_tokens": usage.thinking}
    if usage.web_searches:
        searches: JsonObject = {"web_search_requests": usage.web_searches, "web_fetch_requests": 0}
        told["server_tool_use"] = searches
    return told | usage.others


def _iteration(kind: str, usage: UsageSpec | Compaction) -> JsonObject:
    return {
        "type": kind,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write5m + usage.cache_write1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write5m,
            "ephemeral_1h_input_tokens": usage.cache_write1h,
        },
    }
