"""Conditions of rules: what a value must be like for its field to be dropped or refused."""

from collections.abc import Callable
from typing import Final, TypeGuard

from pydantic import JsonValue

from heliostat_gateway.dialects.reasoning_details import is_detailed_thinking
from heliostat_gateway.dialects.signatures import is_anthropic_thinking, is_gemini_thinking
from heliostat_json.objects import JsonObject, object_at

LONGEST_USER: Final = 64  # OpenAI's limit


def is_given(value: JsonValue) -> bool:
    """Whether a value asks for something: null, false, zero and empty do not."""
    return bool(value)


def is_set(value: JsonValue) -> bool:
    """Whether there is a value at all, zero included."""
    return value is not None


def is_none_of(*names: str | None) -> Callable[[JsonValue], bool]:
    """A value that is none of `names`."""
    return lambda value: value not in names


def is_any_of(*names: str) -> Callable[[JsonValue], bool]:
    """A value that is one of `names`."""
    return lambda value: value in names


def is_thinking(value: JsonValue) -> TypeGuard[JsonObject]:
    """A thinking block, redacted or not."""
    return isinstance(value, dict) and value.get("type") in ("thinking", "redacted_thinking")


def is_thinking_for_others(value: JsonValue) -> bool:
    """A thinking block that was not signed by Gemini."""
    return is_thinking(value) and not is_gemini_thinking(value)


def is_thinking_without_details(value: JsonValue) -> bool:
    """A thinking block that does not come from OpenRouter."""
    return is_thinking(value) and not is_detailed_thinking(value)


def is_unsigned_for_anthropic(value: JsonValue) -> bool:
    """A thinking block that no model of Anthropic has signed."""
    return is_thinking(value) and not is_anthropic_thinking(value)


def is_long(value: JsonValue) -> bool:
    """A user id that is longer than OpenAI takes, such as the JSON text of Claude Code."""
    return isinstance(value, str) and len(value) > LONGEST_USER


def is_several(value: JsonValue) -> bool:
    """A number of choices other than one."""
    return value not in (None, 1)


def is_pdf_by_address(value: JsonValue) -> bool:
    """A document that the provider would have to fetch."""
    return (
        isinstance(value, dict)
        and value.get("type") == "document"
        and object_at(value, "source").get("type") == "url"
    )


def is_more_than_text(value: JsonValue) -> bool:
    """Modalities with anything but text."""
    return isinstance(value, list) and any(item != "text" for item in value)


def is_called(value: JsonValue) -> bool:
    """The caller of a tool call, when it is not the model itself."""
    return isinstance(value, dict) and value.get("type") != "direct"


def is_called_by_code(value: JsonValue) -> bool:
    """Callers of a tool other than the model itself."""
    return isinstance(value, list) and any(item != "direct" for item in value)
