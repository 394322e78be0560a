"""Requests in the inner form, written for Gemini's `generateContent`.

The model and whether to stream are in the path, so the document holds neither.
"""

from typing import Final

from heliostat_gateway.dialects.blocks import objects, texts_of
from heliostat_gateway.dialects.gemini_turns import write_contents
from heliostat_gateway.dialects.thinking import gemini_thinking
from heliostat_json.objects import JsonObject, list_at, object_at, text_at

_NAMES: Final = {
    "max_tokens": "maxOutputTokens",
    "stop_sequences": "stopSequences",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
_MODES: Final = {"auto": "AUTO", "any": "ANY", "tool": "ANY", "none": "NONE"}


def write_gemini_request(inner: JsonObject) -> JsonObject:
    """The request. Raises UntranslatableError for a result without its call."""
    contents = write_contents(objects(list_at(inner, "messages")), text_at(inner, "model"))
    document: JsonObject = {"contents": [*contents]}
    if system := texts_of(inner.get("system")):
        document["systemInstruction"] = {"parts": [{"text": text} for text in system]}
    document |= _tools(inner)
    if generation := _generation(inner):
        document["generationConfig"] = generation
    return document


def _generation(inner: JsonObject) -> JsonObject:
    fields: JsonObject = {
        name: inner[field] for field, name in _NAMES.items() if inner.get(field) is not None
    }
    answer = object_at(object_at(inner, "output_config"), "format")
    if answer:
        fields["responseMimeType"] = "application/json"
    if schema := answer.get("schema"):
        fields["responseJsonSchema"] = schema
    if thinking := gemini_thinking(inner):
        fields["thinkingConfig"] = thinking
    return fields


def _tools(inner: JsonObject) -> JsonObject:
    tools = objects(list_at(inner, "tools"))
    if not tools:
        return {}
    declared = [_declaration(tool) for tool in tools]
    fields: JsonObject = {"tools": [{"functionDeclarations": [*declared]}]}
    strict = any(tool.get("strict") is True for tool in tools)
    if calling := _calling(object_at(inner, "tool_choice"), strict):
        fields["toolConfig"] = {"functionCallingConfig": calling}
    return fields


def _declaration(tool: JsonObject) -> JsonObject:
    fields: JsonObject = {"name": tool.get("name")}
    if text_at(tool, "description"):
        fields["description"] = tool["description"]
    return {**fields, "parametersJsonSchema": tool.get("input_schema")}


def _calling(choice: JsonObject, strict: bool) -> JsonObject:
    """VALIDATED is AUTO with arguments that keep to the schema, as `strict` wants it."""
    mode = _MODES.get(text_at(choice, "type"))
    if strict and mode in (None, "AUTO"):
        mode = "VALIDATED"
    if mode is None:
        return {}
    only: JsonObject = {"mode": mode}
    return {**only, "allowedFunctionNames": [choice["name"]]} if choice.get("name") else only
