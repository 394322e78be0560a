"""What the official SDKs take for right, so that no golden file is right only in our eyes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from google.genai.types import Content, GenerateContentConfig, GenerationConfig
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import ConfigDict, TypeAdapter

from heliostat_gateway.dialects import Dialect
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at

# A list, because only what a type contains takes the config of its adapter.
_STRICT: Final = ConfigDict(extra="forbid")
_MESSAGES: Final = TypeAdapter(list[MessageCreateParamsNonStreaming], config=_STRICT)
_MESSAGES_STREAM: Final = TypeAdapter(list[MessageCreateParamsStreaming], config=_STRICT)
_CHAT: Final = TypeAdapter(list[CompletionCreateParamsNonStreaming], config=_STRICT)
_CHAT_STREAM: Final = TypeAdapter(list[CompletionCreateParamsStreaming], config=_STRICT)
_EVENT: Final[TypeAdapter[object]] = TypeAdapter(RawMessageStreamEvent)
# Beside `contents` and `generationConfig` on the wire, inside the config of the SDK.
_GEMINI_CONFIG: Final = ("systemInstruction", "tools", "toolConfig")


def check_request(dialect: Dialect, document: JsonObject) -> None:
    """Raises ValidationError when the provider's SDK would not send this."""
    if dialect is Dialect.GEMINI:
        _check_gemini(document)
    elif dialect is Dialect.CHAT:
        exhaust((_CHAT_STREAM if document.get("stream") else _CHAT).validate_python([document]))
    else:
        stream = document.get("stream")
        exhaust((_MESSAGES_STREAM if stream else _MESSAGES).validate_python([document]))


def check_answer(dialect: Dialect, document: JsonObject) -> None:
    """Raises ValidationError when the caller's SDK would not read this."""
    if dialect is Dialect.CHAT:
        ChatCompletion.model_validate(document)
    else:
        Message.model_validate(document)


def check_event(dialect: Dialect, document: JsonObject) -> None:
    """Raises ValidationError when the caller's SDK would not read this event."""
    if dialect is Dialect.CHAT:
        ChatCompletionChunk.model_validate(document)
    else:
        _EVENT.validate_python(document)


def exhaust(value: object) -> None:
    """Reads every iterable to its end: pydantic validates them only then."""
    if isinstance(value, Mapping):
        for each in value.values():
            exhaust(each)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value:
            exhaust(each)


def _check_gemini(document: JsonObject) -> None:
    known = {"contents", "generationConfig", *_GEMINI_CONFIG}
    assert set(document) <= known, set(document) - known
    for content in _objects(list_at(document, "contents")):
        parsed = Content.model_validate_json(dump_object(content))
        assert parsed.role in ("user", "model")
        assert parsed.parts
    generation = object_at(document, "generationConfig")
    GenerationConfig.model_validate_json(dump_object(generation))
    config = dict(generation)
    for name in _GEMINI_CONFIG:
        if name in document:
            config[name] = document[name]
    GenerateContentConfig.model_validate_json(dump_object(config))


def _objects(values: Sequence[object]) -> list[JsonObject]:
    return [value for value in values if isinstance(value, dict)]
