"""Meters: what an answer has used, read from what passes by, one for each dialect.

The rule for an answer that ended before its final usage (docs/gateway.md, Estimates):
input = what message_start reported, before that ceil(bytes of the request / 4);
output = ceil(characters shown / 4).
"""

import json
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Final

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.costs import counted_input
from heliostat_gateway.money.reported_usage import (
    read_chat_usage,
    read_gemini_usage,
    read_usage,
    with_iterations,
    with_unpriced,
)
from heliostat_gateway.sse import Event
from heliostat_json.objects import (
    JsonObject,
    dump_object,
    list_at,
    object_at,
    parse_object,
    text_at,
)


class Meter(ABC):
    """Measures what one answer has used so far. It reads what passes by and changes nothing.

    `final` says that the provider's own final usage arrived, so that the bill is known exactly;
    `stopped` that the answer is complete; `began` that any of it came, pings and errors apart;
    `visible` that there is output to see.
    """

    def __init__(self, request_bytes: int) -> None:
        self._counted = counted_input(request_bytes)
        self._reported: Usage | None = None
        self._characters = 0
        self.final = False
        self.stopped = False
        self.began = False
        self.visible = False
        self.error: tuple[str, str] | None = None  # type and message of an error event

    @property
    def has_report(self) -> bool:
        """Whether the provider has said anything about usage."""
        return self._reported is not None

    def usage(self) -> Usage:
        """What the request costs if it ends now."""
        if self._reported is None:
            return with_counted_output(self._counted, self._characters)
        if self.final:
            return with_iterations(self._reported)
        return with_iterations(with_counted_output(self._reported, self._characters))

    def read_message(self, body: bytes) -> JsonObject:
        """A whole answer. Raises MalformedAnswerError when it is none.

        One without usage (some servers say nothing of it) counts by what it shows.
        """
        message = parse_object(body) or {}
        usage, shown = self._usage_of_message(message), self._shown_in(message)
        if usage is None and shown is None:
            raise MalformedAnswerError("The provider's answer has neither output nor usage.")
        self._reported, self._characters = usage, shown or 0
        self.final = usage is not None
        self.began = self.stopped = self.visible = True
        return message

    def read_event(self, event: Event) -> None:
        """One event of a stream. Raises MalformedAnswerError when its data is no JSON object."""
        if not event.data:
            return
        fields = parse_object(event.data)
        if fields is None:
            raise MalformedAnswerError("The provider sent an event that is no JSON object.")
        self._read(fields)
        if self.error is None and fields.get("type") != "ping":
            self.began = True

    @abstractmethod
    def _shown_in(self, message: JsonObject) -> int | None:
        """Characters that a whole answer shows; None when it has no place for any."""

    @abstractmethod
    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        """The usage in a whole answer; None when there is none."""

    @abstractmethod
    def _read(self, fields: JsonObject) -> None:
        """Takes note of one event's data."""


def with_counted_output(reported: Usage, characters: int) -> Usage:
    """Reported input, and the output that was shown."""
    return replace(reported, output=-(-characters // 4))


class MessagesMeter(Meter):
    """Usage comes with message_start and, cumulative and final, with message_delta."""

    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        usage = object_at(message, "usage")
        return read_usage(Usage(), usage) if usage else None

    def _shown_in(self, message: JsonObject) -> int | None:
        blocks = [block for block in list_at(message, "content") if isinstance(block, dict)]
        return (
            sum(_characters_of_delta(block) + _arguments(block) for block in blocks)
            if blocks
            else None
        )

    def _read(self, fields: JsonObject) -> None:
        match text_at(fields, "type"):
            case "message_start":
                usage = object_at(object_at(fields, "message"), "usage")
                self._reported = read_usage(Usage(), usage)
            case "content_block_start":
                self.visible = True
            case "content_block_delta":
                self._characters += _characters_of_delta(object_at(fields, "delta"))
            case "message_delta":
                self._read_delta(fields)
            case "message_stop":
                self.stopped = True
            case "error":
                error = object_at(fields, "error")
                self.error = (text_at(error, "type") or "api_error", text_at(error, "message"))

    def _read_delta(self, fields: JsonObject) -> None:
        self.visible = True
        usage = object_at(fields, "usage")
        if usage:
            self._reported = read_usage(self._reported or Usage(), usage)
            self.final = bool(text_at(object_at(fields, "delta"), "stop_reason")) or self.final


def _characters_of_delta(delta: JsonObject) -> int:
    """Characters that a delta shows; a signature shows none."""
    return sum(len(text_at(delta, name)) for name in ("text", "thinking", "partial_json"))


def _arguments(block: JsonObject) -> int:
    """Characters of a tool call's input, written as the API streams it."""
    if block.get("type") != "tool_use":
        return 0
    return len(json.dumps(object_at(block, "input"), ensure_ascii=False))


DONE: Final = b"[DONE]"
# `reasoning_content` and `reasoning` are what local servers and OpenRouter call thinking.
_SHOWN = ("content", "refusal", "reasoning_content", "reasoning")


class ChatMeter(Meter):
    """Usage comes once, in the last chunk, and only with `stream_options.include_usage`."""

    def __init__(self, request_bytes: int) -> None:
        super().__init__(request_bytes)
        self._tier = ""
        self._has_searched = False

    def usage(self) -> Usage:
        """Gives the usage as every meter does, and marks a web search that it does not count."""
        usage = super().usage()
        is_uncounted = self._has_searched and not usage.web_searches
        return with_unpriced(usage, "annotations") if is_uncounted else usage

    def read_event(self, event: Event) -> None:
        """As every meter; `[DONE]` ends the stream."""
        if event.data.strip() == DONE:
            self.stopped = True
        else:
            super().read_event(event)

    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        for choice in list_at(message, "choices"):
            if isinstance(choice, dict):
                self._look_for_searches(object_at(choice, "message"))
        usage = object_at(message, "usage")
        return read_chat_usage(usage, text_at(message, "service_tier")) if usage else None

    def _shown_in(self, message: JsonObject) -> int | None:
        choices = [choice for choice in list_at(message, "choices") if isinstance(choice, dict)]
        if not choices:
            return None
        return sum(_characters_of_chat(object_at(choice, "message")) for choice in choices)

    def _read(self, fields: JsonObject) -> None:
        if "error" in fields:
            # OpenRouter's has a choice beside it, which shows nothing.
            self.error = _error(fields)
            return
        for choice in list_at(fields, "choices"):
            if isinstance(choice, dict):
                self._read_choice(choice)
        # Each chunk may name the tier; not each server does so in the one with the usage.
        self._tier = text_at(fields, "service_tier") or self._tier
        usage = object_at(fields, "usage")
        if usage:
            self._reported = read_chat_usage(usage, self._tier)
            self.final = True

    def _look_for_searches(self, message: JsonObject) -> None:
        if list_at(message, "annotations"):
            self._has_searched = True

    def _read_choice(self, choice: JsonObject) -> None:
        delta = object_at(choice, "delta")
        self._look_for_searches(delta)
        shown = _characters_of_chat(delta)
        self._characters += shown
        if shown or list_at(delta, "tool_calls") or choice.get("finish_reason") is not None:
            self.visible = True


def is_usage_chunk(event: Event) -> bool:
    """Whether an event is the extra chunk that `include_usage` asks for: usage and no choice."""
    if b'"usage"' not in event.data:
        return False
    fields = parse_object(event.data) or {}
    return fields.get("choices") == [] and bool(object_at(fields, "usage"))


def _error(fields: JsonObject) -> tuple[str, str]:
    error = fields["error"]
    if not isinstance(error, dict):
        return "api_error", str(error)
    return text_at(error, "type") or "api_error", text_at(error, "message")


def _characters_of_chat(message: JsonObject) -> int:
    """Characters that a message or a delta shows."""
    calls = [call for call in list_at(message, "tool_calls") if isinstance(call, dict)]
    shown = sum(len(text_at(message, name)) for name in _SHOWN)
    return shown + sum(len(text_at(object_at(call, "function"), "arguments")) for call in calls)


class GeminiMeter(Meter):
    """Each event carries the usage so far; what comes with a finish reason or after it is final."""

    def __init__(self, request_bytes: int) -> None:
        super().__init__(request_bytes)
        self._searches = 0  # billed beside tokens, and named in any of the events
        self._has_maps = False

    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        usage = object_at(message, "usageMetadata")
        self._look_for_tools(message)
        return self._with_tools(usage) if usage else None

    def _shown_in(self, message: JsonObject) -> int | None:
        candidates = [c for c in list_at(message, "candidates") if isinstance(c, dict)]
        if not candidates:
            return None
        return sum(_characters_of_gemini(part) for each in candidates for part in _parts(each))

    def _read(self, fields: JsonObject) -> None:
        if "error" in fields:
            error = object_at(fields, "error")
            self.error = (text_at(error, "status") or "api_error", text_at(error, "message"))
            return
        finished = bool(object_at(fields, "promptFeedback").get("blockReason"))
        for candidate in list_at(fields, "candidates"):
            if isinstance(candidate, dict):
                self._read_candidate(candidate)
                finished = finished or bool(text_at(candidate, "finishReason"))
        self._look_for_tools(fields)
        usage = object_at(fields, "usageMetadata")
        if usage:
            self._reported = self._with_tools(usage)
        if finished:
            self.visible = self.stopped = True
        # What was said before the end is only the usage so far.
        self.final = self.final or (self.stopped and bool(usage))

    def _look_for_tools(self, fields: JsonObject) -> None:
        found = [
            object_at(candidate, "groundingMetadata")
            for candidate in list_at(fields, "candidates")
            if isinstance(candidate, dict)
        ]
        searches = sum(len(list_at(each, "webSearchQueries")) for each in found)
        self._searches = max(self._searches, searches)
        chunks = [chunk for each in found for chunk in list_at(each, "groundingChunks")]
        if any(isinstance(chunk, dict) and "maps" in chunk for chunk in chunks):
            self._has_maps = True

    def _with_tools(self, usage: JsonObject) -> Usage:
        read = read_gemini_usage(usage, self._searches)
        return with_unpriced(read, "groundingChunks[].maps") if self._has_maps else read

    def _read_candidate(self, candidate: JsonObject) -> None:
        parts = _parts(candidate)
        self.visible = self.visible or bool(parts)
        self._characters += sum(_characters_of_gemini(part) for part in parts)


def _parts(candidate: JsonObject) -> list[JsonObject]:
    parts = list_at(object_at(candidate, "content"), "parts")
    return [part for part in parts if isinstance(part, dict)]


def _characters_of_gemini(part: JsonObject) -> int:
    """Characters that a part shows; arguments of a call as JSON without spaces."""
    call = object_at(part, "functionCall")
    arguments = len(dump_object(object_at(call, "args")).decode()) if call else 0
    return len(text_at(part, "text")) + arguments


_METERS: dict[Dialect, type[Meter]] = {
    Dialect.MESSAGES: MessagesMeter,
    Dialect.CHAT: ChatMeter,
    Dialect.GEMINI: GeminiMeter,
}


def new_meter(dialect: Dialect, request_bytes: int) -> Meter:
    """A meter for one answer to a request of this size."""
    return _METERS[dialect](request_bytes)
