"""The dialects that the scripted provider speaks, named here a second time on purpose."""

from enum import StrEnum

from heliostat_scripted.scenario import UsageSpec


class Api(StrEnum):
    """Whose API is played."""

    MESSAGES = "messages"  # Anthropic
    CHAT = "chat"  # OpenAI chat completions
    GEMINI = "gemini"  # Google


def told_usage(api: Api, usage: UsageSpec) -> UsageSpec:
    """`usage` in the kinds that the API can tell; nothing gets lost, it moves to another kind.

    Chat has one kind of cache write and tells no searches; Gemini has no cache writes at all.
    """
    written = usage.cache_write5m + usage.cache_write1h
    if api is Api.CHAT:
        changed = {"cache_write5m": written, "cache_write1h": 0, "web_searches": 0}
    elif api is Api.GEMINI:
        changed = {"input": usage.input + written, "cache_write5m": 0, "cache_write1h": 0}
    else:
        changed = {}
    return usage.model_copy(update=changed)
