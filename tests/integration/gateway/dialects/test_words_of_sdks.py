"""The tables know every word of the official SDKs, so that nothing is treated by accident."""

from typing import get_args

import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from anthropic.types.stop_reason import StopReason
from google.genai.types import FinishReason
from openai.types.chat.chat_completion import Choice
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.shared_params.reasoning_effort import ReasoningEffort

from heliostat_gateway.dialects import Dialect, reasons
from heliostat_gateway.dialects.thinking import GEMINI_LEVELS
from heliostat_gateway.dialects.treatments import rules_for
from support.golden import DIRECTIONS

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
