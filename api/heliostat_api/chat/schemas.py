"""The schemas of the chat: messages and their parts, and the frames of the WebSocket."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, JsonValue, StringConstraints, TypeAdapter

from heliostat_api.base.views import ConversationView, View, WordsView
from heliostat_api.records.conversations import MessageState
from heliostat_api.records.schedules import FireView
from heliostat_api.web.problems import Problem

LONGEST_TEXT: Final = 32_768
Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class StatusCode(StrEnum):
    """What a status is about. `script`: no model answers, a script does."""

    SCRIPT = "script"
    THINKING = "thinking"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    CAP_REACHED = "capReached"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class TextPart(View):
    """Text in Markdown."""

    type: Literal["text"] = "text"
    text: str


class StatusPart(View):
    """What became of the answer here, in words for people, with the remedy."""

    type: Literal["status"] = "status"
    code: StatusCode
    text: str


class ToolCallPart(View):
    """A tool that is called."""

    type: Literal["toolCall"] = "toolCall"
    id: str
    name: str
    input: Mapping[str, JsonValue]


class ResultPart(View):
    """What a tool answered. `execution` is the uid of the test run that it is about."""

    type: Literal["result"] = "result"
    call_id: str
    is_error: bool
    text: str
    execution: str | None = None


class AgentCardPart(View):
    """An agent as it was saved."""

    type: Literal["agentCard"] = "agentCard"
    agent_id: str
    revision: int
    name: str | None = None
    """What it was called then; of cards from before 2026-11-25 nobody knows."""


class SchedulePreviewPart(View):
    """What a schedule means: in words, and the next times."""

    type: Literal["schedulePreview"] = "schedulePreview"
    agent_id: str
    schedule: Mapping[str, JsonValue]
    time_zone: str
    words: WordsView
    fires: tuple[FireView, ...]


class SeriesView(View):
    """Points of a chart, each a time or label and a number."""

    name: str
    points: tuple[tuple[str, int | float], ...]


class ChartPart(View):
    """Numbers to be drawn."""

    type: Literal["chart"] = "chart"
    title: str
    unit: str
    series: tuple[SeriesView, ...]


Part: TypeAlias = Annotated[
    TextPart
    | StatusPart
    | ToolCallPart
    | ResultPart
    | AgentCardPart
    | SchedulePreviewPart
    | ChartPart,
    Field(discriminator="type"),
]
PART: Final[TypeAdapter[Part]] = TypeAdapter(Part)


class MessageView(View):
    """Something said. `costMicros` is what the model calls of an answer cost so far."""

    id: str
    role: Literal["user", "assistant"]
    state: MessageState
    parts: tuple[Part, ...]
    time: datetime
    cost_micros: int


class ConversationPage(View):
    """Newest first. `next` is the cursor of older ones; None at the end."""

    items: tuple[ConversationView, ...]
    next: str | None


class MessagePage(View):
    """The newest last. `next` is the cursor of what was said before; None at the start."""

    items: tuple[MessageView, ...]
    next: str | None


class Watch(View):
    """Follow a conversation, instead of the one before: from `cursor`, else from a snapshot."""

    type: Literal["watch"]
    conversation: Id
    cursor: Annotated[int | None, Field(ge=0, le=2**53)] = None


class Say(View):
    """Say something; `id` is the client's own, and makes saying it again harmless."""

    type: Literal["say"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    conversation: Id | None = None
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)
    ]
    time_zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "UTC"
    language: Literal["ko", "en"] = "en"
    agent: Id | None = None


class Stop(View):
    """Stop the answer that is being written."""

    type: Literal["stop"]
    conversation: Id


class Continue(View):
    """Go on with an answer that was interrupted."""

    type: Literal["continue"]
    conversation: Id
    message: Id


Command: TypeAlias = Annotated[Watch | Say | Stop | Continue, Field(discriminator="type")]
COMMAND: Final[TypeAdapter[Command]] = TypeAdapter(Command)


class Snapshot(View):
    """A conversation as it is at `cursor`: its last messages, oldest first."""

    type: Literal["conversation"] = "conversation"
    cursor: int
    conversation: ConversationView
    messages: tuple[MessageView, ...]


class MessageFrame(View):
    """A message was added, or is now this."""

    type: Literal["message"] = "message"
    message: MessageView


class PartFrame(View):
    """A part was added, or is now this. `message` is the id of its message."""

    type: Literal["part"] = "part"
    message: str
    index: int
    part: Part


class DeltaFrame(View):
    """Text was appended to the text part at `index`."""

    type: Literal["delta"] = "delta"
    message: str
    index: int
    text: str


class SayAccepted(View):
    """What was said with this id is in this conversation."""

    type: Literal["accepted"] = "accepted"
    id: str
    conversation: str


class Refused(View):
    """A command was not taken."""

    type: Literal["refused"] = "refused"
    id: str | None
    problem: Problem


Change: TypeAlias = Annotated[MessageFrame | PartFrame | DeltaFrame, Field(discriminator="type")]
CHANGE: Final[TypeAdapter[Change]] = TypeAdapter(Change)
