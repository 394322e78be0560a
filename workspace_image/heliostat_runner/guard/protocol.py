"""What Claude Code asks a hook and what a hook answers, as decision 0020 has tried it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..jsonvalue import JsonObject, dump, look, text_at

CANARY = "HeliostatCanary"
"""The tool of the event that must come back deferred before Claude Code is started."""


class Event(StrEnum):
    BEFORE_TOOL = "PreToolUse"
    AFTER_TOOL = "PostToolUse"
    AFTER_FAILURE = "PostToolUseFailure"
    PROMPT = "UserPromptSubmit"


class Permission(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    DEFER = "defer"


@dataclass(frozen=True)
class Question:
    """A call that Claude Code is about to make."""

    tool_use_id: str
    tool: str
    input: JsonObject
    cwd: str
    in_sub_agent: bool = False

    @property
    def in_background(self) -> bool:
        return self.input.get("run_in_background") is True


def read_question(event: JsonObject) -> Question | None:
    """The call of a PreToolUse event; None for an event that names none."""
    arguments = look(event, "tool_input")
    names = (text_at(event, "tool_use_id"), text_at(event, "tool_name"), text_at(event, "cwd"))
    if not all(names) or not isinstance(arguments, dict):
        return None
    return Question(*names[:2], arguments, names[2], look(event, "agent_id") is not None)


def build_answer(permission: Permission, words: str) -> JsonObject:
    """Never with `updatedInput`: the changed input would run and the history not show it."""
    return {
        "hookSpecificOutput": {
            "hookEventName": Event.BEFORE_TOOL.value,
            "permissionDecision": permission.value,
            "permissionDecisionReason": words,
        }
    }


def read_permission(answer: JsonObject) -> str:
    """What an answer decides; empty where it decides nothing."""
    return text_at(answer, "hookSpecificOutput", "permissionDecision")


def build_canary(tool_use_id: str, cwd: str) -> JsonObject:
    """An event as Claude Code sends it, of a tool that nobody has."""
    return {
        "hook_event_name": Event.BEFORE_TOOL.value,
        "tool_name": CANARY,
        "tool_input": {},
        "tool_use_id": tool_use_id,
        "cwd": cwd,
    }


def summarize_response(event: JsonObject) -> str:
    """What a tool gave back, in short: its error, what it printed, or all of it as JSON."""
    error = text_at(event, "error")
    if error:
        return error
    response = look(event, "tool_response")
    if isinstance(response, str):
        return response
    printed = [text_at(response, "stdout").strip(), text_at(response, "stderr").strip()]
    return "\n".join(filter(None, printed)) or ("" if _is_shell(response) else dump(response))


def _is_shell(response: object) -> bool:
    return isinstance(response, dict) and "stdout" in response
