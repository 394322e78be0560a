"""Gemini generateContent: candidates with parts, usage metadata in every chunk, no last word."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.rendering import (
    COMPLETE,
    Omissions,
    Piece,
    Report,
    padded,
    pieces_of_text,
)
from heliostat_scripted.scenario import UsageSpec
from heliostat_scripted.script import Action, Script, Text, Thinking, ToolUse, shown
from heliostat_scripted.signatures import signature_of_call

_TRAFFIC = {"flex": "ON_DEMAND_FLEX", "priority": "ON_DEMAND_PRIORITY"}
_FINISH = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "tool_use": "STOP",
    "max_tokens": "MAX_TOKENS",
    "refusal": "SAFETY",
}
_STATUS_OF_KIND = {
    "invalid_request_error": (400, "INVALID_ARGUMENT"),
    "authentication_error": (401, "UNAUTHENTICATED"),
    "permission_error": (403, "PERMISSION_DENIED"),
    "not_found_error": (404, "NOT_FOUND"),
    "rate_limit_error": (429, "RESOURCE_EXHAUSTED"),
    "overloaded_error": (503, "UNAVAILABLE"),
}


@dataclass(frozen=True)
class GeminiRendering:
    """An answer of Gemini. Thoughts are shown only where the caller asked for them."""

    script: Script
    omissions: Omissions = COMPLETE
    thoughts: bool = False
    response_id: str = ""

    @property
    def ping(self) -> bytes:
        """The API is silent."""
        return b""

    def start(self) -> Iterator[Piece]:
        """Nothing: the first chunk is the first part."""
        yield from ()

    def block(self, action: Action, index: int) -> Iterator[Piece]:  # noqa: ARG002
        """One chunk for each piece of text; a function call comes whole."""
        for part, characters in self._parts(action, self.script.pace.characters):
            yield Piece(self._chunk([part]), characters, Report.INPUT)

    def end(self) -> Iterator[Piece]:
        """The chunk with the finish reason and the final usage."""
        if self.omissions.end:
            return
        document = self._document([{"text": ""}], _FINISH[self.script.stop_reason])
        if self.omissions.usage:
            yield Piece(_data(document))
        else:
            document["usageMetadata"] = usage_document(self.script.usage)
            yield Piece(_data(document), report=Report.FINAL)

    def whole(self) -> Piece:
        """The answer as one document."""
        pairs = [
            pair
            for action in self.script.actions
            for pair in self._parts(action, len(shown(action)) or 1)
        ]
        characters = sum(count for _, count in pairs)
        reason = None if self.omissions.end else _FINISH[self.script.stop_reason]
        document = self._document([part for part, _ in pairs], reason)
        if self.omissions.usage:
            return Piece(dump_object(document), characters)
        document["usageMetadata"] = usage_document(self.script.usage)
        return Piece(dump_object(document), characters, Report.FINAL)

    def error_event(self, kind: str, message: str) -> bytes:
        """A chunk with `error`."""
        code, status = _STATUS_OF_KIND.get(kind, (500, "INTERNAL"))
        return _data({"error": {"code": code, "message": message, "status": status}})

    def bad_json(self) -> bytes:
        """A chunk that breaks off inside its JSON."""
        return b'data: {"candidates": [{"content": {"par\r\n\r\n'

    def padding(self, size: int) -> bytes:
        """A chunk without candidates and a very long id."""
        chunk: JsonObject = {"modelVersion": self.script.model}
        return b"data: " + padded(chunk, "responseId", size) + b"\r\n\r\n"

    def _parts(self, action: Action, size: int) -> Iterator[tuple[JsonObject, int]]:
        """The parts of an action, each with the characters that it shows."""
        if isinstance(action, Text):
            for text in pieces_of_text(action.text, size):
                yield {"text": text}, len(text)
        elif isinstance(action, Thinking) and self.thoughts:
            for text in pieces_of_text(action.text, size):
                yield {"text": text, "thought": True}, len(text)
        elif isinstance(action, ToolUse):
            yield self._call(action), len(dump_object(action.input).decode())

    def _call(self, action: ToolUse) -> JsonObject:
        call: JsonObject = {"id": action.id, "name": action.name, "args": action.input}
        part: JsonObject = {"functionCall": call}
        calls = [each for each in self.script.actions if isinstance(each, ToolUse)]
        if action == calls[0]:  # of parallel calls only the first is signed
            part["thoughtSignature"] = signature_of_call(action.name, action.input)
        return part

    def _chunk(self, parts: list[JsonObject]) -> bytes:
        document = self._document(parts, None)
        # Only the input is true so far; the output's count is, as in the real API, not final.
        usage = usage_document(self.script.usage.model_copy(update={"output": 1, "thinking": 0}))
        return _data(document | {"usageMetadata": usage})

    def _document(self, parts: list[JsonObject], reason: str | None) -> JsonObject:
        candidate: JsonObject = {"content": {"role": "model", "parts": [*parts]}, "index": 0}
        if reason is not None:
            candidate["finishReason"] = reason
            if self.script.usage.web_searches:
                queries = [f"query {n + 1}" for n in range(self.script.usage.web_searches)]
                candidate["groundingMetadata"] = {"webSearchQueries": [*queries]}
        return {
            "candidates": [candidate],
            "modelVersion": self.script.model,
            "responseId": self.response_id,
        }


def usage_document(usage: UsageSpec) -> JsonObject:
    """Usage in this API's words: the prompt includes the cached, thoughts are beside the answer."""
    prompt = usage.input + usage.cache_read + usage.cache_write5m + usage.cache_write1h
    told: JsonObject = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": usage.output - usage.thinking,
        "totalTokenCount": prompt + usage.output,
        "promptTokensDetails": _by_modality(prompt, usage.input_audio),
        "trafficType": _TRAFFIC.get(usage.variant or "", "ON_DEMAND"),
    }
    if usage.output_audio:
        shown = usage.output - usage.thinking
        told["candidatesTokensDetails"] = _by_modality(shown, usage.output_audio)
    if usage.cache_read:
        told["cachedContentTokenCount"] = usage.cache_read
    if usage.thinking:
        told["thoughtsTokenCount"] = usage.thinking
    return told | usage.others


def _by_modality(tokens: int, audio: int) -> list[JsonValue]:
    found: list[JsonValue] = [{"modality": "TEXT", "tokenCount": tokens - audio}]
    if audio:
        found.append({"modality": "AUDIO", "tokenCount": audio})
    return found


def _data(document: JsonObject) -> bytes:
    return b"data: " + dump_object(document) + b"\r\n\r\n"
