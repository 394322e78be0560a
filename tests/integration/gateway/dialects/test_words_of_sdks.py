"""The tables know every word of the official SDKs, so that nothing is treated by accident."""

from typing import get_args

import pytest
from anthropic.types import (
    DocumentBlockParam,
    ImageBlockParam,
    RedactedThinkingBlockParam,
    SearchResultBlockParam,
    TextBlockParam,
    ThinkingBlockParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from anthropic.types.stop_reason import StopReason
from google.genai.types import FinishReason
from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartRefusalParam,
    ChatCompletionContentPartTextParam,
    ChatCompletionToolMessageParam,
    ChatCompletionUserMessageParam,
)
from openai.types.chat.chat_completion import Choice
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.shared_params.reasoning_effort import ReasoningEffort

from heliostat_gateway.dialects import Dialect, reasons
from heliostat_gateway.dialects.thinking import GEMINI_LEVELS
from heliostat_gateway.dialects.treatments import members_for, rules_for
from support.golden import DIRECTIONS

BLOCKS = (
    TextBlockParam,
    ImageBlockParam,
    DocumentBlockParam,
    SearchResultBlockParam,
    ThinkingBlockParam,
    RedactedThinkingBlockParam,
    ToolUseBlockParam,
    ToolResultBlockParam,
)
MESSAGES = (
    ChatCompletionUserMessageParam,
    ChatCompletionAssistantMessageParam,
    ChatCompletionToolMessageParam,
)
PARTS = (
    ChatCompletionContentPartTextParam,
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartRefusalParam,
)
FIELDS = {
    Dialect.CHAT: CompletionCreateParamsStreaming.__annotations__,
    Dialect.MESSAGES: MessageCreateParamsStreaming.__annotations__,
}


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_every_field_of_the_callers_sdk_has_a_rule(source: Dialect, target: Dialect) -> None:
    ruled = {rule.field.partition(".")[0].removesuffix("[]") for rule in rules_for(source, target)}
    assert set(FIELDS[source]) - ruled == set()


def test_every_stop_reason_is_known() -> None:
    assert set(reasons.TO_CHAT) == set(get_args(StopReason))


def test_every_finish_reason_of_chat_is_known() -> None:
    assert set(reasons.FROM_CHAT) == set(get_args(Choice.model_fields["finish_reason"].annotation))


def test_every_finish_reason_of_gemini_is_known() -> None:
    known = {*reasons.FROM_GEMINI, *reasons.GEMINI_FAILURES}
    assert known == {reason.value for reason in FinishReason}
    assert not set(reasons.FROM_GEMINI) & set(reasons.GEMINI_FAILURES)


def test_every_effort_is_known() -> None:
    [efforts] = [get_args(each) for each in get_args(ReasoningEffort) if get_args(each)]
    assert {*GEMINI_LEVELS, "none"} == set(efforts)


def test_what_is_known_inside_is_what_the_sdks_have() -> None:
    """But for what only some blocks have: `toolset_name`, of servers of tools."""
    inside = members_for(Dialect.MESSAGES, Dialect.CHAT)
    named = {name for each in BLOCKS for name in each.__annotations__}
    assert named - inside["messages[].content[]"] == {"toolset_name"}
    assert set(ToolParam.__annotations__) <= inside["tools[]"]
    chat = members_for(Dialect.CHAT, Dialect.MESSAGES)
    assert {name for each in MESSAGES for name in each.__annotations__} <= chat["messages[]"]
    parts = {name for each in PARTS for name in each.__annotations__}
    assert parts <= chat["messages[].content[]"]
