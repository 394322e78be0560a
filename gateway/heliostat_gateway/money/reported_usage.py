"""Reads the usage objects of providers, each in its own words, into one `Usage`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.money.bookings import PLAIN, Iteration, Terms, Usage
from heliostat_gateway.money.usage_fields import CHAT, GEMINI, MESSAGES, known_paths
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

_MESSAGES_PATHS: Final = known_paths(MESSAGES)
_CHAT_PATHS: Final = known_paths(CHAT)
_GEMINI_PATHS: Final = known_paths(GEMINI)
_MOST_NAMES: Final = 8
_LONGEST_NAME: Final = 80
_LONGEST_WORD: Final = 40
_LONGEST_MODEL: Final = 200
# Words for the ordinary tier and place, in all dialects.
_ORDINARY: Final = frozenset(
    {"", "standard", "standard_only", "default", "auto", "on_demand", "unspecified"}
    | {"traffic_type_unspecified", "service_tier_unspecified"}
)
_ANYWHERE: Final = frozenset({"", "global", "not_available"})
_ITERATIONS: Final = frozenset({"message", "compaction", "advisor_message", "fallback_message"})
_MODALITIES: Final = {
    "AUDIO": "audio",
    "IMAGE": "image",
    "DOCUMENT": "image",
    "VIDEO": "video",
}


def read_usage(before: Usage, reported: Mapping[str, JsonValue]) -> Usage:
    """`before` brought up to a `usage` object; its counts are cumulative, nulls say nothing."""

    def newest(name: str, known: int) -> int:
        return known if reported.get(name) is None else count_at(reported, name)

    split = object_at(reported, "cache_creation")
    written_1h = before.cache_write_1h
    if split:
        written_1h = count_at(split, "ephemeral_1h_input_tokens")
        written = written_1h + count_at(split, "ephemeral_5m_input_tokens")
    else:
        written = before.cache_write_5m + before.cache_write_1h
    # The total may grow without a split (server tools write to the cache): the rest is 5-minute.
    written = max(newest("cache_creation_input_tokens", written), written_1h)
    tools = object_at(reported, "server_tool_use")
    return Usage(
        input=newest("input_tokens", before.input),
        output=newest("output_tokens", before.output),
        cache_read=newest("cache_read_input_tokens", before.cache_read),
        cache_write_5m=written - written_1h,
        cache_write_1h=written_1h,
        web_searches=count_at(tools, "web_search_requests") if tools else before.web_searches,
        speed=_word(reported, "speed") or before.speed,
        thinking=max(
            before.thinking,
            count_at(object_at(reported, "output_tokens_details"), "thinking_tokens"),
        ),
        terms=_messages_terms(before.terms, reported),
    )


def _messages_terms(before: Terms, reported: Mapping[str, JsonValue]) -> Terms:
    entries = list_at(reported, "iterations")
    iterations = tuple([_iteration(each) for each in entries if isinstance(each, dict)])
    geo, tier = _word(reported, "inference_geo").lower(), _word(reported, "service_tier")
    return _terms(
        tier=_tier(tier) if tier else before.tier,
        geo=before.geo if not geo else ("" if geo in _ANYWHERE else geo),
        iterations=iterations or before.iterations,
        unpriced=_with(before.unpriced, _unpriced_in_messages(reported, iterations)),
    )


def _terms(
    tier: str,
    unpriced: tuple[str, ...],
    geo: str = "",
    parts: tuple[tuple[str, int], ...] = (),
    iterations: tuple[Iteration, ...] = (),
    stated_dollars: str = "",
) -> Terms:
    """What an answer says beside counts; PLAIN, as most answers do, where that is nothing."""
    if not (tier or geo or parts or iterations or stated_dollars or unpriced):
        return PLAIN
    return Terms(tier, geo, parts, iterations, stated_dollars, unpriced)


def _unpriced_in_messages(
    reported: Mapping[str, JsonValue], iterations: tuple[Iteration, ...]
) -> tuple[str, ...]:
    names = unknown_fields(reported, _MESSAGES_PATHS)
    for each in iterations:
        if each.kind not in _ITERATIONS:
            names += (f"iterations[].type={each.kind}",)
    credit = object_at(reported, "fallback_credit")
    if credit and text_at(object_at(credit, "status"), "type") != "not_applied":
        names += ("fallback_credit",)
    return names


def _iteration(entry: JsonObject) -> Iteration:
    split = object_at(entry, "cache_creation")
    hour = count_at(split, "ephemeral_1h_input_tokens")
    written = max(
        count_at(entry, "cache_creation_input_tokens"),
        hour + count_at(split, "ephemeral_5m_input_tokens"),
    )
    return Iteration(
        kind=_word(entry, "type"),
        model=text_at(entry, "model")[:_LONGEST_MODEL],
        input=count_at(entry, "input_tokens"),
        output=count_at(entry, "output_tokens"),
        cache_read=count_at(entry, "cache_read_input_tokens"),
        cache_write_5m=written - hour,
        cache_write_1h=hour,
    )


def read_chat_usage(usage: JsonObject, tier: str = "") -> Usage:
    """A `usage` object: prompt_tokens includes cached ones, completion_tokens the reasoning.

    `tier` is the `service_tier` that stands beside it.
    """
    prompt = object_at(usage, "prompt_tokens_details")
    completion = object_at(usage, "completion_tokens_details")
    read = max(
        count_at(prompt, "cached_tokens"),
        count_at(usage, "cached_tokens"),
        count_at(usage, "prompt_cache_hit_tokens"),
    )
    written = count_at(prompt, "cache_write_tokens")
    whole, output = count_at(usage, "prompt_tokens"), count_at(usage, "completion_tokens")
    unpriced = unknown_fields(usage, _CHAT_PATHS)
    if count_at(usage, "total_tokens") > whole + output:
        unpriced = _with(unpriced, ("total_tokens",))
    terms = _terms(
        tier=_tier(tier),
        parts=_chat_parts(prompt, completion),
        stated_dollars=_stated(usage),
        unpriced=unpriced,
    )
    return Usage(
        input=max(0, whole - read - written),
        output=output,
        cache_read=read,
        cache_write_5m=written,
        thinking=count_at(completion, "reasoning_tokens"),
        web_searches=count_at(object_at(usage, "server_tool_use"), "web_search_requests"),
        terms=terms,
    )


def _chat_parts(prompt: JsonObject, completion: JsonObject) -> tuple[tuple[str, int], ...]:
    if not (prompt or completion):
        return ()
    cached = object_at(prompt, "cached_tokens_details")
    parts: dict[str, int] = {}
    for kind in ("audio", "image", "video"):
        from_cache = count_at(cached, f"{kind}_tokens")
        parts[f"cache_read_{kind}"] = from_cache
        parts[f"input_{kind}"] = max(0, count_at(prompt, f"{kind}_tokens") - from_cache)
        parts[f"output_{kind}"] = count_at(completion, f"{kind}_tokens")
    parts["cache_read_text"] = count_at(cached, "text_tokens")
    return _given(parts)


def _stated(usage: JsonObject) -> str:
    """Dollars that the provider says it charged, with those of the upstream beside it."""
    cost = _dollars(usage.get("cost"))
    if cost is None:
        return ""
    upstream = _dollars(object_at(usage, "cost_details").get("upstream_inference_cost"))
    return str(cost + upstream if usage.get("is_byok") is True and upstream is not None else cost)


def _dollars(value: JsonValue) -> Decimal | None:
    """An amount of money; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        amount = Decimal(repr(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 1_000_000 else None


def read_gemini_usage(usage: JsonObject, searches: int) -> Usage:
    """A `usageMetadata` object: the prompt includes cached content, thoughts stand apart."""
    read = count_at(usage, "cachedContentTokenCount")
    thoughts = count_at(usage, "thoughtsTokenCount")
    prompt = count_at(usage, "promptTokenCount") + count_at(usage, "toolUsePromptTokenCount")
    output = count_at(usage, "candidatesTokenCount") + thoughts
    unpriced = unknown_fields(usage, _GEMINI_PATHS)
    if count_at(usage, "totalTokenCount") > prompt + output:
        unpriced = _with(unpriced, ("totalTokenCount",))
    traffic = _word(usage, "trafficType").lower().removeprefix("on_demand_")
    terms = _terms(
        tier=_tier(_word(usage, "serviceTier")) or _tier(traffic),
        parts=_gemini_parts(usage),
        unpriced=unpriced,
    )
    return Usage(
        input=max(0, prompt - read),
        output=output,
        cache_read=read,
        thinking=thoughts,
        web_searches=searches,
        terms=terms,
    )


def _gemini_parts(usage: JsonObject) -> tuple[tuple[str, int], ...]:
    cached = _by_modality(usage, "cacheTokensDetails")
    prompt = _by_modality(usage, "promptTokensDetails")
    tools = _by_modality(usage, "toolUsePromptTokensDetails")
    shown = _by_modality(usage, "candidatesTokensDetails")
    parts: dict[str, int] = {}
    for kind in ("audio", "image", "video"):
        from_cache = cached.get(kind, 0)
        parts[f"cache_read_{kind}"] = from_cache
        parts[f"input_{kind}"] = max(0, prompt.get(kind, 0) + tools.get(kind, 0) - from_cache)
        parts[f"output_{kind}"] = shown.get(kind, 0)
    parts["cache_read_text"] = cached.get("text", 0)
    return _given(parts)


def _by_modality(usage: JsonObject, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in list_at(usage, name):
        if isinstance(each, dict):
            word = text_at(each, "modality")
            kind = _MODALITIES.get(word.upper(), "text")
            found[kind] = found.get(kind, 0) + count_at(each, "tokenCount")
    return found


def with_unpriced(usage: Usage, *names: str) -> Usage:
    """The usage, marked by what the price book can not price."""
    if not names:
        return usage
    terms = Terms(**(vars(usage.terms) | {"unpriced": _with(usage.terms.unpriced, names)}))
    return Usage(**(vars(usage) | {"terms": terms}))


def _with(before: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *names))) if names else before


def _given(parts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, count) for name, count in parts.items() if count))


def _tier(word: str) -> str:
    found = word.lower()
    return "" if found in _ORDINARY else found


def _word(fields: Mapping[str, JsonValue], name: str) -> str:
    return text_at(fields, name)[:_LONGEST_WORD]


_COUNTS: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
# Iterations whose tokens the counts of the answer leave out.
_APART: Final = frozenset({"compaction", "advisor_message"})


def with_iterations(reported: Usage) -> Usage:
    """The usage with the tokens of all iterations in its counts.

    The counts of an answer leave out some kinds of iterations, and may name only the first input
    of a loop: each iteration is billed. Where they say more than the iterations, the rest is billed
    as one more, and marked.
    """
    terms = reported.terms
    if not terms.iterations:
        return reported
    own = [each for each in terms.iterations if each.kind not in _APART]
    rest = {
        name: max(0, getattr(reported, name) - sum(getattr(each, name) for each in own))
        for name in _COUNTS
    }
    iterations, unpriced = terms.iterations, terms.unpriced
    if any(rest.values()):
        iterations = (*iterations, Iteration("rest", **rest))
        unpriced = (*unpriced, "iterations")
    totals = {name: sum(getattr(each, name) for each in iterations) for name in _COUNTS}
    return replace(
        reported, **totals, terms=replace(terms, iterations=iterations, unpriced=unpriced)
    )


def unknown_fields(usage: Mapping[str, JsonValue], known: frozenset[str]) -> tuple[str, ...]:
    """Paths of what is not zero, empty or null and is in no row; a few, shortened."""
    if known.issuperset(usage):
        return ()
    found = dict.fromkeys(
        path[:_LONGEST_NAME] for path, value in _leaves(usage, "", known) if _says(value)
    )
    return tuple(found)[:_MOST_NAMES]


def _leaves(
    value: Mapping[str, JsonValue], before: str, known: frozenset[str]
) -> Iterator[tuple[str, JsonValue]]:
    for name, inner in value.items():
        path = before + name
        if path in known or f"{path}.*" in known:
            continue
        if isinstance(inner, dict):
            yield from _leaves(inner, f"{path}.", known)
        elif isinstance(inner, list):
            for each in inner:
                if isinstance(each, dict):
                    yield from _leaves(each, f"{path}[].", known)
                else:
                    yield f"{path}[]", each
        else:
            yield path, inner


def _says(value: JsonValue) -> bool:
    return value not in (None, 0, False, "")
