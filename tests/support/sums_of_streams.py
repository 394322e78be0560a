"""Streams added up by the SDK of OpenAI, and what they would be as a whole."""

import json

from openai.lib.streaming._deltas import accumulate_delta

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import objects
from heliostat_gateway.dialects.events import fold
from heliostat_json.objects import JsonObject, list_at, object_at, parse_object, text_at
from support.streams import objects_of


def added_up(chunks: list[JsonObject]) -> tuple[JsonObject, list[str], JsonObject]:
    """Message, finish reasons and usage of a chat stream, as the SDK of OpenAI adds them up."""
    delta: dict[object, object] = {}
    finish: list[str] = []
    usage: JsonObject = {}
    for chunk in chunks:
        usage = object_at(chunk, "usage") or usage
        for choice in objects(list_at(chunk, "choices")):
            accumulate_delta(delta, dict(object_at(choice, "delta").items()))
            finish += [text_at(choice, "finish_reason")] if choice["finish_reason"] else []
    message = parse_object(json.dumps(delta).encode()) or {}
    message["content"] = message.get("content") or None
    return message, finish, usage


def without_index(message: JsonObject) -> JsonObject:
    """A message whose tool calls have no `index`, which is for streams only."""
    calls = objects(list_at(message, "tool_calls"))
    if not calls:
        return message
    plain = [{name: each[name] for name in each if name != "index"} for each in calls]
    return {**message, "tool_calls": [*plain]}


def whole_answer(raw: str, source: Dialect) -> JsonObject:
    """What a provider would have answered without a stream."""
    events = objects_of(raw)
    if source is Dialect.MESSAGES:
        return fold(event for event in events if event["type"] != "ping")
    if source is Dialect.GEMINI:
        return _whole_response(events)
    message, finish, usage = added_up(events)
    choice: JsonObject = {
        "index": 0,
        "message": without_index(message),
        "finish_reason": finish[-1],
    }
    head = {name: events[0][name] for name in ("id", "model")}
    return {**head, "choices": [choice], "usage": usage or None}


def _whole_response(responses: list[JsonObject]) -> JsonObject:
    """All parts in one response, those of one text joined, with the last counts."""
    parts: list[JsonObject] = []
    for response in responses:
        for candidate in objects(list_at(response, "candidates")):
            for part in objects(list_at(object_at(candidate, "content"), "parts")):
                _add_part(parts, part)
    last = dict(responses[-1])
    for candidate in objects(list_at(last, "candidates")):
        last["candidates"] = [{**candidate, "content": {"role": "model", "parts": [*parts]}}]
    return last


def _add_part(parts: list[JsonObject], part: JsonObject) -> None:
    before = parts[-1] if parts else {}
    joins = "text" in part and "text" in before and "thoughtSignature" not in before
    if joins and part.get("thought") == before.get("thought"):
        parts[-1] = {**before, **part, "text": text_at(before, "text") + text_at(part, "text")}
    else:
        parts.append(part)
