"""A generateContent request as a scenario sees it. Protobuf JSON: both spellings of a name hold."""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue
from pydantic.alias_generators import to_snake

from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at
from heliostat_scripted.conversation import Heard, Utterance


def spelling(value: Mapping[str, JsonValue], name: str) -> str:
    """The spelling of the camel-case `name` that `value` uses; camel case when it has neither."""
    snake = to_snake(name)
    return snake if name not in value and snake in value else name


def hear_gemini(model: str, request: JsonObject, *, stream: bool) -> Heard:
    """The parts of a Gemini request; model and stream come from its path."""
    config = object_at(request, spelling(request, "generationConfig"))
    return Heard(
        model=model,
        system=_text(object_at(request, spelling(request, "systemInstruction"))),
        utterances=tuple(
            _utterance(content)
            for content in list_at(request, "contents")
            if isinstance(content, dict)
        ),
        offers=frozenset(text_at(each, "name") for each in declarations(request)),
        schema=_schema(config),
        stream=stream,
        limit=count_at(config, spelling(config, "maxOutputTokens")) or None,
    )


def declarations(request: JsonObject) -> Iterator[JsonObject]:
    """All function declarations of all tools."""
    for tool in list_at(request, "tools"):
        if isinstance(tool, dict):
            for each in list_at(tool, spelling(tool, "functionDeclarations")):
                if isinstance(each, dict):
                    yield each


def parts_of(content: JsonObject) -> list[JsonObject]:
    """The parts of a content that are objects."""
    return [part for part in list_at(content, "parts") if isinstance(part, dict)]


def shows_thoughts(request: JsonObject) -> bool:
    """Whether the caller asked for thought summaries; without that none is shown."""
    config = object_at(request, spelling(request, "generationConfig"))
    thinking = object_at(config, spelling(config, "thinkingConfig"))
    return thinking.get(spelling(thinking, "includeThoughts")) is True


def _utterance(content: JsonObject) -> Utterance:
    parts = parts_of(content)
    calls = [object_at(part, spelling(part, "functionCall")) for part in parts]
    results = [object_at(part, spelling(part, "functionResponse")) for part in parts]
    return Utterance(
        role="assistant" if content.get("role") == "model" else "user",
        text=_text(content),
        calls=tuple(text_at(call, "name") for call in calls if call),
        results=tuple(_result(object_at(result, "response")) for result in results if result),
    )


def _result(response: JsonObject) -> tuple[str, bool]:
    """The text of a function's response, and whether it is an error."""
    for name in ("output", "result", "content", "error"):
        if name in response:
            value = response[name]
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            return text, name == "error"
    return json.dumps(response, ensure_ascii=False), False


def _text(content: JsonObject) -> str:
    parts = [part for part in parts_of(content) if part.get("thought") is not True]
    return "\n".join(text_at(part, "text") for part in parts if "text" in part)


def _schema(config: JsonObject) -> JsonObject:
    plain = object_at(config, spelling(config, "responseJsonSchema"))
    return plain or _lower_types(object_at(config, spelling(config, "responseSchema")))


def _lower_types(schema: JsonObject) -> JsonObject:
    """Gemini's own schemas write OBJECT and STRING."""
    lowered: JsonObject = {}
    for name, value in schema.items():
        if name == "type" and isinstance(value, str):
            lowered[name] = value.lower()
        elif isinstance(value, dict):
            lowered[name] = _lower_types(value)
        else:
            lowered[name] = value
    return lowered
