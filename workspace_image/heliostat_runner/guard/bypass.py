"""Compares Claude Code's own events with what the hook was asked: nothing may slip by. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..jsonvalue import JsonObject, look, objects_at, text_at

_NEVER_BEGAN = "<tool_use_error>"
"""How the result of a call begins that Claude Code refused by itself: an unknown tool, an invalid
input. No hook is asked about those, and nothing is done."""


class BypassedError(Exception):
    """The hook does not guard: Claude Code is not to be started. The text says why."""


@dataclass
class StreamCheck:
    """What one process of Claude Code shows, against what it asked."""

    greeted: bool = False
    """The hook has heard of the prompt: Claude Code has loaded our settings."""
    asked: set[str] = field(default_factory=set)
    """The calls that the hook was asked about."""
    bypass: str = ""
    """What slipped by; empty while nothing did."""

    def see(self, event: JsonObject) -> None:
        kind = text_at(event, "type")
        if self.bypass:
            return
        if kind == "system" and text_at(event, "subtype") == "init" and not self.greeted:
            self.bypass = "Claude Code began without the guard's hook"
        elif kind == "user":
            for block in objects_at(event, "message", "content"):
                if text_at(block, "type") == "tool_result":
                    self._see_result(block)
        elif kind == "result":
            self._see_deferred(text_at(event, "deferred_tool_use", "id"))

    def _see_result(self, block: JsonObject) -> None:
        call = text_at(block, "tool_use_id")
        if call not in self.asked and not _never_began(block):
            self.bypass = f"the call {call} was made without the guard's hook"

    def _see_deferred(self, call: str) -> None:
        if call and call not in self.asked:
            self.bypass = f"the call {call} was deferred without the guard's hook"


def _never_began(block: JsonObject) -> bool:
    content = look(block, "content")
    texts = [text_at(each, "text") for each in objects_at(block, "content")]
    text = content if isinstance(content, str) else "".join(texts)
    return look(block, "is_error") is True and text.startswith(_NEVER_BEGAN)
