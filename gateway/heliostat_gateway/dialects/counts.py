"""Token counts, between the dialects. Nothing is counted here, only said in other words.

Messages: input excludes what the cache read and wrote; output includes thinking.
Chat: prompt_tokens includes cached and written; completion_tokens includes reasoning.
Gemini: promptTokenCount includes cached; thoughts are beside the candidates; what tools put in is
beside the prompt.
"""

from heliostat_json.objects import JsonObject, count_at, object_at


def zero_usage() -> JsonObject:
    """What the start of a stream says when the provider has not reported anything yet."""
    return {"input_tokens": 0, "output_tokens": 0}


def latest_usage(before: JsonObject, reported: JsonObject) -> JsonObject:
    """`before` brought up to a later report: counts are cumulative, nulls say nothing."""
    return {**before, **{name: value for name, value in reported.items() if value is not None}}


def usage_of_chat(usage: JsonObject) -> JsonObject:
    """The inner form of a `usage` of chat completions."""
    prompt = object_at(usage, "prompt_tokens_details")
    read = count_at(prompt, "cached_tokens")
    written = count_at(prompt, "cache_write_tokens")
    plain = max(0, count_at(usage, "prompt_tokens") - read - written)
    details = object_at(usage, "completion_tokens_details")
    output = count_at(usage, "completion_tokens")
    return _usage(plain, read, written, output, count_at(details, "reasoning_tokens"))


def usage_of_gemini(usage: JsonObject) -> JsonObject:
    """The inner form of a `usageMetadata`."""
    read = count_at(usage, "cachedContentTokenCount")
    plain = max(0, count_at(usage, "promptTokenCount") - read)
    plain += count_at(usage, "toolUsePromptTokenCount")
    thoughts = count_at(usage, "thoughtsTokenCount")
    return _usage(plain, read, 0, count_at(usage, "candidatesTokenCount") + thoughts, thoughts)


def chat_usage(usage: JsonObject) -> JsonObject:
    """A `usage` of chat completions of the inner form."""
    read = count_at(usage, "cache_read_input_tokens")
    written = count_at(usage, "cache_creation_input_tokens")
    prompt = count_at(usage, "input_tokens") + read + written
    output = count_at(usage, "output_tokens")
    thinking = count_at(object_at(usage, "output_tokens_details"), "thinking_tokens")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": thinking},
    }


def _usage(plain: int, read: int, written: int, output: int, thinking: int) -> JsonObject:
    return {
        "input_tokens": plain,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thinking},
    }
