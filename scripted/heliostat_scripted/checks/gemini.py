"""Requests that Gemini refuses: its parser knows each field's name, and turns have an order."""

from collections.abc import Collection

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from heliostat_json.objects import JsonObject, list_at, object_at, text_at
from heliostat_scripted.checks import (
    count,
    needed_list,
    needed_object,
    needed_text,
    refuse,
    words,
)
from heliostat_scripted.checks.gemini_turns import check_turns
from heliostat_scripted.reading.gemini import declarations, spelling

_REQUEST = words(
    "contents tools toolConfig safetySettings systemInstruction generationConfig cachedContent "
    "labels model store serviceTier"
)
_COUNT = frozenset({"contents", "generateContentRequest"})
_CONFIG = words(
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities "
    "candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty "
    "responseLogprobs logprobs speechConfig thinkingConfig imageConfig mediaResolution "
    "enableEnhancedCivicAnswers"
)
_PARTS = words(
    "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult "
    "toolCall toolResponse"
)
_PART = _PARTS | words("thought thoughtSignature videoMetadata mediaResolution partMetadata")
_TOOL = words(
    "functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext "
    "computerUse fileSearch googleMaps mcpServers"
)
_DECLARATION = words(
    "name description parameters parametersJsonSchema response responseJsonSchema behavior"
)
_SCHEMA = words(
    "type format title description nullable enum maxItems minItems properties required "
    "minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering "
    "default items minimum maximum additionalProperties"
)
_TYPES = words("STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL")


def check_gemini(request: JsonObject, model: str) -> None:
    """Raises RefusedError."""
    _known(request, _REQUEST, "")
    for index, content in enumerate(needed_list(request.get("contents"), "contents")):
        _check_content(needed_object(content, f"contents[{index}]"), f"contents[{index}]")
    system = request.get(spelling(request, "systemInstruction"))
    if system is not None:
        _check_content(needed_object(system, "system_instruction"), "system_instruction")
    _check_config(object_at(request, spelling(request, "generationConfig")))
    _check_tools(request)
    check_turns(request, model)


def check_gemini_count(request: JsonObject) -> JsonObject:
    """The generateContent request inside a countTokens request. Raises RefusedError."""
    _known(request, _COUNT, "")
    inner = request.get(spelling(request, "generateContentRequest"))
    counted = request if inner is None else needed_object(inner, "generate_content_request")
    for index, content in enumerate(needed_list(counted.get("contents"), "contents")):
        _check_content(needed_object(content, f"contents[{index}]"), f"contents[{index}]")
    return counted


def _known(value: JsonObject, known: Collection[str], field: str) -> None:
    for name in value:
        if name not in known and (to_camel(name) not in known or name == to_camel(name)):
            place = f" at '{field}'" if field else ""
            refuse(
                f"{field}.{name}" if field else name,
                f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.',
            )


def _check_content(content: JsonObject, field: str) -> None:
    _known(content, ("role", "parts"), field)
    if content.get("role") not in (None, "user", "model", "function", "system"):
        refuse(f"{field}.role", "Please use a valid role: user, model.")
    if field != "system_instruction" and content.get("role") == "system":
        refuse(f"{field}.role", "Please use a valid role: user, model.")
    for index, each in enumerate(needed_list(content.get("parts"), f"{field}.parts")):
        place = f"{field}.parts[{index}]"
        part = needed_object(each, place)
        _known(part, _PART, place)
        given = [to_camel(name) for name in part if to_camel(name) in _PARTS]
        if len(given) > 1:
            refuse(place, f"oneof field 'data' is already set: {', '.join(given)}")
        if not given and "thoughtSignature" not in part:
            refuse(f"{place}.data", "required oneof field 'data' must have one initialized field")
        _check_data(part, place)


def _check_data(part: JsonObject, field: str) -> None:
    if "text" in part and not isinstance(part["text"], str):
        refuse(f"{field}.text", "Expected a text")
    inline = part.get(spelling(part, "inlineData"))
    if inline is not None:
        found = needed_object(inline, f"{field}.inline_data")
        needed_text(found.get(spelling(found, "mimeType")), f"{field}.inline_data.mime_type")
        needed_text(found.get("data"), f"{field}.inline_data.data")
    call = part.get(spelling(part, "functionCall"))
    if call is not None:
        place = f"{field}.function_call"
        found = needed_object(call, place)
        _known(found, ("id", "name", "args", "partialArgs", "willContinue"), place)
        needed_text(found.get("name"), f"{place}.name")
        if found.get("args") is not None:
            needed_object(found["args"], f"{place}.args")
    response = part.get(spelling(part, "functionResponse"))
    if response is not None:
        place = f"{field}.function_response"
        found = needed_object(response, place)
        _known(found, ("id", "name", "response", "willContinue", "scheduling", "parts"), place)
        needed_text(found.get("name"), f"{place}.name")
        needed_object(found.get("response"), f"{place}.response")


def _check_config(config: JsonObject) -> None:
    field = "generation_config"
    _known(config, _CONFIG, field)
    count(config.get(spelling(config, "maxOutputTokens")), f"{field}.max_output_tokens")
    if config.get(spelling(config, "candidateCount")) not in (None, 1):
        refuse(f"{field}.candidate_count", "the scripted provider gives one candidate")
    schema = config.get(spelling(config, "responseSchema"))
    plain = config.get(spelling(config, "responseJsonSchema"))
    if schema is not None:
        _check_schema(schema, f"{field}.response_schema")
    if (schema is not None or plain is not None) and config.get(
        spelling(config, "responseMimeType")
    ) not in ("application/json", "text/x.enum"):
        refuse(
            f"{field}.response_mime_type",
            "Function calling or a response schema needs response mime type 'application/json'",
        )
    thinking = object_at(config, spelling(config, "thinkingConfig"))
    names = ("includeThoughts", "thinkingBudget", "thinkingLevel")
    _known(thinking, names, f"{field}.thinking_config")


def _check_tools(request: JsonObject) -> None:
    for index, each in enumerate(list_at(request, "tools")):
        _known(needed_object(each, f"tools[{index}]"), _TOOL, f"tools[{index}]")
    names: list[str] = []
    for index, each in enumerate(declarations(request)):
        field = f"tools.function_declarations[{index}]"
        _known(each, _DECLARATION, field)
        names.append(needed_text(each.get("name"), f"{field}.name"))
        if each.get("parameters") is not None:
            _check_schema(each["parameters"], f"{field}.parameters")
    if len(set(names)) < len(names):
        refuse("tools", "Duplicate function declaration found")
    config = object_at(request, spelling(request, "toolConfig"))
    calling = object_at(config, spelling(config, "functionCallingConfig"))
    if text_at(calling, "mode") not in ("", "AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"):
        refuse("tool_config.function_calling_config.mode", "Invalid value")
    for name in list_at(calling, spelling(calling, "allowedFunctionNames")):
        if name not in names:
            refuse(
                "tool_config.function_calling_config.allowed_function_names",
                f"{name} is not declared",
            )


def _check_schema(value: JsonValue, field: str) -> None:
    """Gemini's own Schema, a part of OpenAPI: most keywords of JSON Schema are unknown to it."""
    schema = needed_object(value, field)
    _known(schema, _SCHEMA, field)
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind.upper() not in _TYPES):
        refuse(f"{field}.type", "Invalid value")
    for name, each in object_at(schema, "properties").items():
        _check_schema(each, f"{field}.properties[{name}]")
    if schema.get("items") is not None:
        _check_schema(schema["items"], f"{field}.items")
    for index, each in enumerate(list_at(schema, spelling(schema, "anyOf"))):
        _check_schema(each, f"{field}.any_of[{index}]")
