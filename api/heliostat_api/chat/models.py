"""The port of the model: the requests of the chat, and the events of an answer. Pure."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from pydantic import JsonValue

from heliostat_api.chat.schemas import StatusCode


@dataclass(frozen=True)
class Tool:
    """A tool that the model is offered."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True)
class TextBlock:
    """A text in a turn."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool by the model."""

    id: str
    name: str
    input: Mapping[str, JsonValue]


@dataclass(frozen=True)
class ToolResultBlock:
    """The result of a tool, as the model gets it."""

    call: str
    text: str
    is_error: bool


Block: TypeAlias = TextBlock | ToolUse | ToolResultBlock


@dataclass(frozen=True)
class Turn:
    """The blocks of one side between two of the other."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Request:
    """The request of one model call."""

    model: str
    system: str
    tools: Sequence[Tool]
    turns: Sequence[Turn]
    conversation: str
    max_tokens: int = 8192


@dataclass(frozen=True)
class CallOpened:
    """The event begins an answer. `request` is the gateway's id of the call."""

    request: str
    provider: str


@dataclass(frozen=True)
class TextBegins:
    """The event begins a text."""


@dataclass(frozen=True)
class TextMore:
    """The event continues the text that began last."""

    text: str


@dataclass(frozen=True)
class Called:
    """The event calls a tool. `problem` says why its input can't be read."""

    use: ToolUse
    problem: str = ""


@dataclass(frozen=True)
class Ended:
    """The event completes the answer."""

    reason: str


Event: TypeAlias = CallOpened | TextBegins | TextMore | Called | Ended


@dataclass
class ModelError(Exception):
    """The model gave no answer, or no whole one. `said` is the gateway's message."""

    code: StatusCode
    said: str
    request: str = field(default="")

    def __str__(self) -> str:
        return self.said


class ChatModel(Protocol):
    """Calls models through the gateway, on a person's key."""

    def ask(self, key: str, request: Request) -> AsyncGenerator[Event, None]:
        """Makes one call. Raises ModelError. Closing the iterator ends the call at once."""

    async def cost_nanos(self, key: str, request: str) -> int | None:
        """Returns what a call cost, once that is settled; None while it can't be known."""

    async def names(self, key: str) -> tuple[str, ...]:
        """Returns the models that this key may ask for. Raises ModelError."""

    async def warm(self) -> None:
        """Loads what the first call needs."""

    async def close(self) -> None:
        """Closes the connections."""
