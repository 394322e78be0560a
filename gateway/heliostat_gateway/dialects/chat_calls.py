"""Requests in the inner form, written for a provider that speaks chat completions."""

from pydantic import JsonValue

from heliostat_gateway.dialects.blocks import objects, picked, texts_of
from heliostat_gateway.dialects.chat_turns import write_turns
from heliostat_gateway.dialects.conditions import is_long
from heliostat_gateway.dialects.thinking import effort_of
from heliostat_json.objects import JsonObject, list_at, object_at, text_at

SCHEMA_NAME = "answer"  # chat completions want a name; Messages has none


def write_chat_request(inner: JsonObject) -> JsonObject:
    """The request; a stream asks for its usage, which OpenAI gives only then."""
    document: JsonObject = {"model": inner["model"], "messages": [*_messages(inner)]}
    if limit := inner.get("max_tokens"):
        document["max_completion_tokens"] = limit
    if stop := list_at(inner, "stop_sequences"):
        document["stop"] = stop
    document |= picked(inner, "temperature", "top_p")
    user = object_at(inner, "metadata").get("user_id")
    if user and not is_long(user):
        document["user"] = user
    if inner.get("stream"):
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    document |= _tools(inner)
    if effort := effort_of(inner):
        document["reasoning_effort"] = effort
    schema = object_at(object_at(inner, "output_config"), "format").get("schema")
    if schema:
        document["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": SCHEMA_NAME, "schema": schema, "strict": is_strict(schema)},
        }
    return document


def _messages(inner: JsonObject) -> list[JsonObject]:
    system = "\n\n".join(texts_of(inner.get("system")))
    turns = write_turns(objects(list_at(inner, "messages")))
    return [{"role": "system", "content": system}, *turns] if system else turns


def _tools(inner: JsonObject) -> JsonObject:
    tools = objects(list_at(inner, "tools"))
    if not tools:
        return {}
    fields: JsonObject = {"tools": [_tool(tool) for tool in tools]}
    choice = object_at(inner, "tool_choice")
    if written := _choice(choice):
        fields["tool_choice"] = written
    if choice.get("disable_parallel_tool_use"):
        fields["parallel_tool_calls"] = False
    return fields


def _tool(tool: JsonObject) -> JsonObject:
    function = picked(tool, "name", "description", "strict")
    return {"type": "function", "function": {**function, "parameters": tool.get("input_schema")}}


def _choice(choice: JsonObject) -> JsonValue:
    kind = text_at(choice, "type")
    if kind == "tool":
        return {"type": "function", "function": {"name": choice.get("name")}}
    return {"auto": "auto", "any": "required", "none": "none"}.get(kind)


def is_strict(schema: JsonValue) -> bool:
    """Whether OpenAI takes a schema as strict: closed objects, every property required."""
    if isinstance(schema, list):
        return all(is_strict(each) for each in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = object_at(schema, "properties")
        if schema.get("additionalProperties") is not False:
            return False
        if set(properties) != set(map(str, list_at(schema, "required"))):
            return False
    return all(is_strict(each) for each in schema.values())
