"""Requests that the Messages API refuses."""

from collections.abc import Iterator, Mapping
from itertools import groupby

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
from heliostat_scripted.checks.message_blocks import check_content

_FIELDS = words(
    "cache_control container diagnostics inference_geo max_tokens messages metadata model "
    "output_config service_tier speed stop_sequences stream system temperature thinking "
    "tool_choice tools top_k top_p user_profile_id workspace_id"
)
_MOST_BREAKPOINTS = 4
_SMALLEST_BUDGET = 1024


def check_messages(request: JsonObject, *, beta: bool, counts_only: bool = False) -> None:
    """Raises RefusedError. `beta`: a beta header is there, so more fields may be known."""
    if not beta:
        known_fields(request, _FIELDS)
    needed_text(request.get("model"), "model")
    if not counts_only:
        count(request.get("max_tokens"), "max_tokens", needed=True)
    switch(request.get("stream"), "stream")
    messages = [
        needed_object(message, f"messages.{index}")
        for index, message in enumerate(needed_list(request.get("messages"), "messages"))
    ]
    for index, message in enumerate(messages):
        role = one_of(
            message.get("role"), ("user", "assistant", "system"), f"messages.{index}.role"
        )
        is_last = index == len(messages) - 1
        check_content(message.get("content"), role, f"messages.{index}.content", is_last=is_last)
    if text_at(messages[0], "role") == "assistant":
        refuse("messages.0.role", 'first message must use the "user" role')
    _check_pairs(messages)
    _check_system(request.get("system"))
    _check_tools(request)
    _check_thinking(request)
    if sum(1 for _ in _breakpoints(request)) > _MOST_BREAKPOINTS:
        refuse("cache_control", f"A maximum of {_MOST_BREAKPOINTS} blocks may have it")


def _check_pairs(messages: list[JsonObject]) -> None:
    """Each tool_use is answered in the next message, each tool_result answers one."""
    spoken = [(i, each) for i, each in enumerate(messages) if each.get("role") != "system"]
    runs = [list(run) for _, run in groupby(spoken, lambda pair: pair[1].get("role"))]
    asked: list[str] = []
    for run in runs:
        index = run[0][0]
        answered = [text_at(block, "tool_use_id") for block in _all(run, "tool_result")]
        for name in answered:
            if name not in asked:
                refuse(
                    f"messages.{index}.content",
                    f"unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each "
                    "`tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message.",
                )
        missing = [name for name in asked if name not in answered]
        if missing:
            refuse(
                f"messages.{index - 1}",
                "`tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}.",
            )
        if len(set(answered)) < len(answered):
            refuse(f"messages.{index}.content", "each tool_use must have a single result")
        asked = [text_at(block, "id") for block in _all(run, "tool_use")]
        if len(set(asked)) < len(asked):
            refuse(f"messages.{index}.content", "`tool_use` ids must be unique")
    if asked:
        refuse(
            f"messages.{len(messages) - 1}",
            f"`tool_use` ids were found without `tool_result` blocks: {', '.join(asked)}.",
        )


def _all(run: list[tuple[int, JsonObject]], kind: str) -> Iterator[JsonObject]:
    for _, message in run:
        for block in list_at(message, "content"):
            if isinstance(block, dict) and block.get("type") == kind:
                yield block


def _check_system(system: JsonValue) -> None:
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        refuse("system", "Input should be a text or a list of text blocks")
    for index, block in enumerate(system):
        one_of(needed_object(block, f"system.{index}").get("type"), ("text",), f"system.{index}")
        needed_text(needed_object(block, "system").get("text"), f"system.{index}.text")


def _check_tools(request: JsonObject) -> None:
    names: list[str] = []
    for index, each in enumerate(list_at(request, "tools")):
        field = f"tools.{index}"
        tool = needed_object(each, field)
        name = needed_text(tool.get("name"), f"{field}.name")
        if not TOOL_NAME.match(name):
            refuse(f"{field}.name", f"String should match pattern '{TOOL_NAME.pattern}'")
        if text_at(tool, "type") in ("", "custom"):
            schema = needed_object(tool.get("input_schema"), f"{field}.input_schema")
            if schema.get("type") != "object":
                refuse(f"{field}.input_schema.type", "Input should be 'object'")
        names.append(name)
    if len(set(names)) < len(names):
        refuse("tools", "Tool names must be unique.")
    choice = object_at(request, "tool_choice")
    if choice:
        kind = one_of(choice.get("type"), ("auto", "any", "tool", "none"), "tool_choice.type")
        if not names:
            refuse("tool_choice", "may only be specified while providing tools")
        if kind == "tool" and text_at(choice, "name") not in names:
            refuse("tool_choice.name", f"Tool '{text_at(choice, 'name')}' not found in tools")


def _check_thinking(request: JsonObject) -> None:
    thinking = request.get("thinking")
    if thinking is None:
        return
    given = needed_object(thinking, "thinking")
    kinds = ("enabled", "disabled", "between_tools", "adaptive")
    if one_of(given.get("type"), kinds, "thinking.type") != "enabled":
        return
    budget, most = given.get("budget_tokens"), request.get("max_tokens")
    if not isinstance(budget, int) or budget < _SMALLEST_BUDGET:
        refuse("thinking.budget_tokens", f"Input should be {_SMALLEST_BUDGET} or more")
    if isinstance(most, int) and budget >= most:
        refuse("max_tokens", "must be greater than thinking.budget_tokens")


def _breakpoints(value: JsonValue) -> Iterator[JsonValue]:
    """Every cache_control, but not those inside of tool inputs and schemas."""
    if isinstance(value, list):
        for item in value:
            yield from _breakpoints(item)
    elif isinstance(value, Mapping):
        if value.get("cache_control") is not None:
            yield value["cache_control"]
        for name in ("tools", "system", "messages", "content"):
            yield from _breakpoints(value.get(name))
