"""The port of the model: what the chat asks, and what it hears. No network here."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from pydantic import JsonValue

from heliostat_api.chat.schemas import StatusCode


@dataclass(frozen=True)
class Tool:
    """A tool as the model is told of it."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True)
class Text:
    """Something said."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """A tool that the model called."""

    id: str
    name: str
    input: Mapping[str, JsonValue]


@dataclass(frozen=True)
class ToolResult:
    """What the tool answered."""

    call: str
    text: str
    is_error: bool


Block: TypeAlias = Text | ToolUse | ToolResult


@dataclass(frozen=True)
class Turn:
    """What one side said without a break."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Request:
    """One model call."""

    model: str
    system: str
    tools: Sequence[Tool]
    turns: Sequence[Turn]
    conversation: str
    max_tokens: int = 8192


@dataclass(frozen=True)
class Opened:
    """The answer begins. `request` is the gateway's id of the call."""

    request: str
    provider: str


@dataclass(frozen=True)
class TextBegins:
    """A new text."""


@dataclass(frozen=True)
class TextMore:
    """More of the text that began last."""

    text: str


@dataclass(frozen=True)
class Called:
    """The model calls a tool. `problem`: why its input can't be read."""

    use: ToolUse
    problem: str = ""


@dataclass(frozen=True)
class Ended:
    """The answer is complete."""

    reason: str


Event: TypeAlias = Opened | TextBegins | TextMore | Called | Ended


@dataclass
class ModelError(Exception):
    """No answer, or no whole one. `said` is the gateway's word."""

    code: StatusCode
    said: str
    request: str = field(default="")

    def __str__(self) -> str:
        return self.said


class ChatModel(Protocol):
    """Models through the gateway, on a person's key."""

    def ask(self, key: str, request: Request) -> AsyncGenerator[Event, None]:
        """One call. Raises ModelError. Closing the iterator ends the call at once."""

    async def cost_nanos(self, key: str, request: str) -> int | None:
        """What a call cost, as soon as that is settled; None while it can't be known."""

    async def names(self, key: str) -> tuple[str, ...]:
        """Models that this key may ask for. Raises ModelError."""

    async def warm(self) -> None:
        """Somebody will ask soon."""

    async def close(self) -> None:
        """Gives the connections back."""
