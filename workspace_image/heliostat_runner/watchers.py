"""What a running program's output means: Claude Code's events, or a command's plain lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .conversation import Conversation
from .jsonvalue import JsonObject, count_at, load, text_at
from .transcript import Transcript
from .watchdog import Signs

_TAIL = 16 * 1024


class Tail:
    """The end of a text, bounded."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, line: str) -> None:
        self._text = f"{self._text}{line}\n"[-_TAIL:]

    @property
    def text(self) -> str:
        return self._text.strip("\n")


class StreamGuard(Protocol):
    """Compares the events with what the guard was asked."""

    @property
    def bypass(self) -> str: ...
    def see(self, event: JsonObject) -> None: ...


class ClaudeWatcher:
    """Feeds Claude Code's events to conversation and transcript."""

    def __init__(
        self,
        conversation: Conversation,
        transcript: Transcript,
        clock: Callable[[], float],
        guard: StreamGuard | None = None,
    ) -> None:
        self._conversation = conversation
        self._guard = guard
        self.events = 0
        """How many events came."""
        self._transcript = transcript
        self._clock = clock
        self._moved = clock()
        self._finished: float | None = None
        self.errors = Tail()

    def out(self, line: bytes) -> None:
        try:
            event = load(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._transcript.note("output", stream="stdout", text=line.decode(errors="replace"))
            return
        self.events += 1
        if self._guard is not None:
            self._guard.see(event)
        kind = text_at(event, "type")
        if kind in ("stream_event", "assistant"):
            self._transcript.piece(event)
        if kind != "stream_event":  # its pieces come again as a whole message
            self._transcript.raw(line)
        if self._conversation.see(event):
            # a provider's "come back in two minutes" is no silence
            self._moved = self._clock() + count_at(event, "retry_delay_ms") / 1000
        if kind == "result":
            self._finished = self._clock()

    def err(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if text.strip():
            self.errors.add(text)
            self._transcript.note("output", stream="stderr", text=text)

    def signs(self) -> Signs:
        return Signs(
            moved=self._moved,
            finished=self._finished,
            tool_open=bool(self._conversation.open_tools),
            tokens=self._conversation.tokens_to_limit,
            bypassed=bool(self._guard and self._guard.bypass),
        )


class CommandWatcher:
    """Every line of a command is an event; its last lines are its words."""

    def __init__(self, transcript: Transcript, clock: Callable[[], float]) -> None:
        self._transcript = transcript
        self._clock = clock
        self._moved = clock()
        self.words = Tail()
        self.everything = Tail()

    def out(self, line: bytes) -> None:
        self.words.add(line.decode(errors="replace"))
        self._take("stdout", line)

    def err(self, line: bytes) -> None:
        self._take("stderr", line)

    def _take(self, stream: str, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._moved = self._clock()
        self.everything.add(text)
        self._transcript.note("output", stream=stream, text=text)

    def signs(self) -> Signs:
        return Signs(moved=self._moved, finished=None, tool_open=False, tokens=0)
