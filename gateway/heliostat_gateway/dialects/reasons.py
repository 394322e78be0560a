"""Why an answer ended, between the dialects."""

from typing import Final

from heliostat_gateway.dialects.faults import MalformedAnswerError
from heliostat_json.objects import JsonObject, object_at, text_at

REFUSAL_TEXT: Final = "The model refused to answer."

# Messages to chat completions.
TO_CHAT: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
# Chat completions to Messages. Which stop sequence was met is not said there.
FROM_CHAT: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
# Gemini to Messages; nor is it said here.
FROM_GEMINI: Final = {
    "STOP": "end_turn",
    "MAX_TOKENS": "max_tokens",
    "SAFETY": "refusal",
    "RECITATION": "refusal",
    "LANGUAGE": "refusal",
    "BLOCKLIST": "refusal",
    "PROHIBITED_CONTENT": "refusal",
    "SPII": "refusal",
    "IMAGE_SAFETY": "refusal",
    "IMAGE_PROHIBITED_CONTENT": "refusal",
    "IMAGE_RECITATION": "refusal",
    "ESCALATION": "refusal",
    "MODEL_ARMOR": "refusal",
}
# What Gemini gave is no whole answer: a failure of the provider, not an end.
GEMINI_FAILURES: Final = (
    "CONTINUATION",
    "FINISH_REASON_UNSPECIFIED",
    "IMAGE_OTHER",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
    "NO_IMAGE",
    "OTHER",
    "PUP_LIMITED_DISABLED",
    "TOO_MANY_TOOL_CALLS",
    "UNEXPECTED_TOOL_CALL",
)


def stop_of_chat(reason: str, called: bool, refusal: str) -> JsonObject:
    """`stop_reason` and `stop_details` of a finish_reason. Raises MalformedAnswerError.

    `called`: the answer has tool calls; some servers say only `stop` then.
    """
    if refusal:
        return _refused(refusal)
    stop = FROM_CHAT.get(reason)
    if stop is None:
        raise MalformedAnswerError(f"The provider ended its answer with {reason!r}.")
    if stop == "refusal":
        return _refused("The provider's content filter stopped the answer.")
    return _stopped(stop, called)


def stop_of_gemini(reason: str, message: str, called: bool) -> JsonObject:
    """`stop_reason` and `stop_details` of a finishReason. Raises MalformedAnswerError."""
    stop = FROM_GEMINI.get(reason)
    if stop is None:
        raise MalformedAnswerError(f"The provider ended its answer with {reason!r}.")
    if stop == "refusal":
        return _refused(message or f"The provider stopped the answer: {reason}.")
    return _stopped(stop, called)


def stop_of_block(feedback: JsonObject) -> JsonObject:
    """The stop of a prompt that Gemini blocked, by its `promptFeedback`."""
    reason = text_at(feedback, "blockReason")
    said = text_at(feedback, "blockReasonMessage")
    return _refused(said or f"The provider blocked the prompt: {reason}.")


def refusal_of(stop: JsonObject) -> str | None:
    """What a chat caller reads in `refusal`; None when the answer is none."""
    if stop.get("stop_reason") != "refusal":
        return None
    return text_at(object_at(stop, "stop_details"), "explanation") or REFUSAL_TEXT


def finish_reason(stop: JsonObject) -> str:
    """The finish_reason of a stop. Raises MalformedAnswerError for one that nobody knows."""
    reason = text_at(stop, "stop_reason")
    if reason not in TO_CHAT:
        raise MalformedAnswerError(f"The provider ended its answer with {reason!r}.")
    return TO_CHAT[reason]


def _stopped(stop: str, called: bool) -> JsonObject:
    if called and stop == "end_turn":
        stop = "tool_use"
    if not called and stop == "tool_use":
        stop = "end_turn"
    return {"stop_reason": stop}


def _refused(explanation: str) -> JsonObject:
    details: JsonObject = {"type": "refusal", "category": None, "explanation": explanation}
    return {"stop_reason": "refusal", "stop_details": details}
