"""Builds the turns that the model gets from the messages of a conversation. Pure.

Nothing else is kept for the model: the parts that people see are what it said and was told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from heliostat_api.chat.message_events import is_answer, view_part
from heliostat_api.chat.models import Block, TextBlock, ToolResultBlock, ToolUse, Turn
from heliostat_api.chat.schemas import (
    Part,
    ResultPart,
    StatusCode,
    StatusPart,
    TextPart,
    ToolCallPart,
)
from heliostat_api.documents.values import text_in
from heliostat_api.records.conversations import MessageRecord

MOST_CHARACTERS: Final = 300_000
"""The model gets at most that much of a conversation; what is older is left out."""
_BROKEN_OFF: Final = frozenset({StatusCode.INTERRUPTED, StatusCode.STOPPED})
_GO_ON: Final = (
    "<system-reminder>Your answer broke off here ({code}). What you said so far was shown. Go on "
    "from there without repeating it, unless the person asks for something else.</system-reminder>"
)
_NO_RESULT: Final = "Broken off: nobody knows whether it was done. Look before you do it again."
_NOTHING: Final = "(nothing)"


@dataclass
class _TurnBuilder:
    """Collects turns: two of one side become one."""

    turns: list[tuple[Literal["user", "assistant"], list[Block]]] = field(default_factory=list)
    open_calls: list[str] = field(default_factory=list)

    def add(self, role: Literal["user", "assistant"], block: Block) -> None:
        if not self.turns or self.turns[-1][0] != role:
            self.turns.append((role, []))
        self.turns[-1][1].append(block)

    def add_part(self, part: Part) -> None:
        """Adds a part of an answer."""
        match part:
            case ResultPart(call_id=call, text=text, is_error=is_error) if call in self.open_calls:
                self.open_calls.remove(call)
                self.add("user", ToolResultBlock(call, text or _NOTHING, is_error))
            case ToolCallPart(id=id_, name=name, input=given):
                self.begin()
                self.open_calls.append(id_)
                self.add("assistant", ToolUse(id_, name, given))
            case TextPart(text=text) if text.strip():
                self.begin()
                self.add("assistant", TextBlock(text.rstrip()))
            case StatusPart(code=code) if code in _BROKEN_OFF:
                self.settle()
                self.add("user", TextBlock(_GO_ON.format(code=code.value)))

    def begin(self) -> None:
        """Begins another answer of the model after results; text beside its calls begins none."""
        if self.turns and self.turns[-1][0] == "user":
            self.settle()

    def settle(self) -> None:
        """Gives every call a result, before anything else is added."""
        for call in self.open_calls:
            self.add("user", ToolResultBlock(call, _NO_RESULT, is_error=True))
        self.open_calls.clear()


def turns_of(messages: Iterable[MessageRecord]) -> tuple[Turn, ...]:
    """Builds the turns of the messages, oldest first."""
    builder = _TurnBuilder()
    for message in messages:
        builder.settle()
        if is_answer(message):
            for each in message.parts:
                builder.add_part(view_part(each))
        else:
            for block in _said(message):
                builder.add("user", block)
    builder.settle()
    return tuple(Turn(role, tuple(blocks)) for role, blocks in builder.turns)


def newest(messages: Sequence[MessageRecord]) -> tuple[MessageRecord, ...]:
    """Returns the newest messages that there is room for, from one of the person on."""
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
    """Yields what a person said, and when."""
    for each in message.parts:
        if text := text_in(each, "text"):
            yield TextBlock(text)
    zone = text_in(message.context, "timeZone")
    if message.timestamp is not None and zone:
        yield TextBlock(f"<system-reminder>{_when(message.timestamp)}</system-reminder>")


def _when(instant: datetime) -> str:
    return f"Said at {instant.isoformat(timespec='seconds')}."
