"""Pieces of an answer while it comes: for screens only, never in the transcript.

The whole message follows in the transcript, so a piece may be lost without a word: when the api is
away, or when more comes than is taken.
"""

from __future__ import annotations

from .jsonvalue import JsonObject, JsonValue, count_at, dump, look, text_at

MOST_BYTES = 48 * 1024
"""What waits at most; a longer answer is then seen only when it is whole."""

_GROWING = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class Pieces:
    """What is to be told next, with neighbouring pieces of one block as one."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._waiting: list[JsonObject] = []
        self._bytes = 0
        self._is_lost = False
        self._held: tuple[JsonObject, str] | None = None
        """The end of a text that may be the beginning of the secret."""

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def hear(self, event: JsonObject) -> None:
        """An event of Claude Code; whatever is no piece of an answer ends the blocks so far."""
        if text_at(event, "type") != "stream_event":
            self._waiting = [each for each in self._waiting if not _is_of_block(each)]
            self._held = None
            return
        kind = text_at(event, "event", "type")
        if kind == "message_start":
            self._is_lost = False
        if self._is_lost:
            return
        if kind == "content_block_delta":
            self._grow(event)
        elif (piece := _trimmed(event, kind)) is not None:
            self._add(_wrapped(event, piece))

    def take(self) -> bytes | None:
        """All that waits, as JSON; None when nothing does."""
        if not self._waiting:
            return None
        events: list[JsonValue] = [*self._waiting]
        self._waiting, self._bytes = [], 0
        body: JsonObject = {"events": events}
        return dump(body).encode(errors="replace")

    def _grow(self, event: JsonObject) -> None:
        field = _GROWING.get(text_at(event, "event", "delta", "type"))
        if field is None:
            return
        text = self._released(event, field)
        if not text:
            return
        before = self._waiting[-1] if self._waiting else None
        if before is not None and _is_same_block(before, event, field):
            self._waiting.pop()
            text = text_at(before, "event", "delta", field) + text
            self._bytes -= len(dump(before))
        self._add(_delta(event, field, text))

    def _released(self, event: JsonObject, field: str) -> str:
        """Text without the secret, also where that comes in two pieces."""
        text = text_at(event, "event", "delta", field)
        if self._held is not None and _is_same_block(self._held[0], event, field):
            text = self._held[1] + text
        text = text.replace(self._secret, "[execution key]") if self._secret else text
        cut = len(text) - _beginning_of(self._secret, text)
        self._held = (_delta(event, field, ""), text[cut:])
        return text[:cut]

    def _add(self, piece: JsonObject) -> None:
        self._waiting.append(piece)
        self._bytes += len(dump(piece))
        if self._bytes > MOST_BYTES:
            self._waiting, self._bytes, self._is_lost = [], 0, True


def _delta(event: JsonObject, field: str, text: str) -> JsonObject:
    delta: JsonObject = {"type": text_at(event, "event", "delta", "type"), field: text}
    index = count_at(event, "event", "index")
    return _wrapped(event, {"type": "content_block_delta", "index": index, "delta": delta})


def _wrapped(event: JsonObject, piece: JsonObject) -> JsonObject:
    parent = look(event, "parent_tool_use_id")
    return {"type": "stream_event", "event": piece, "parent_tool_use_id": parent}


def _trimmed(event: JsonObject, kind: str) -> JsonObject | None:
    """What a screen needs of it."""
    inner = look(event, "event")
    if kind == "message_start":
        return {"type": kind, "message": {"id": text_at(inner, "message", "id")}}
    if kind == "content_block_start":
        block = look(inner, "content_block")
        kept: JsonObject = {name: text_at(block, name) for name in ("type", "id", "name")}
        return {"type": kind, "index": count_at(inner, "index"), "content_block": kept}
    return {"type": kind} if kind == "message_stop" else None


def _is_of_block(piece: JsonObject) -> bool:
    return text_at(piece, "event", "type").startswith("content_block")


def _is_same_block(piece: JsonObject, event: JsonObject, field: str) -> bool:
    return (
        isinstance(look(piece, "event", "delta", field), str)
        and count_at(piece, "event", "index") == count_at(event, "event", "index")
        and look(piece, "parent_tool_use_id") == look(event, "parent_tool_use_id")
    )


def _beginning_of(secret: str, text: str) -> int:
    """How many characters at the end of the text may be the beginning of the secret."""
    longest = min(len(secret) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if text.endswith(secret[:n])), 0)
