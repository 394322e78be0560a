"""OpenRouter's `reasoning_details` reach a Messages caller and come back as they were."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.reasoning_details import ReasoningDetails, read_details
from heliostat_gateway.dialects.translation import translate_answer, translate_request
from heliostat_gateway.providers.catalog import BUILT_IN
from heliostat_json.objects import JsonObject, list_at

THOUGHT = "I look it up, then I say it."
FORMAT = "anthropic-claude-v1"
TEXT: JsonObject = {"type": "reasoning.text", "format": FORMAT, "index": 0}
SIGNED: JsonObject = {**TEXT, "text": THOUGHT, "signature": "c2lnQQ=="}
HIDDEN: JsonObject = {"type": "reasoning.encrypted", "data": "x", "id": "call_1", "index": 1}
CALL: JsonObject = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "Look", "arguments": "{}"},
}
QUESTION: JsonObject = {"role": "user", "content": "Weather?"}


def answered(details: list[JsonObject]) -> JsonObject:
    """What a Messages caller gets for an answer of OpenRouter."""
    message: JsonObject = {
        "role": "assistant",
        "content": None,
        "reasoning": THOUGHT,
        "reasoning_details": [*details],
        "tool_calls": [CALL],
    }
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    answer: JsonObject = {"id": "gen-1", "choices": [choice]}
    asked: JsonObject = {"model": "m", "messages": [QUESTION]}
    return translate_answer(answer, Dialect.CHAT, Dialect.MESSAGES, asked)


def going_on(answer: JsonObject) -> JsonObject:
    """The next request of that caller's tool loop."""
    result: JsonObject = {"type": "tool_result", "tool_use_id": "call_1", "content": "3"}
    turn: JsonObject = {"role": "assistant", "content": answer["content"]}
    after: JsonObject = {"role": "user", "content": [result]}
    return {"model": "m", "max_tokens": 9, "messages": [QUESTION, turn, after]}


@pytest.mark.parametrize("details", [[SIGNED], [HIDDEN], [SIGNED, HIDDEN], [SIGNED, SIGNED]])
def test_they_come_back_to_openrouter_as_they_were(details: list[JsonObject]) -> None:
    request = going_on(answered(details))
    sent = translate_request(
        request, Dialect.MESSAGES, Dialect.CHAT, "google/gemini-4-argon", takes_details=True
    )
    messages = json.loads(json.dumps(sent.document["messages"]))
    assert messages[1]["reasoning_details"] == details
    assert sent.dropped == ()


@pytest.mark.parametrize("target", [Dialect.CHAT, Dialect.GEMINI])
def test_nobody_else_gets_them(target: Dialect) -> None:
    request = going_on(answered([SIGNED, HIDDEN]))
    sent = translate_request(request, Dialect.MESSAGES, target, "m")
    assert THOUGHT not in json.dumps(sent.document)
    assert "reasoning_details" not in json.dumps(sent.document)
    assert sent.dropped == ("messages[].content[].thinking",)


def test_thinking_of_others_is_dropped_for_openrouter_too() -> None:
    thought: JsonObject = {"type": "thinking", "thinking": "t", "signature": "c2lnQQ=="}
    said: JsonObject = {"type": "text", "text": "Hm."}
    turn: JsonObject = {"role": "assistant", "content": [thought, said]}
    request: JsonObject = {"model": "m", "messages": [QUESTION, turn, QUESTION]}
    sent = translate_request(request, Dialect.MESSAGES, Dialect.CHAT, "m", takes_details=True)
    assert sent.dropped == ("messages[].content[].thinking",)
    assert list_at(sent.document, "messages")[1] == {"role": "assistant", "content": "Hm."}


def test_only_openrouter_takes_them() -> None:
    assert [each.name for each in BUILT_IN if each.takes_details] == ["openrouter"]


@given(st.lists(st.integers(0, len(THOUGHT)), max_size=4))
def test_how_a_stream_slices_them_changes_nothing(places: list[int]) -> None:
    edges = [0, *sorted(places), len(THOUGHT)]
    gathered = ReasoningDetails()
    for start, end in pairwise(edges):
        gathered.add([{**TEXT, "text": THOUGHT[start:end]}])
    gathered.add([{**TEXT, "signature": "c2lnQQ=="}])
    gathered.add([HIDDEN])
    assert read_details({"signature": gathered.take()}) == [SIGNED, HIDDEN]
    assert gathered.take() == ""


@pytest.mark.parametrize("signature", ["c2lnQQ==", "openrouter|", "openrouter|{", "openrouter|1"])
def test_what_carries_none_has_none(signature: str) -> None:
    assert read_details({"type": "thinking", "signature": signature}) == []
