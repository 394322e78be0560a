"""Answers of the Gemini dialect."""

from heliostat_gateway.meter.base import Meter
from heliostat_gateway.money.usage import Usage
from heliostat_json.encoding import dump_object
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at


class GeminiMeter(Meter):
    """Each event carries the usage so far; what comes with a finish reason or after it is final."""

    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        usage = object_at(message, "usageMetadata")
        return read_gemini_usage(usage, _searches(message)) if usage else None

    def _shown_in(self, message: JsonObject) -> int | None:
        candidates = [c for c in list_at(message, "candidates") if isinstance(c, dict)]
        if not candidates:
            return None
        return sum(_characters(part) for each in candidates for part in _parts(each))

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
        usage = object_at(fields, "usageMetadata")
        if usage:
            self._reported = read_gemini_usage(usage, _searches(fields))
        if finished:
            self.visible = self.stopped = True
        # What was said before the end is only the usage so far.
        self.final = self.final or (self.stopped and bool(usage))

    def _read_candidate(self, candidate: JsonObject) -> None:
        parts = _parts(candidate)
        self.visible = self.visible or bool(parts)
        self._characters += sum(_characters(part) for part in parts)


def read_gemini_usage(usage: JsonObject, searches: int) -> Usage:
    """A `usageMetadata` object: the prompt includes cached content, thoughts stand apart."""
    read = count_at(usage, "cachedContentTokenCount")
    thoughts = count_at(usage, "thoughtsTokenCount")
    prompt = count_at(usage, "promptTokenCount") + count_at(usage, "toolUsePromptTokenCount")
    return Usage(
        input=max(0, prompt - read),
        output=count_at(usage, "candidatesTokenCount") + thoughts,
        cache_read=read,
        thinking=thoughts,
        web_searches=searches,
    )


def _searches(fields: JsonObject) -> int:
    return sum(
        len(list_at(object_at(candidate, "groundingMetadata"), "webSearchQueries"))
        for candidate in list_at(fields, "candidates")
        if isinstance(candidate, dict)
    )


def _parts(candidate: JsonObject) -> list[JsonObject]:
    parts = list_at(object_at(candidate, "content"), "parts")
    return [part for part in parts if isinstance(part, dict)]


def _characters(part: JsonObject) -> int:
    """Characters that a part shows; arguments of a call as JSON without spaces."""
    call = object_at(part, "functionCall")
    arguments = len(dump_object(object_at(call, "args")).decode()) if call else 0
    return len(text_at(part, "text")) + arguments
