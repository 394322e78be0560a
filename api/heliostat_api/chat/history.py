"""What the model is told of a conversation, from its messages. Pure.

Nothing else is kept for the model: the parts that people see are what it said and was told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from heliostat_api.chat.journal import is_answer, view_part
from heliostat_api.chat.models import Block, Text, ToolResult, ToolUse, Turn
from heliostat_api.chat.views import (
    Part,
    ResultPart,
    StatusCode,
    StatusPart,
    TextPart,
    ToolCallPart,
)
from heliostat_api.documents.reading import text_in
from heliostat_api.records.conversations import MessageRecord

MOST_CHARACTERS: Final = 300_000
"""Of a conversation, in all that the model is told; what is older is left out."""
_BROKEN_OFF: Final = frozenset({StatusCode.INTERRUPTED, StatusCode.STOPPED})
_GO_ON: Final = (
    "<system-reminder>Your answer broke off here ({code}). What you said so far was shown. Go on "
    "from there without repeating it, unless the person asks for something else.</system-reminder>"
)
_NO_RESULT: Final = "Broken off: nobody knows whether it was done. Look before you do it again."
_NOTHING: Final = "(nothing)"


@dataclass
class _Talk:
    """Turns as they come together: two of one side are one."""

    turns: list[tuple[Literal["user", "assistant"], list[Block]]] = field(default_factory=list)
    open_calls: list[str] = field(default_factory=list)

    def add(self, role: Literal["user", "assistant"], block: Block) -> None:
        if not self.turns or self.turns[-1][0] != role:
            self.turns.append((role, []))
        self.turns[-1][1].append(block)

    def say(self, part: Part) -> None:
        """A part of an answer."""
        match part:
            case ResultPart(call_id=call, text=text, is_error=is_error) if call in self.open_calls:
                self.open_calls.remove(call)
                self.add("user", ToolResult(call, text or _NOTHING, is_error))
            case ToolCallPart(id=id_, name=name, input=given):
                self.begin()
                self.open_calls.append(id_)
                self.add("assistant", ToolUse(id_, name, given))
            case TextPart(text=text) if text.strip():
                self.begin()
                self.add("assistant", Text(text.rstrip()))
            case StatusPart(code=code) if code in _BROKEN_OFF:
                self.settle()
                self.add("user", Text(_GO_ON.format(code=code.value)))

    def begin(self) -> None:
        """What is said after results is another answer of the model; beside its calls it is not."""
        if self.turns and self.turns[-1][0] == "user":
            self.settle()

    def settle(self) -> None:
        """Every call has a result, before anything else is said."""
        for call in self.open_calls:
            self.add("user", ToolResult(call, _NO_RESULT, is_error=True))
        self.open_calls.clear()


def turns_of(messages: Iterable[MessageRecord]) -> tuple[Turn, ...]:
    """The conversation, oldest first, as far as there is room; a person begins it."""
    talk = _Talk()
    for message in messages:
        talk.settle()
        if is_answer(message):
            for each in message.parts:
                talk.say(view_part(each))
        else:
            for block in _said(message):
                talk.add("user", block)
    talk.settle()
    return tuple(Turn(role, tuple(blocks)) for role, blocks in talk.turns)


def newest(messages: Sequence[MessageRecord]) -> tuple[MessageRecord, ...]:
    """The newest of them that there is room for, from something that a person said on."""
    room = MOST_CHARACTERS
    first = len(messages)
    for index in range(len(messages) - 1, -1, -1):
        room -= len(str(messages[index].parts))
        if room < 0 and first < len(messages):
            break
        if not is_answer(messages[index]):
            first = index
    return tuple(messages[first:])


def _said(message: MessageRecord) -> Iterator[Block]:
    """What a person said, and when."""
    for each in message.parts:
        if text := text_in(each, "text"):
            yield Text(text)
    zone = text_in(message.context, "timeZone")
    if message.timestamp is not None and zone:
        yield Text(f"<system-reminder>{_when(message.timestamp)}</system-reminder>")


def _when(instant: datetime) -> str:
    return f"Said at {instant.isoformat(timespec='seconds')}."
