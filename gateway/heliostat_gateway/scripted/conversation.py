"""What a scenario can see of a request: everything is derived from the request's own messages.

So a resumed session goes on where it was, and any number of replicas answer alike.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue

from heliostat_gateway.wire import JsonObject, list_at, object_at, text_at

_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)
_INTERRUPTED = "No response requested."
_WORKING_DIRECTORY = re.compile(r"[Ww]orking directory: *(\S+)")


@dataclass(frozen=True)
class Conversation:
    """A request as a scenario sees it."""

    model: str
    system: str
    prompt: str  # text of the first user message, reminders of the client taken out
    said: str  # text of the last user message that has any
    result: str  # text of the tool results in the last message; empty when there are none
    result_error: bool
    last_tool: str  # name of the tool that was called last; empty before the first call
    turn: int  # answers already given
    offers: frozenset[str]  # names of the tools
    schema: JsonObject  # of structured output; empty when none is asked for
    stream: bool
    characters: int  # of the whole request, for turns that state no usage

    @property
    def cwd(self) -> str:
        """The working folder that the client names in its system text, else a dot."""
        found = _WORKING_DIRECTORY.search(self.system)
        return found.group(1) if found else "."


def read_conversation(request: JsonObject, characters: int) -> Conversation:
    """What a scenario can see of a Messages request of `characters` characters."""
    messages = [message for message in list_at(request, "messages") if isinstance(message, dict)]
    system = [_text(request.get("system"))]
    system += [_text(m.get("content")) for m in messages if m.get("role") == "system"]
    spoken = [message for message in messages if message.get("role") != "system"]
    users = [_said(m) for m in spoken if m.get("role") == "user"]
    results = list(_blocks(spoken[-1], "tool_result")) if spoken else []
    calls = [block for m in spoken for block in _blocks(m, "tool_use")]
    return Conversation(
        model=text_at(request, "model"),
        system="\n".join(system),
        prompt=users[0] if users else "",
        said=next((text for text in reversed(users) if text), ""),
        result="\n".join(_text(block.get("content")) for block in results),
        result_error=any(block.get("is_error") is True for block in results),
        last_tool=text_at(calls[-1], "name") if calls else "",
        turn=_turns(spoken),
        offers=frozenset(
            text_at(tool, "name") for tool in list_at(request, "tools") if isinstance(tool, dict)
        ),
        schema=_schema(request),
        stream=request.get("stream") is True,
        characters=characters,
    )


def _turns(spoken: list[JsonObject]) -> int:
    """Runs of assistant messages: a client may split one answer into several messages."""
    given = [message for message in spoken if not _is_the_clients_own(message)]
    roles = ["user", *(text_at(message, "role") for message in given)]
    return sum(after == "assistant" and before != "assistant" for before, after in pairwise(roles))


def _is_the_clients_own(message: JsonObject) -> bool:
    """Claude Code closes an interrupted turn with an answer of its own when it resumes."""
    return text_at(message, "role") == "assistant" and _said(message) == _INTERRUPTED


def _schema(request: JsonObject) -> JsonObject:
    asked = object_at(object_at(request, "output_config"), "format")
    return object_at(asked or object_at(request, "output_format"), "schema")


def _said(message: JsonObject) -> str:
    return _REMINDER.sub("", _text(message.get("content"))).strip()


def _blocks(message: JsonObject, kind: str) -> Iterator[JsonObject]:
    for block in list_at(message, "content"):
        if isinstance(block, dict) and block.get("type") == kind:
            yield block


def _text(content: JsonValue) -> str:
    """The text of a content field: a text itself, or the text blocks of a list."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(
        text_at(block, "text")
        for block in content
        if isinstance(block, dict) and block.get("type") == "text"
    )
