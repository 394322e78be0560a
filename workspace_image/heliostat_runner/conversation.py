"""What Claude Code's stream of events says so far: turns, usage, open tool calls, the final word.

Pure bookkeeping: events in, facts out. Nothing here decides how the attempt ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .jsonvalue import JsonObject, JsonValue, count_at, look, objects_at, text_at
from .result import Usage

_SYNTHETIC = "<synthetic>"
_TALKATIVE_TOOLS = frozenset({"Agent", "Task"})
"""Sub-agents: their own events come through, so their silence means the same as anybody's."""


@dataclass(frozen=True)
class Final:
    """The result event. `is_error`, `terminal_reason` and the exit code decide, never `subtype`."""

    is_error: bool
    terminal_reason: str
    stop_reason: str
    api_status: int | None
    text: str
    denied_calls: tuple[str, ...]
    """Ids of the calls that were denied."""
    deferred_call: str
    """The id of the call that waits for a decision, empty where none does."""


@dataclass
class Conversation:
    session_id: str | None = None
    final: Final | None = None
    second_attempts: int = 0
    api_error: str = ""
    """Claude Code's word for the main thread's last call, such as connection_failed; empty when
    that call went well."""
    last_words: str = ""
    turn_ids: set[str] = field(default_factory=set)
    open_tools: set[str] = field(default_factory=set)
    _usage: dict[str, Usage] = field(default_factory=dict)
    _streaming: dict[str, str] = field(default_factory=dict)
    """The message that each thread streams, by the tool call that began the thread."""
    _stop_reason: str = ""

    @property
    def turns(self) -> int:
        """Turns of the main thread; those of sub-agents are not limited by maxTurns."""
        return len(self.turn_ids)

    @property
    def usage(self) -> Usage:
        total = Usage()
        for usage in self._usage.values():
            total = total.plus(usage)
        return total

    @property
    def tokens_to_limit(self) -> int:
        """What maxTokens is compared with: nothing once the last answer is complete.

        Its tokens are spent, and ending the run between it and the result event saves none. The
        last answer of a sub-agent is not the last of the run.
        """
        return 0 if self._stop_reason == "end_turn" else self.usage.total

    def restart(self) -> None:
        """The same session goes on in a new process: nothing of the old one is open."""
        self.open_tools.clear()
        self._streaming.clear()

    def see(self, event: JsonObject) -> bool:
        """Takes one event in; True when it shows that work moves on."""
        kind = text_at(event, "type")
        if kind == "stream_event":
            return self._see_stream(event)
        if kind == "assistant":
            self._see_assistant(event)
        elif kind == "user":
            self._see_user(event)
        elif kind == "system":
            self._see_system(event)
        elif kind == "result":
            self._see_result(event)
        # tool_progress only says that time passes: a hung tool sends it, too
        return kind != "tool_progress"

    def _see_stream(self, event: JsonObject) -> bool:
        inner = look(event, "event")
        kind = text_at(inner, "type")
        thread = text_at(event, "parent_tool_use_id")
        if kind == "message_start":
            self._start_message(event, text_at(inner, "message", "id"))
            self._count(text_at(inner, "message", "id"), look(inner, "message", "usage"))
        elif kind == "message_delta":
            self._count(self._streaming.get(thread, ""), look(inner, "usage"))
            stop_reason = text_at(inner, "delta", "stop_reason")
            if stop_reason:
                self._stop_reason = self._stop_reason if thread else stop_reason
                self._streaming.pop(thread, None)
        return kind != "ping"

    def _start_message(self, event: JsonObject, message_id: str) -> None:
        thread = text_at(event, "parent_tool_use_id")
        if self._streaming.get(thread):
            self.second_attempts += 1  # the answer before was never finished, and is paid
        self._streaming[thread] = message_id
        self._turn(event, message_id)

    def _turn(self, event: JsonObject, message_id: str) -> None:
        if message_id and look(event, "parent_tool_use_id") is None:
            self.turn_ids.add(message_id)

    def _count(self, message_id: str, value: JsonValue) -> None:
        """Usage is cumulative within a message, and its input may be told once only."""
        if not message_id:
            return
        old = self._usage.get(message_id, Usage())
        self._usage[message_id] = Usage(
            max(old.input, count_at(value, "input_tokens")),
            max(old.output, count_at(value, "output_tokens")),
            max(old.cache_read, count_at(value, "cache_read_input_tokens")),
            max(old.cache_write, count_at(value, "cache_creation_input_tokens")),
        )

    def _see_assistant(self, event: JsonObject) -> None:
        texts = [text_at(block, "text") for block in objects_at(event, "message", "content")]
        is_main = look(event, "parent_tool_use_id") is None
        if text_at(event, "message", "model") == _SYNTHETIC:
            if is_main:
                self.api_error = text_at(event, "api_error") or text_at(event, "error")
            return
        message_id = text_at(event, "message", "id")
        self._turn(event, message_id)
        self._count(message_id, look(event, "message", "usage"))
        if is_main:
            self.api_error = ""
            self.last_words = "\n".join(text for text in texts if text) or self.last_words
        for block in objects_at(event, "message", "content"):
            if text_at(block, "type") == "tool_use":
                self._open_tool(block)

    def _open_tool(self, block: JsonObject) -> None:
        if text_at(block, "name") not in _TALKATIVE_TOOLS:
            self.open_tools.add(text_at(block, "id"))

    def _see_user(self, event: JsonObject) -> None:
        for block in objects_at(event, "message", "content"):
            self.open_tools.discard(text_at(block, "tool_use_id"))
        if look(event, "isSynthetic") is True and self._stop_reason not in ("", "tool_use"):
            # Claude Code asks again by itself: the answer was empty, cut off or refused
            self.second_attempts += 1
            self._stop_reason = ""

    def _see_system(self, event: JsonObject) -> None:
        subtype = text_at(event, "subtype")
        if subtype == "init":
            self.session_id = text_at(event, "session_id") or self.session_id
        elif subtype == "api_retry":
            self.second_attempts += 1
            self._streaming.pop(text_at(event, "parent_tool_use_id"), None)  # counted here already

    def _see_result(self, event: JsonObject) -> None:
        status = count_at(event, "api_error_status")
        errors = look(event, "errors")
        texts = (
            [text for text in errors if isinstance(text, str)] if isinstance(errors, list) else []
        )
        self.final = Final(
            is_error=look(event, "is_error") is not False,
            terminal_reason=text_at(event, "terminal_reason"),
            stop_reason=text_at(event, "stop_reason"),
            api_status=status or None,
            text=text_at(event, "result") or " ".join(texts),
            denied_calls=tuple(
                text_at(each, "tool_use_id") for each in objects_at(event, "permission_denials")
            ),
            deferred_call=text_at(event, "deferred_tool_use", "id"),
        )
