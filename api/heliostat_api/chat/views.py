"""What the chat tells its clients: conversations, messages and the parts of a message."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, JsonValue, TypeAdapter

from heliostat_api.base.views import ConversationView, View, WordsView
from heliostat_api.records.conversations import MessageState
from heliostat_api.records.schedule_views import FireView


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
