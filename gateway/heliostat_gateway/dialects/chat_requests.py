"""Requests of chat completions, read into the inner form.

Beside the fields of Messages the inner form keeps what Gemini can say and Messages cannot: `seed`,
`frequency_penalty`, `presence_penalty`, the effort `minimal`, the format `json_object`, and no
`max_tokens` where the caller gave none.
"""

from pydantic import JsonValue

from heliostat_gateway.dialects.blocks import objects, picked
from heliostat_gateway.dialects.chat_history import read_history
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.thinking import read_effort
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

_EMPTY_SCHEMA: JsonObject = {"type": "object", "properties": {}}


def read_chat_request(document: JsonObject, model: str) -> JsonObject:
    """The inner form of a request. Raises UntranslatableError."""
    inner: JsonObject = {"model": model, **read_history(document)}
    limit = count_at(document, "max_completion_tokens") or count_at(document, "max_tokens")
    if limit:
        inner["max_tokens"] = limit
    if stop := _stop_sequences(document.get("stop")):
        inner["stop_sequences"] = stop
    if user := text_at(document, "safety_identifier") or text_at(document, "user"):
        inner["metadata"] = {"user_id": user}
    inner |= picked(
        document, "stream", "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"
    )
    inner |= picked(document, "cache_control")
    inner |= _tools(document)
    if effort := text_at(document, "reasoning_effort"):
        forced = object_at(inner, "tool_choice").get("type") in ("any", "tool")
        inner |= read_effort(effort, forced)
    if answer_format := _format(document):
        inner["output_config"] = {**object_at(inner, "output_config"), "format": answer_format}
    return inner


def _stop_sequences(stop: JsonValue) -> list[JsonValue]:
    if isinstance(stop, str):
        return [stop]
    return [text for text in stop if isinstance(text, str)] if isinstance(stop, list) else []


def _format(document: JsonObject) -> JsonObject:
    asked = object_at(document, "response_format")
    if asked.get("type") == "json_object":
        return {"type": "json_object"}
    if asked.get("type") != "json_schema":
        return {}
    schema = object_at(object_at(asked, "json_schema"), "schema")
    if not schema:
        raise UntranslatableError(
            "response_format.json_schema.schema", "must be a JSON schema with at least a type"
        )
    return {"type": "json_schema", "schema": schema}


def _tools(document: JsonObject) -> JsonObject:
    functions = list_at(document, "tools")
    if not functions:
        return {}
    tools = [_tool(tool, index) for index, tool in enumerate(objects(functions))]
    choice = _choice(document.get("tool_choice"))
    allowed = _allowed(document.get("tool_choice"))
    if allowed is not None:
        tools = [tool for tool in tools if tool["name"] in allowed]
    if document.get("parallel_tool_calls") is False and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    fields: JsonObject = {"tools": [*tools]}
    return {**fields, "tool_choice": choice} if choice else fields


def _tool(tool: JsonObject, index: int) -> JsonObject:
    function = object_at(tool, "function")
    name = text_at(function, "name")
    if not name:
        raise UntranslatableError(f"tools[{index}].function.name", "must be the tool's name")
    schema = object_at(function, "parameters") or _EMPTY_SCHEMA
    mark = picked(tool, "cache_control") or picked(function, "cache_control")
    return {
        "name": name,
        **picked(function, "description", "strict"),
        "input_schema": schema,
        **mark,
    }


def _choice(choice: JsonValue) -> JsonObject:
    if isinstance(choice, dict) and choice.get("type") == "function":
        return {"type": "tool", "name": text_at(object_at(choice, "function"), "name")}
    if isinstance(choice, dict):
        choice = object_at(choice, "allowed_tools").get("mode")
    kinds = {"none": "none", "auto": "auto", "required": "any"}
    kind = kinds.get(choice) if isinstance(choice, str) else None
    return {"type": kind} if kind else {}


def _allowed(choice: JsonValue) -> set[str] | None:
    """Names of the only tools that may be called; None when all may."""
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return None
    tools = objects(list_at(object_at(choice, "allowed_tools"), "tools"))
    return {text_at(object_at(tool, "function"), "name") for tool in tools}
