"""Translation between dialects: requests one way, answers and streams the other.

Pure. Anthropic Messages is the inner form; the same dialect on both sides is not translated at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.asked import Asked, read_asked
from heliostat_gateway.dialects.blocks import messages_of, objects
from heliostat_gateway.dialects.chat_answers import ChatReader
from heliostat_gateway.dialects.chat_calls import write_chat_request
from heliostat_gateway.dialects.chat_chunks import ChunkWriter
from heliostat_gateway.dialects.chat_completions import write_completion
from heliostat_gateway.dialects.chat_requests import read_chat_request
from heliostat_gateway.dialects.events import fold
from heliostat_gateway.dialects.fields import UntranslatableError, apply_rules
from heliostat_gateway.dialects.gemini_answers import GeminiReader
from heliostat_gateway.dialects.gemini_calls import write_gemini_request
from heliostat_gateway.dialects.limits import (
    check_limits,
    fit_limits,
    restore_name,
    told_names,
)
from heliostat_gateway.dialects.messages_answers import MessagesReader, check_message
from heliostat_gateway.dialects.messages_calls import with_thinking, write_messages_request
from heliostat_gateway.dialects.treatments import members_for, rules_for
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject, dump_object, list_at, text_at


@dataclass(frozen=True)
class TranslatedRequest:
    """A request in the provider's dialect, and the names of what was left out."""

    document: JsonObject
    dropped: tuple[str, ...]


class AnswerReader(Protocol):
    """Reads a provider's stream as events of the inner form."""

    def read(self, event: Event) -> list[JsonObject]: ...

    def finish(self) -> list[JsonObject]: ...


class AnswerWriter(Protocol):
    """Writes events of the inner form as a stream for the caller."""

    def write(self, event: JsonObject) -> list[bytes]: ...

    def finish(self) -> list[bytes]: ...


_WRITERS: Final[dict[Dialect, Callable[[JsonObject], JsonObject]]] = {
    Dialect.MESSAGES: write_messages_request,
    Dialect.CHAT: write_chat_request,
    Dialect.GEMINI: write_gemini_request,
}


_SAYING: Final = ("content", "tool_calls", "parts")  # what a turn says, in any dialect


def translate_request(
    document: JsonObject,
    source: Dialect,
    target: Dialect,
    model: str,
    *,
    takes_details: bool = False,
    counts: bool = True,
) -> TranslatedRequest:
    """The request of a caller in the dialect of a provider. Raises UntranslatableError.

    `model` is the provider's name of the model; in Gemini's dialect it is part of the path, as is
    whether to stream. `takes_details`: the provider wants its `reasoning_details` back.
    `counts`: it takes only so many of some things (limits.py).
    """
    _see_translatable(caller=source, provider=target)
    messages_of(document)
    rules = rules_for(source, target, takes_details=takes_details)
    dropped = apply_rules(document, rules, members_for(source, target))
    check_limits(document, source, target, counts=counts)
    if source is Dialect.CHAT:
        inner = read_chat_request(document, model)
    else:
        inner = {**document, "model": model}
    if target is Dialect.CHAT and not takes_details:
        inner = with_thinking(inner, lambda _: False)
    sent = _WRITERS[target](fit_limits(inner, target))
    turns = objects(list_at(sent, "contents" if target is Dialect.GEMINI else "messages"))
    if not any(turn.get(name) for turn in turns for name in _SAYING):
        raise UntranslatableError("messages", "must say something: no turn of them has content")
    return TranslatedRequest(sent, dropped)


def translate_answer(
    document: JsonObject, source: Dialect, target: Dialect, asked: JsonObject, created: int = 0
) -> JsonObject:
    """A whole answer of a provider in the caller's dialect.

    `asked` is the caller's own request, `created` the second that a chat completion names.
    Raises MalformedAnswerError, and StreamFaultError for an error that came with a good status.
    """
    _see_translatable(caller=target, provider=source)
    request = read_asked(asked, target)
    if source is Dialect.CHAT:
        message = fold(ChatReader(request).read_whole(document))
    elif source is Dialect.GEMINI:
        message = fold(GeminiReader(request).read_whole(document))
    else:
        message = check_message(document)
    if names := told_names(asked, target, source):
        blocks = objects(list_at(message, "content"))
        message = {**message, "content": [restore_name(block, names) for block in blocks]}
    if target is Dialect.MESSAGES:
        return message
    return write_completion(message, request, created)


class StreamTranslation:
    """A provider's stream in the caller's dialect, event by event.

    `feed` and `finish` raise MalformedAnswerError, and StreamFaultError where the provider tells
    an error. Usage is what the provider reports; where it reports none, it stays zero.
    """

    def __init__(
        self, reader: AnswerReader, writer: AnswerWriter, names: Mapping[str, str]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._names = names  # of tools, as the provider knows them: the caller's own

    def feed(self, event: Event) -> list[bytes]:
        """Complete events for the caller; often none."""
        return self._write(self._reader.read(event)) if event.data else []

    def finish(self) -> list[bytes]:
        """What is left to say after the provider's stream ended well."""
        return [*self._write(self._reader.finish()), *self._writer.finish()]

    def _write(self, events: list[JsonObject]) -> list[bytes]:
        if self._names:
            events = [restore_name(event, self._names) for event in events]
        return [raw for event in events for raw in self._writer.write(event)]


class MessagesWriter:
    """Writes the inner form as it is."""

    def write(self, event: JsonObject) -> list[bytes]:
        """The event."""
        name = text_at(event, "type").encode()
        return [b"event: " + name + b"\ndata: " + dump_object(event) + b"\n\n"]

    def finish(self) -> list[bytes]:
        """Nothing: `message_stop` was the end."""
        return []


def stream_translation(
    source: Dialect, target: Dialect, asked: JsonObject, created: int = 0
) -> StreamTranslation:
    """The translation of one stream; arguments as for `translate_answer`."""
    _see_translatable(caller=target, provider=source)
    request = read_asked(asked, target)
    writer: AnswerWriter = MessagesWriter()
    if target is Dialect.CHAT:
        writer = ChunkWriter(request, created)
    return StreamTranslation(_reader(source, request), writer, told_names(asked, target, source))


def _reader(source: Dialect, request: Asked) -> AnswerReader:
    if source is Dialect.CHAT:
        return ChatReader(request)
    return GeminiReader(request) if source is Dialect.GEMINI else MessagesReader()


def _see_translatable(caller: Dialect, provider: Dialect) -> None:
    if caller is Dialect.GEMINI or caller is provider:
        raise ValueError(f"nothing is translated between {caller} and {provider}")
