"""Answers of the Anthropic dialect."""

import json

from heliostat_gateway.meter.base import Meter
from heliostat_gateway.money.usage import Usage, read_usage
from heliostat_json.objects import JsonObject, list_at, object_at, text_at


class MessagesMeter(Meter):
    """Usage comes with message_start and, cumulative and final, with message_delta."""

    def _usage_of_message(self, message: JsonObject) -> Usage | None:
        usage = object_at(message, "usage")
        return read_usage(Usage(), usage) if usage else None

    def _shown_in(self, message: JsonObject) -> int | None:
        blocks = [block for block in list_at(message, "content") if isinstance(block, dict)]
        return sum(_characters(block) + _arguments(block) for block in blocks) if blocks else None

    def _read(self, fields: JsonObject) -> None:
        match text_at(fields, "type"):
            case "message_start":
                usage = object_at(object_at(fields, "message"), "usage")
                self._reported = read_usage(Usage(), usage)
            case "content_block_start":
                self.visible = True
            case "content_block_delta":
                self._characters += _characters(object_at(fields, "delta"))
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


def _characters(delta: JsonObject) -> int:
    """Characters that a delta shows; a signature shows none."""
    return sum(len(text_at(delta, name)) for name in ("text", "thinking", "partial_json"))


def _arguments(block: JsonObject) -> int:
    """Characters of a tool call's input, written as the API streams it."""
    if block.get("type") != "tool_use":
        return 0
    return len(json.dumps(object_at(block, "input"), ensure_ascii=False))
