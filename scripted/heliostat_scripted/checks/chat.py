"""Requests that the chat completions API refuses."""

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, list_at, object_at, text_at
from heliostat_scripted.checks import (
    TOOL_NAME,
    count,
    known_fields,
    needed_list,
    needed_object,
    needed_text,
    one_of,
    refuse,
    switch,
    words,
)

_FIELDS = words(
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens messages metadata modalities model moderation n parallel_tool_calls prediction "
    "presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention "
    "reasoning_effort response_format safety_identifier seed service_tier stop store stream "
    "stream_options temperature tool_choice tools top_logprobs top_p user verbosity "
    "web_search_options"
)
_ROLES = words("developer system user assistant tool")
_USER_PARTS = frozenset({"text", "image_url", "input_audio", "file"})
_MOST_STOPS = 4
_OTHER_PARTS = {"assistant": frozenset({"text", "refusal"})}


def check_chat(request: JsonObject) -> None:
    """Raises RefusedError."""
    known_fields(request, _FIELDS)
    needed_text(request.get("model"), "model")
    switch(request.get("stream"), "stream")
    count(request.get("max_tokens"), "max_tokens")
    count(request.get("max_completion_tokens"), "max_completion_tokens")
    if request.get("n") not in (None, 1):
        refuse("n", "the scripted provider gives one choice")
    if request.get("stream_options") is not None and request.get("stream") is not True:
        refuse("stream_options", "is only allowed when 'stream' is enabled")
    _check_messages(request)
    _check_tools(request)
    _check_format(request)


def _check_messages(request: JsonObject) -> None:
    open_calls: list[str] = []
    answering = False
    messages = needed_list(request.get("messages"), "messages")
    for index, each in enumerate(messages):
        field = f"messages[{index}]"
        message = needed_object(each, field)
        role = one_of(message.get("role"), _ROLES, f"{field}.role")
        if role == "tool":
            _check_answer(message, field, open_calls, answering=answering)
            open_calls.remove(text_at(message, "tool_call_id"))
            continue
        _check_answered(open_calls, field)
        _check_content(message, role, field)
        open_calls = _calls(message, field) if role == "assistant" else []
        answering = bool(open_calls)
    _check_answered(open_calls, f"messages[{len(messages) - 1}]")


def _check_answer(
    message: JsonObject, field: str, open_calls: list[str], *, answering: bool
) -> None:
    called = needed_text(message.get("tool_call_id"), f"{field}.tool_call_id")
    if not answering:
        refuse(
            f"{field}.role",
            "messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
        )
    if called not in open_calls:
        refuse(f"{field}.tool_call_id", f"'{called}' is no open call of the message before")
    if not isinstance(message.get("content"), str | list):
        refuse(f"{field}.content", "expected a text or a list of parts")


def _check_answered(open_calls: list[str], field: str) -> None:
    if open_calls:
        refuse(
            field,
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(open_calls)}",
        )


def _check_content(message: JsonObject, role: str, field: str) -> None:
    content = message.get("content")
    if content is None:
        if role != "assistant":
            refuse(f"{field}.content", "expected a text or a list of parts, got null")
        if not (message.get("tool_calls") or message.get("refusal") or message.get("audio")):
            refuse(f"{field}.content", "is needed unless there are tool_calls")
        return
    if isinstance(content, str):
        return
    kinds = _USER_PARTS if role == "user" else _OTHER_PARTS.get(role, frozenset({"text"}))
    for index, each in enumerate(needed_list(content, f"{field}.content")):
        place = f"{field}.content[{index}]"
        part = needed_object(each, place)
        kind = one_of(part.get("type"), kinds, f"{place}.type")
        if kind == "text" and not isinstance(part.get("text"), str):
            refuse(f"{place}.text", "expected a text")
        if kind == "image_url":
            _check_image(part, place)
        if kind == "file":
            needed_object(part.get("file"), f"{place}.file")


def _check_image(part: JsonObject, field: str) -> None:
    image = needed_object(part.get("image_url"), f"{field}.image_url")
    url = needed_text(image.get("url"), f"{field}.image_url.url")
    if not url.startswith(("https://", "http://", "data:image/")):
        refuse(f"{field}.image_url.url", "expected a URL or a data URL of an image")


def _calls(message: JsonObject, field: str) -> list[str]:
    if message.get("tool_calls") is None:
        return []
    names: list[str] = []
    for index, each in enumerate(needed_list(message["tool_calls"], f"{field}.tool_calls")):
        place = f"{field}.tool_calls[{index}]"
        call = needed_object(each, place)
        one_of(call.get("type"), ("function",), f"{place}.type")
        function = needed_object(call.get("function"), f"{place}.function")
        needed_text(function.get("name"), f"{place}.function.name")
        if not isinstance(function.get("arguments"), str):
            refuse(f"{place}.function.arguments", "expected a text that holds JSON")
        names.append(needed_text(call.get("id"), f"{place}.id"))
    if len(set(names)) < len(names):
        refuse(f"{field}.tool_calls", "ids must be unique")
    return names


def _check_tools(request: JsonObject) -> None:
    if request.get("tools") is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if request.get(name) is not None:
                refuse(name, "is only allowed when 'tools' are specified")
        return
    names = [
        _check_tool(each, f"tools[{index}]")
        for index, each in enumerate(needed_list(request["tools"], "tools"))
    ]
    choice: JsonValue = request.get("tool_choice")
    if isinstance(choice, str):
        one_of(choice, ("none", "auto", "required"), "tool_choice")
    elif choice is not None:
        wanted = text_at(object_at(needed_object(choice, "tool_choice"), "function"), "name")
        if wanted not in names:
            refuse("tool_choice", f"the function '{wanted}' is not in 'tools'")


def _check_tool(each: JsonValue, field: str) -> str:
    tool = needed_object(each, field)
    one_of(tool.get("type"), ("function",), f"{field}.type")
    function = needed_object(tool.get("function"), f"{field}.function")
    name = needed_text(function.get("name"), f"{field}.function.name")
    if not TOOL_NAME.match(name):
        refuse(f"{field}.function.name", f"does not match pattern '{TOOL_NAME.pattern}'")
    if function.get("parameters") is not None:
        schema = needed_object(function["parameters"], f"{field}.function.parameters")
        if schema and schema.get("type") != "object":
            refuse(f"{field}.function.parameters", 'schema must be of type "object"')
    return name


def _check_format(request: JsonObject) -> None:
    if request.get("response_format") is not None:
        given = needed_object(request["response_format"], "response_format")
        kinds = ("text", "json_object", "json_schema")
        if one_of(given.get("type"), kinds, "response_format.type") == "json_schema":
            schema = needed_object(given.get("json_schema"), "response_format.json_schema")
            needed_text(schema.get("name"), "response_format.json_schema.name")
    stops = request.get("stop")
    several = len(list_at(request, "stop"))
    if stops is not None and not isinstance(stops, str) and not 1 <= several <= _MOST_STOPS:
        refuse("stop", f"expected a text or one to {_MOST_STOPS} texts")
