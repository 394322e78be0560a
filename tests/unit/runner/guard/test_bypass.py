from __future__ import annotations

import pytest

from heliostat_runner.guard.bypass import StreamCheck
from heliostat_runner.jsonvalue import JsonObject

INIT: JsonObject = {"type": "system", "subtype": "init"}


def result_of(call: str, content: object, is_error: bool = True) -> JsonObject:
    block = {"type": "tool_result", "tool_use_id": call, "content": content, "is_error": is_error}
    return {"type": "user", "message": {"content": [block]}}  # type: ignore[list-item]


def test_what_the_hook_was_asked_about_is_in_order() -> None:
    check = StreamCheck(greeted=True, asked={"a", "b"})

    for event in (INIT, result_of("a", "done", False), result_of("b", "Exit code 1")):
        check.see(event)
    check.see({"type": "result", "deferred_tool_use": {"id": "b"}})

    assert check.bypass == ""


def test_a_process_that_begins_without_the_hook_has_passed_by() -> None:
    check = StreamCheck()

    check.see({"type": "system", "subtype": "status"})
    assert check.bypass == ""
    check.see(INIT)

    assert check.bypass == "Claude Code began without the guard's hook"


@pytest.mark.parametrize(
    ("content", "is_error"),
    [
        ("done", False),
        ("Exit code 1", True),
        ("<tool_use_error>done", False),
        ("hook failed", True),
    ],
)
def test_a_result_without_a_question_has_passed_by(content: str, is_error: bool) -> None:
    check = StreamCheck(greeted=True, asked={"a"})

    check.see(result_of("b", content, is_error))
    check.see(result_of("c", content, is_error))

    assert check.bypass == "the call b was made without the guard's hook"


@pytest.mark.parametrize(
    "content",
    [
        "<tool_use_error>Error: No such tool available: X</tool_use_error>",
        [{"type": "text", "text": "<tool_use_error>InputValidationError: x</tool_use_error>"}],
    ],
)
def test_what_claude_code_refuses_by_itself_is_asked_by_nobody(content: object) -> None:
    check = StreamCheck(greeted=True)

    check.see(result_of("a", content))

    assert check.bypass == ""


def test_a_call_that_somebody_else_deferred_has_passed_by() -> None:
    check = StreamCheck(greeted=True)

    check.see({"type": "result", "deferred_tool_use": {"id": "b"}})

    assert check.bypass == "the call b was deferred without the guard's hook"
