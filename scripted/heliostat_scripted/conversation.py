"""What a scenario can see of a request: everything is derived from the request's own messages.

So a resumed session goes on where it was, and any number of replicas answer alike.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

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
    words: tuple[str, ...]  # every text of the user, in order
    earlier_calls: tuple[str, ...]  # names of the tools that were called before `said`
    recent_calls: tuple[str, ...]  # and of those that were called after it
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


@dataclass(frozen=True)
class Utterance:
    """One message of a conversation, whatever the dialect."""

    role: str  # user, assistant or system
    text: str
    calls: tuple[str, ...] = ()  # names of the tools that it calls
    results: tuple[tuple[str, bool], ...] = ()  # text of each tool result; whether it is an error


@dataclass(frozen=True)
class Heard:
    """A request in parts that all dialects have."""

    model: str
    system: str  # apart from system messages inside the conversation
    utterances: tuple[Utterance, ...]
    offers: frozenset[str]
    schema: JsonObject
    stream: bool
    limit: int | None = None  # of output tokens
    user: str = ""  # whom the caller names


def read_conversation(request: JsonObject, characters: int) -> Conversation:
    """What a scenario can see of a Messages request of `characters` characters."""
    return build_conversation(hear_messages(request), characters)


def hear_messages(request: JsonObject) -> Heard:
    """The parts of a Messages request."""
    return Heard(
        model=text_at(request, "model"),
        system=_text(request.get("system")),
        utterances=tuple(
            _utterance(message)
            for message in list_at(request, "messages")
            if isinstance(message, dict)
        ),
        offers=frozenset(
            text_at(tool, "name") for tool in list_at(request, "tools") if isinstance(tool, dict)
        ),
        schema=_schema(request),
        stream=request.get("stream") is True,
        limit=count_at(request, "max_tokens") or None,
        user=text_at(object_at(request, "metadata"), "user_id"),
    )


def build_conversation(heard: Heard, characters: int) -> Conversation:
    """What a scenario can see of a request of `characters` characters."""
    said_by_system = [each.text for each in heard.utterances if each.role == "system"]
    spoken = [each for each in heard.utterances if each.role != "system"]
    users = [_said(each.text) for each in spoken if each.role == "user"]
    results = spoken[-1].results if spoken else ()
    earlier, recent = _calls(spoken)
    calls = earlier + recent
    return Conversation(
        model=heard.model,
        system="\n".join([heard.system, *said_by_system]),
        prompt=users[0] if users else "",
        said=next((text for text in reversed(users) if text), ""),
        result="\n".join(text for text, _ in results),
        result_error=any(is_error for _, is_error in results),
        last_tool=calls[-1] if calls else "",
        words=tuple(text for text in users if text),
        earlier_calls=earlier,
        recent_calls=recent,
        turn=_turns(spoken),
        offers=heard.offers,
        schema=heard.schema,
        stream=heard.stream,
        characters=characters,
    )


def _utterance(message: JsonObject) -> Utterance:
    return Utterance(
        role=text_at(message, "role"),
        text=_text(message.get("content")),
        calls=tuple(text_at(block, "name") for block in _blocks(message, "tool_use")),
        results=tuple(
            (_text(block.get("content")), block.get("is_error") is True)
            for block in _blocks(message, "tool_result")
        ),
    )


def _calls(spoken: list[Utterance]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tools that were called before the user's last words, and since."""
    last = max((i for i, each in enumerate(spoken) if _is_said(each)), default=0)
    before = tuple(name for each in spoken[:last] for name in each.calls)
    return before, tuple(name for each in spoken[last:] for name in each.calls)


def _is_said(each: Utterance) -> bool:
    return each.role == "user" and bool(_said(each.text))


def _turns(spoken: list[Utterance]) -> int:
    """Runs of assistant messages: a client may split one answer into several messages."""
    given = [each.role for each in spoken if not _is_the_clients_own(each)]
    return sum(
        after == "assistant" and before != "assistant"
        for before, after in pairwise(["user", *given])
    )


def _is_the_clients_own(each: Utterance) -> bool:
    """Claude Code closes an interrupted turn with an answer of its own when it resumes."""
    return each.role == "assistant" and _said(each.text) == _INTERRUPTED


def _schema(request: JsonObject) -> JsonObject:
    asked = object_at(object_at(request, "output_config"), "format")
    return object_at(asked or object_at(request, "output_format"), "schema")


def _said(text: str) -> str:
    return _REMINDER.sub("", text).strip()


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
