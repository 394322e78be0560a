"""A chat completions request as a scenario sees it."""

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at
from heliostat_scripted.conversation import Heard, Utterance

_ROLES = {"developer": "system", "system": "system", "assistant": "assistant"}


def hear_chat(request: JsonObject) -> Heard:
    """The parts of a chat request. The dialect has no mark for a tool result that is an error."""
    return Heard(
        model=text_at(request, "model"),
        system="",
        utterances=tuple(_utterances(list_at(request, "messages"))),
        offers=frozenset(
            text_at(object_at(tool, "function"), "name")
            for tool in list_at(request, "tools")
            if isinstance(tool, dict)
        ),
        schema=object_at(object_at(object_at(request, "response_format"), "json_schema"), "schema"),
        stream=request.get("stream") is True,
        limit=count_at(request, "max_completion_tokens") or count_at(request, "max_tokens") or None,
        user=text_at(request, "user"),
    )


def text_of_content(content: JsonValue) -> str:
    """The text of a content field: a text itself, or the text parts of a list."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, dict)]
    return "\n".join(
        text_at(part, "text") or text_at(part, "refusal")
        for part in parts
        if part.get("type") in ("text", "refusal")
    )


def _utterances(messages: list[JsonValue]) -> list[Utterance]:
    """One for each message; tool results and a user message after them are one, as elsewhere."""
    found: list[Utterance] = []
    answers_tools = False
    for message in messages:
        if not isinstance(message, dict):
            continue
        role, text = text_at(message, "role"), text_of_content(message.get("content"))
        joins = answers_tools and role in ("tool", "user")
        before = found.pop() if joins else Utterance("user", "")
        if role == "tool":
            results = (*before.results, (text, False))
            found.append(Utterance("user", "", results=results))
        else:
            speaker = _ROLES.get(role, "user")
            found.append(Utterance(speaker, text, _calls(message), before.results))
        answers_tools = role == "tool"
    return found


def _calls(message: JsonObject) -> tuple[str, ...]:
    return tuple(
        text_at(object_at(call, "function"), "name")
        for call in list_at(message, "tool_calls")
        if isinstance(call, dict)
    )
