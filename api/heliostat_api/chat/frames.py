"""Frames of the WebSocket: what a client may send, and what it is sent."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, StringConstraints, TypeAdapter

from heliostat_api.base.views import ConversationView, View
from heliostat_api.chat.views import MessageView, Part
from heliostat_api.web.problems import Problem

LONGEST_TEXT: Final = 32_768
Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]


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


class Accepted(View):
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
