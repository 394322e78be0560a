"""Answers of the OpenAI chat dialect."""

from typing import Final

from heliostat_gateway.meter.base import Meter
from heliostat_gateway.money.usage import Usage
from heliostat_gateway.sse import Event
from heliostat_json.encoding import parse_object
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

DONE: Final = b"[DONE]"
# `reasoning_content` and `reasoning` are what local servers and OpenRouter call thinking.
_SHOWN = ("content", "refusal", "reasoning_content", "reasoning")


class ChatMeter(Meter):
    """Usage comes once, in the last chunk, and only with `stream_options.include_usage`."""

    def read_event(self, event: Event) -> None:
        """As every meter; `[DONE]` ends the stream."""
        if event.data.strip() == DONE:
            self.stopped = True
        else:
            super().read_event(event)

    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        usage = object_at(message, "usage")
        return read_chat_usage(usage) if usage else None

    def _shown_in(self, message: JsonObject) -> int | None:
        choices = [choice for choice in list_at(message, "choices") if isinstance(choice, dict)]
        if not choices:
            return None
        return sum(_characters(object_at(choice, "message")) for choice in choices)

    def _read(self, fields: JsonObject) -> None:
        if "error" in fields:
            # OpenRouter's has a choice beside it, which shows nothing.
            self.error = _error(fields)
            return
        for choice in list_at(fields, "choices"):
            if isinstance(choice, dict):
                self._read_choice(choice)
        usage = object_at(fields, "usage")
        if usage:
            self._reported = read_chat_usage(usage)
            self.final = True

    def _read_choice(self, choice: JsonObject) -> None:
        delta = object_at(choice, "delta")
        shown = _characters(delta)
        self._characters += shown
        if shown or list_at(delta, "tool_calls") or choice.get("finish_reason") is not None:
            self.visible = True


def read_chat_usage(usage: JsonObject) -> Usage:
    """A `usage` object: prompt_tokens includes cached ones, completion_tokens the reasoning."""
    prompt = object_at(usage, "prompt_tokens_details")
    completion = object_at(usage, "completion_tokens_details")
    read = count_at(prompt, "cached_tokens")
    written = count_at(prompt, "cache_write_tokens")
    return Usage(
        input=max(0, count_at(usage, "prompt_tokens") - read - written),
        output=count_at(usage, "completion_tokens"),
        cache_read=read,
        cache_write_5m=written,
        thinking=count_at(completion, "reasoning_tokens"),
    )


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


def _characters(message: JsonObject) -> int:
    """Characters that a message or a delta shows."""
    calls = [call for call in list_at(message, "tool_calls") if isinstance(call, dict)]
    shown = sum(len(text_at(message, name)) for name in _SHOWN)
    return shown + sum(len(text_at(object_at(call, "function"), "arguments")) for call in calls)
