"""Events in the shapes that Claude Code 2.1 prints."""

from __future__ import annotations

import pytest

from heliostat_runner.conversation import Conversation
from heliostat_runner.jsonvalue import JsonObject, JsonValue
from heliostat_runner.reasons import Reason
from heliostat_runner.result import Usage
from heliostat_runner.verdict import decide_claude


def stream(event: JsonObject, parent: str | None = None) -> JsonObject:
    return {"type": "stream_event", "event": event, "parent_tool_use_id": parent}


def start(message_id: str, tokens: int = 10, parent: str | None = None) -> JsonObject:
    usage: JsonObject = {"input_tokens": tokens, "output_tokens": 1, "cache_read_input_tokens": 3}
    message: JsonObject = {"id": message_id, "usage": usage}
    return stream({"type": "message_start", "message": message}, parent)


def stop(reason: str | None, tokens: int = 5, parent: str | None = None) -> JsonObject:
    usage: JsonObject = {"input_tokens": None, "output_tokens": tokens}
    delta: JsonObject = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}
    return stream(delta, parent)


def assistant(
    message_id: str, block: JsonObject, parent: str | None = None, **more: JsonValue
) -> JsonObject:
    message: JsonObject = {"id": message_id, "model": "m", "content": [block]}
    event: JsonObject = {"type": "assistant", "message": message, "parent_tool_use_id": parent}
    return event | more


def tool(tool_id: str, name: str = "Bash") -> JsonObject:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": {}}


def answered(tool_id: str) -> JsonObject:
    return {
        "type": "user",
        "message": {"content": [{"type": "tool_result", "tool_use_id": tool_id}]},
    }


def result(**changes: JsonValue) -> JsonObject:
    event: JsonObject = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "terminal_reason": "completed",
        "stop_reason": "end_turn",
        "api_error_status": None,
        "result": "done",
        "permission_denials": [],
    }
    return event | changes


def told(*events: JsonObject) -> Conversation:
    conversation = Conversation()
    for event in events:
        conversation.see(event)
    return conversation


def test_usage_is_the_last_word_of_each_message() -> None:
    conversation = told(
        start("m1"),
        assistant("m1", {"type": "text", "text": "a"}),
        stop("tool_use", 50),
        start("m2", 20),
        stop("end_turn", 7),
    )

    assert conversation.usage == Usage(input=30, output=57, cache_read=6, cache_write=0)
    assert conversation.turns == 2


def test_turns_of_sub_agents_do_not_count_but_their_tokens_do() -> None:
    conversation = told(
        start("m1"),
        stop("tool_use"),
        start("s1", parent="t"),
        start("s2", parent="u"),
        stop("end_turn", 50, parent="t"),
        stop("end_turn", 7, parent="u"),
    )

    assert conversation.turns == 1
    assert conversation.usage == Usage(input=30, output=62, cache_read=9, cache_write=0)
    assert conversation.second_attempts == 0


def test_an_api_retry_is_one_second_attempt() -> None:
    retry: JsonObject = {"type": "system", "subtype": "api_retry", "attempt": 1}

    assert told(start("m1"), retry, start("m2"), stop("end_turn")).second_attempts == 1


def test_an_answer_that_was_never_finished_and_begins_again_is_one_too() -> None:
    assert told(start("m1"), start("m2"), stop("end_turn")).second_attempts == 1
    assert told(start("m1"), stop("tool_use"), start("m2"), stop("end_turn")).second_attempts == 0
    assert told(start("s1", parent="t"), start("s2", parent="t")).second_attempts == 1


def test_claude_code_asking_again_by_itself_is_one_too() -> None:
    again: JsonObject = {"type": "user", "isSynthetic": True, "message": {"content": []}}

    assert told(start("m1"), stop("max_tokens"), again).second_attempts == 1
    assert told(start("m1"), stop("tool_use"), again).second_attempts == 0


def test_tools_are_open_until_their_result_but_sub_agents_never() -> None:
    conversation = told(assistant("m1", tool("t1")), assistant("m1", tool("t2", "Agent")))
    assert conversation.open_tools == {"t1"}

    conversation.see(answered("t1"))
    assert conversation.open_tools == set()


def test_what_shows_that_work_moves_on() -> None:
    conversation = Conversation()

    assert conversation.see(start("m1"))
    assert conversation.see({"type": "system", "subtype": "api_retry"})
    assert not conversation.see(stream({"type": "ping"}))
    assert not conversation.see({"type": "tool_progress", "tool_use_id": "t1"})


def test_tokens_count_to_the_limit_until_the_last_answer() -> None:
    assert told(start("m1"), stop("tool_use")).tokens_to_limit == 18
    assert told(start("m1"), stop("end_turn")).tokens_to_limit == 0


def test_the_last_answer_of_a_sub_agent_lifts_no_limit() -> None:
    """The others go on, and would use up any number of tokens."""
    conversation = told(start("m1"), stop("tool_use"), start("s1", parent="t"))
    conversation.see(stop("end_turn", parent="t"))

    assert conversation.tokens_to_limit == conversation.usage.total == 36


BUDGET = "The budget guests has reached its cost limit: $5 of $5. It starts anew at 0:00."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"result": " \n"}, Reason.EMPTY_RESULT),
        ({"stop_reason": "refusal", "is_error": True}, Reason.REFUSAL),
        ({"terminal_reason": "max_turns", "is_error": True}, Reason.TURN_LIMIT_REACHED),
        ({"terminal_reason": "aborted_tools"}, Reason.AGENT_ERROR),
        ({"is_error": True, "api_error_status": 402}, Reason.COST_LIMIT_REACHED),
        (
            {"is_error": True, "api_error_status": 402, "result": "API Error: 402 Token limit"},
            Reason.TOKEN_LIMIT_REACHED,
        ),
        (
            {"is_error": True, "api_error_status": 429, "result": f"429 {BUDGET}"},
            Reason.COST_LIMIT_REACHED,
        ),
        ({"is_error": True, "api_error_status": 401}, Reason.KEY_REFUSED),
        ({"is_error": True, "api_error_status": 403}, Reason.KEY_REFUSED),
        ({"is_error": True, "api_error_status": 404}, Reason.MODEL_UNAVAILABLE),
        ({"is_error": True, "api_error_status": 429}, Reason.PROVIDER_FAILED),
        ({"is_error": True, "api_error_status": 408}, Reason.PROVIDER_FAILED),
        ({"is_error": True, "api_error_status": 500}, Reason.PROVIDER_FAILED),
        ({"is_error": True, "api_error_status": 503}, Reason.PROVIDER_FAILED),
        ({"is_error": True, "api_error_status": 499}, Reason.AGENT_ERROR),
        ({"is_error": True, "api_error_status": 400}, Reason.AGENT_ERROR),
        ({"is_error": True}, Reason.AGENT_ERROR),
    ],
)
def test_the_result_event_decides_and_never_its_subtype(
    changes: dict[str, JsonValue], reason: Reason | None
) -> None:
    conversation = told(result(**changes))

    verdict = decide_claude(conversation, 1 if changes.get("is_error") else 0, False, "")

    assert (verdict and verdict.reason) is reason


def failed_call(error: str, parent: str | None = None) -> JsonObject:
    """What Claude Code puts in the place of an answer."""
    text: JsonObject = {"type": "text", "text": f"API Error: {error}"}
    message: JsonObject = {"model": "<synthetic>", "content": [text]}
    return assistant("x", text, parent, api_error=error) | {"message": message}


LIMIT = "API Error: Rate limit reached"


@pytest.mark.parametrize(
    "events",
    [
        (result(is_error=True, api_error_status=429, result=LIMIT),),
        (result(api_error_status=429, result=LIMIT),),
        (failed_call("rate_limit"), result(stop_reason="stop_sequence", result=LIMIT)),
    ],
    ids=["it says that it failed", "only the status says it", "only the answer before says it"],
)
def test_a_limit_that_comes_with_a_good_exit_code_is_no_success(
    events: tuple[JsonObject, ...],
) -> None:
    verdict = decide_claude(told(*events), 0, False, "")

    assert verdict is not None
    assert verdict.reason is Reason.PROVIDER_FAILED


def test_a_call_that_failed_on_the_way_is_no_failure_of_the_run() -> None:
    text: JsonObject = {"type": "text", "text": "done"}
    mended = told(failed_call("rate_limit"), assistant("m2", text), result())
    beside = told(failed_call("rate_limit", parent="t"), result())

    assert decide_claude(mended, 0, False, "") is None
    assert decide_claude(beside, 0, False, "") is None


def test_a_lost_connection_is_the_providers() -> None:
    failed = failed_call("connection_failed")
    conversation = told(failed, result(is_error=True, terminal_reason="api_error"))

    verdict = decide_claude(conversation, 1, False, "")

    assert verdict is not None
    assert verdict.reason is Reason.PROVIDER_FAILED


def test_a_good_result_stands_when_the_runner_ended_the_process() -> None:
    assert decide_claude(told(result()), 143, True, "") is None
    contradicted = decide_claude(told(result()), 3, False, "boom")
    assert contradicted is not None
    assert contradicted.reason is Reason.AGENT_ERROR
