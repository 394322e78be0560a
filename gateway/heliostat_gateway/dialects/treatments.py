"""The table of every field: carried, dropped or refused, one part for each target dialect.

`docs/dialects.md` is generated from it; a test holds it against the fields of the official SDKs.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.conditions import (
    is_any_of,
    is_called,
    is_called_by_code,
    is_given,
    is_long,
    is_more_than_text,
    is_none_of,
    is_pdf_by_address,
    is_set,
    is_several,
    is_thinking,
    is_thinking_for_others,
    is_thinking_without_details,
    is_unsigned_for_anthropic,
)
from heliostat_gateway.dialects.fields import Rule, Treatment

_PARTS = ("text", "refusal", "image_url", "file")
_BLOCKS = (
    "text",
    "image",
    "document",
    "search_result",
    "tool_use",
    "tool_result",
    "thinking",
    "redacted_thinking",
)
_RESULT_BLOCKS = ("text", "image", "document", "search_result")
# What the translation reads of each object, beside what the rules name; all else is unknown.
_INSIDE_CHAT: Final = {
    "messages[]": "role content refusal tool_calls tool_call_id thinking_blocks",
    "messages[].content[]": "type text refusal image_url file",
    "messages[].tool_calls[]": "id type function index",
    "tools[]": "type function",
    "tools[].function": "name description parameters strict",
}
_INSIDE_MESSAGES: Final = {
    "messages[]": "role content",
    "messages[].content[]": "type text source title context id name input tool_use_id content "
    "is_error thinking signature data",
    "system[]": "type text",
    "tools[]": "type name description input_schema strict",
}


def _rules(
    source: Dialect, treatment: Treatment, when: Callable[[JsonValue], bool] = is_given
) -> Callable[..., Rule]:
    return partial(Rule, source, treatment=treatment, when=when)


_chat_carried = _rules(Dialect.CHAT, Treatment.CARRIED)
_chat_dropped = _rules(Dialect.CHAT, Treatment.DROPPED)
_chat_refused = _rules(Dialect.CHAT, Treatment.REFUSED)
_carried = _rules(Dialect.MESSAGES, Treatment.CARRIED)
_dropped = _rules(Dialect.MESSAGES, Treatment.DROPPED)
_refused = _rules(Dialect.MESSAGES, Treatment.REFUSED)

# From chat completions, to whatever target.
_FROM_CHAT: Final = (
    _chat_carried("model", note="as the route says"),
    _chat_carried(
        "messages", note="`system` and `developer` at the start become the system prompt"
    ),
    _chat_carried("max_completion_tokens", note="also `max_tokens`"),
    _chat_carried("max_tokens", note="`max_completion_tokens` wins"),
    _chat_carried("stop", note="one or a list"),
    _chat_carried("stream", note=""),
    _chat_carried("stream_options", note="`include_usage` is obeyed by the gateway"),
    _chat_carried("tools", note="names keep their case; `strict` is kept"),
    _chat_carried(
        "tool_choice", note="every form; `allowed_tools` leaves out the tools that it does not name"
    ),
    _chat_carried("reasoning_effort", note="see Thinking"),
    _chat_carried("response_format", note="`text` and `json_schema`"),
    _chat_refused("audio", note="audio output cannot be translated; ask for text"),
    _chat_refused(
        "modalities",
        note="only text can be translated",
        when=is_more_than_text,
        said="not only `text`",
    ),
    _chat_refused("functions", note="deprecated; use tools"),
    _chat_refused("function_call", note="deprecated; use tool_choice"),
    _chat_refused("logit_bias", note="the target has no such thing; leave it out"),
    _chat_refused("logprobs", note="the target gives no log probabilities; leave it out"),
    _chat_refused("top_logprobs", note="the target gives no log probabilities; leave it out"),
    _chat_refused("n", note="must be 1; send several requests", when=is_several, said="above 1"),
    _chat_refused("web_search_options", note="the target has no such search; leave it out"),
    _chat_refused("moderation", note="the target moderates in its own way; leave it out"),
    _chat_refused("messages[].audio", note="audio cannot be translated; send text"),
    _chat_refused("messages[].function_call", note="deprecated; use tool_calls"),
    _chat_refused(
        "messages[].content[].type",
        note=f"must be one of {', '.join(_PARTS)}",
        when=is_none_of(*_PARTS),
        said="audio, or unknown",
    ),
    _chat_refused(
        "messages[].content[].file.file_id",
        note="a file that another provider holds; send file_data",
    ),
    _chat_refused(
        "messages[].tool_calls[].type",
        note="only function calls can be translated",
        when=is_none_of(None, "function"),
        said="`custom`",
    ),
    _chat_refused(
        "tools[].type",
        note="only function tools can be translated",
        when=is_none_of(None, "function"),
        said="`custom`",
    ),
    _chat_refused(
        "tool_choice.type",
        note="must be function or allowed_tools",
        when=is_none_of("function", "allowed_tools"),
        said="`custom`",
    ),
    _chat_dropped("messages[].name", note=""),
    _chat_dropped("messages[].annotations", note="sources of an earlier answer"),
    _chat_dropped("messages[].reasoning", note="`thinking_blocks` is what carries it"),
    _chat_dropped("messages[].reasoning_content", note="`thinking_blocks` is what carries it"),
    _chat_dropped("messages[].reasoning_details", note="OpenRouter's; they pass to OpenRouter"),
    _chat_dropped("messages[].content[].image_url.detail", note=""),
    _chat_dropped("messages[].content[].prompt_cache_breakpoint", note=""),
    _chat_dropped("response_format.json_schema.description", note=""),
    _chat_dropped("metadata", note=""),
    _chat_dropped("prediction", note="it only saves time"),
    _chat_dropped("prompt_cache_key", note=""),
    _chat_dropped("prompt_cache_options", note=""),
    _chat_dropped("prompt_cache_retention", note=""),
    _chat_dropped("service_tier", note=""),
    _chat_dropped("store", note=""),
    _chat_dropped("verbosity", note=""),
)

# From Messages, to whatever target.
_FROM_MESSAGES: Final = (
    _carried("model", note="as the route says"),
    _carried("messages", note=""),
    _carried("system", note=""),
    _carried("max_tokens", note=""),
    _carried("stop_sequences", note=""),
    _carried("stream", note=""),
    _carried("temperature", note="of older clients"),
    _carried("top_p", note="of older clients"),
    _carried("thinking", note="see Thinking"),
    _carried("output_config", note="`effort`: see Thinking; `format`: JSON by schema"),
    _carried("tools", note="names keep their case"),
    _refused("container", note="the target has no containers; leave it out"),
    _refused("inference_geo", note="the target cannot promise a place; leave it out"),
    _refused("mcp_servers", note="the target calls no MCP servers; leave it out"),
    _refused(
        "messages[].role",
        note="must be user, assistant or system",
        when=is_none_of("user", "assistant", "system"),
        said="unknown",
    ),
    _refused(
        "messages[].content[].type",
        note=f"must be one of {', '.join(_BLOCKS)}",
        when=is_none_of(*_BLOCKS),
        said="of a server tool, or unknown",
    ),
    _refused(
        "messages[].content[].content[].type",
        note=f"must be one of {', '.join(_RESULT_BLOCKS)}",
        when=is_none_of(*_RESULT_BLOCKS),
        said="unknown",
    ),
    _refused(
        "messages[].content[].source.type",
        note="a file that Anthropic holds; send its bytes",
        when=is_any_of("file"),
        said="`file`",
    ),
    _refused(
        "messages[].content[].content[].source.type",
        note="a file that Anthropic holds; send its bytes",
        when=is_any_of("file"),
        said="`file`",
    ),
    _refused(
        "tools[].type",
        note="a tool of Anthropic's own that the target does not have; leave it out",
        when=is_none_of(None, "custom"),
        said="any but `custom`",
    ),
    _refused(
        "tools[].allowed_callers",
        note="the target has no code that calls tools; must be direct",
        when=is_called_by_code,
        said="more than `direct`",
    ),
    _dropped("cache_control", note=""),
    _dropped("system[].cache_control", note=""),
    _dropped("tools[].cache_control", note=""),
    _dropped("messages[].content[].cache_control", note=""),
    _dropped("messages[].content[].content[].cache_control", note=""),
    _dropped(
        "messages[].content[].citations", note="asked for: documents are not cited; said: left out"
    ),
    _dropped("messages[].content[].caller", note="", when=is_called, said="not `direct`"),
    _dropped("messages[].content[].transformations", note=""),
    _dropped("tools[].defer_loading", note="all tools are sent"),
    _dropped("tools[].eager_input_streaming", note=""),
    _dropped("tools[].input_examples", note=""),
    _dropped("context_management", note=""),
    _dropped("diagnostics", note=""),
    _dropped("service_tier", note=""),
    _dropped("speed", note="", when=is_any_of("fast"), said="`fast`"),
    _dropped("user_profile_id", note=""),
    _dropped("workspace_id", note=""),
)

_MARKS: Final = (
    "cache_control",
    "messages[].cache_control",
    "messages[].content[].cache_control",
    "tools[].cache_control",
    "tools[].function.cache_control",
)

TO_MESSAGES: Final = (
    *_FROM_CHAT,
    *(_chat_carried(name, note="as Anthropic's clients mark it; the last 4") for name in _MARKS),
    _chat_carried("parallel_tool_calls", note="`false` is `disable_parallel_tool_use`"),
    _chat_carried("user", note="becomes `metadata.user_id`"),
    _chat_carried("safety_identifier", note="becomes `metadata.user_id`, before `user`"),
    _chat_refused(
        "response_format.type",
        note="must be text or json_schema; Messages has no JSON mode without a schema",
        when=is_none_of("text", "json_schema"),
        said="`json_object`",
    ),
    _chat_dropped(
        "messages[].thinking_blocks[]",
        note="Anthropic takes only thinking that it signed",
        when=is_unsigned_for_anthropic,
        said="not signed by Anthropic",
    ),
    _chat_dropped("temperature", note="the API of 2026 has none", when=is_set),
    _chat_dropped("top_p", note="the API of 2026 has none", when=is_set),
    _chat_dropped("frequency_penalty", note=""),
    _chat_dropped("presence_penalty", note=""),
    _chat_dropped("seed", note="", when=is_set),
)

TO_CHAT: Final = (
    *_FROM_MESSAGES,
    _carried("tool_choice", note="`disable_parallel_tool_use` is `parallel_tool_calls: false`"),
    _carried("metadata", note="`user_id` becomes `user`"),
    _refused(
        "messages[].content[]",
        note="chat completions take a PDF only as bytes; send base64",
        when=is_pdf_by_address,
        said="document by URL",
    ),
    _refused(
        "messages[].content[].content[]",
        note="chat completions take a PDF only as bytes; send base64",
        when=is_pdf_by_address,
        said="document by URL",
    ),
    _dropped(
        "metadata.user_id",
        note="OpenAI takes 64 characters",
        when=is_long,
        said="above 64 characters",
    ),
    _dropped(
        "messages[].content[]",
        label="messages[].content[].thinking",
        note="chat completions have no place for it; OpenRouter gets its own back",
        when=is_thinking,
        said="thinking",
    ),
    _dropped("messages[].content[].context", note="of a PDF; of a text document it is carried"),
    _dropped("top_k", note="", when=is_set),
)

TO_GEMINI: Final = (
    *_FROM_CHAT,
    *(_chat_dropped(name, note="Gemini caches by itself") for name in _MARKS),
    _chat_carried("parallel_tool_calls", note="`false`: the answer keeps its first call only"),
    _chat_carried("temperature", note=""),
    _chat_carried("top_p", note=""),
    _chat_carried("frequency_penalty", note=""),
    _chat_carried("presence_penalty", note=""),
    _chat_carried("seed", note=""),
    _chat_refused(
        "response_format.type",
        note="must be text, json_schema or json_object",
        when=is_none_of("text", "json_schema", "json_object"),
        said="unknown",
    ),
    _chat_dropped("user", note=""),
    _chat_dropped("safety_identifier", note=""),
    _chat_dropped(
        "messages[].thinking_blocks[]",
        note="Gemini takes only thinking that it signed",
        when=is_thinking_for_others,
        said="not signed by Gemini",
    ),
    *_FROM_MESSAGES,
    _carried(
        "tool_choice", note="`disable_parallel_tool_use`: the answer keeps its first call only"
    ),
    _carried("top_k", note="of older clients"),
    _dropped("metadata", note=""),
    _dropped(
        "messages[].content[]",
        label="messages[].content[].thinking",
        note="Gemini takes only thinking that it signed",
        when=is_thinking_for_others,
        said="thinking not signed by Gemini",
    ),
    _dropped("messages[].content[].title", note="of a PDF; of a text document it is carried"),
    _dropped("messages[].content[].context", note="of a PDF; of a text document it is carried"),
)

TABLES: Final = {
    Dialect.MESSAGES: TO_MESSAGES,
    Dialect.CHAT: TO_CHAT,
    Dialect.GEMINI: TO_GEMINI,
}


@cache
def rules_for(source: Dialect, target: Dialect, *, takes_details: bool = False) -> tuple[Rule, ...]:
    """The rows for requests from `source` to `target`; `takes_details` as OpenRouter does."""
    rules = tuple(rule for rule in TABLES[target] if rule.source is source)
    if not takes_details:
        return rules
    return tuple(
        replace(rule, when=is_thinking_without_details) if rule.when is is_thinking else rule
        for rule in rules
    )


@cache
def members_for(source: Dialect, target: Dialect) -> Mapping[str, frozenset[str]]:
    """What is known inside a request, by path."""
    inside = _INSIDE_CHAT if source is Dialect.CHAT else _INSIDE_MESSAGES
    fields = [rule.field for rule in rules_for(source, target)]
    return {
        path: frozenset(names.split()) | {_member(field, path) for field in fields}
        for path, names in inside.items()
    }


def _member(field: str, path: str) -> str:
    """The name right below `path` on the way to `field`; empty where it leads elsewhere."""
    below = field.removeprefix(f"{path}.")
    return "" if below == field else below.partition(".")[0].removesuffix("[]")
