"""Whole answers in the inner form, written as chat completions.

Two fields are our extension, on the message: `reasoning_content`, the thinking as text, and
`thinking_blocks`, the thinking with its signatures, to be sent back as it came.
"""

from heliostat_gateway.dialects.asked import Asked
from heliostat_gateway.dialects.blocks import THINKING, blocks_of, objects
from heliostat_gateway.dialects.chat_turns import joined_text, written_call
from heliostat_gateway.dialects.citations import annotations_of
from heliostat_gateway.dialects.counts import chat_usage
from heliostat_gateway.dialects.reasons import finish_reason, refusal_of
from heliostat_json.objects import JsonObject, list_at, object_at, text_at


def write_completion(message: JsonObject, asked: Asked, created: int) -> JsonObject:
    """The completion; `created` in seconds. Raises MalformedAnswerError."""
    choice: JsonObject = {
        "index": 0,
        "message": _message(message),
        "logprobs": None,
        "finish_reason": finish_reason(message),
    }
    return {
        "id": text_at(message, "id"),
        "object": "chat.completion",
        "created": created,
        "model": asked.model or text_at(message, "model"),
        "choices": [choice],
        "usage": chat_usage(object_at(message, "usage")),
    }


def kept_thinking(block: JsonObject, index: int) -> JsonObject | None:
    """A thinking block as a chat caller keeps it; None when nobody signed it.

    The SDK of OpenAI joins the deltas of a list by `index`.
    """
    if block.get("type") == "redacted_thinking":
        return {"index": index, "type": "redacted_thinking", "data": text_at(block, "data")}
    if not text_at(block, "signature"):
        return None
    return {
        "index": index,
        "type": "thinking",
        "thinking": text_at(block, "thinking"),
        "signature": text_at(block, "signature"),
    }


def _message(message: JsonObject) -> JsonObject:
    blocks = blocks_of(message.get("content"))
    written: JsonObject = {
        "role": "assistant",
        "content": joined_text(blocks) or None,
        "refusal": refusal_of(message),
    }
    thoughts = [block for block in blocks if block.get("type") in THINKING]
    if said := "".join(text_at(block, "thinking") for block in thoughts):
        written["reasoning_content"] = said
    kept: list[JsonObject] = []
    for block in thoughts:
        if each := kept_thinking(block, len(kept)):
            kept.append(each)
    if kept:
        written["thinking_blocks"] = [*kept]
    cited = [each for block in blocks for each in objects(list_at(block, "citations"))]
    if annotations := annotations_of(cited, text_at(written, "content")):
        written["annotations"] = [*annotations]
    if calls := [written_call(block) for block in blocks if block.get("type") == "tool_use"]:
        written["tool_calls"] = [*calls]
    return written
