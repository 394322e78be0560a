"""Requests in the inner form, finished for a provider that speaks Messages."""

from collections.abc import Callable
from typing import Final

from heliostat_gateway.dialects.blocks import THINKING, blocks_of, objects
from heliostat_gateway.dialects.signatures import is_anthropic_thinking
from heliostat_json.objects import JsonObject, list_at, object_at

# Messages must have a limit. Every current model of Anthropic can say so much.
DEFAULT_MAX_TOKENS: Final = 16_384
_LACKING = ("temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty")


def write_messages_request(inner: JsonObject) -> JsonObject:
    """The request, without what Messages lacks and with the limit that it needs."""
    fields: JsonObject = {"max_tokens": DEFAULT_MAX_TOKENS}
    fields |= {name: value for name, value in inner.items() if name not in _LACKING}
    if object_at(fields, "output_config").get("effort") == "minimal":
        fields["output_config"] = {**object_at(fields, "output_config"), "effort": "low"}
    return with_thinking(fields, is_anthropic_thinking)


def with_thinking(document: JsonObject, is_own: Callable[[JsonObject], bool]) -> JsonObject:
    """A Messages request with only that thinking which the provider takes.

    A conversation holds other blocks when another provider has answered some of its turns.
    """
    kept: list[JsonObject] = []
    for message in objects(list_at(document, "messages")):
        blocks = blocks_of(message.get("content"))
        own = [block for block in blocks if block.get("type") not in THINKING or is_own(block)]
        if len(own) == len(blocks):
            kept.append(message)
        elif own:
            kept.append({**message, "content": [*own]})
    return {**document, "messages": [*kept]}
