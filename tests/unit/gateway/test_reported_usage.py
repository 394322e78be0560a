"""Counts of an answer's usage, and words that say nothing of the price."""

from dataclasses import replace
from typing import TypeAlias

import pytest
from pydantic import JsonValue

from heliostat_gateway.money.bookings import PLAIN, Iteration, Terms, Usage
from heliostat_gateway.money.bounds import bound
from heliostat_gateway.money.prices import find_rates
from heliostat_gateway.money.reported_usage import (
    read_chat_usage,
    read_gemini_usage,
    read_usage,
    unknown_fields,
    with_iterations,
    with_unpriced,
)
from heliostat_json.objects import JsonObject
from unit.gateway.test_costs import NOW


@pytest.mark.parametrize(
    ("before", "reported", "written"),
    [
        (Usage(), {"cache_creation_input_tokens": 7}, (7, 0)),
        (
            Usage(),
            {
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 5,
                    "ephemeral_1h_input_tokens": 3,
                }
            },
            (5, 3),
        ),
        (
            Usage(),
            {
                "cache_creation_input_tokens": 10,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 5,
                    "ephemeral_1h_input_tokens": 3,
                },
            },
            (7, 3),
        ),
        (Usage(cache_write_5m=5, cache_write_1h=3), {"output_tokens": 1}, (5, 3)),
        (Usage(cache_write_5m=5, cache_write_1h=3), {"cache_creation_input_tokens": 9}, (6, 3)),
        (Usage(cache_write_1h=3), {"cache_creation_input_tokens": 1}, (0, 3)),
    ],
)
def test_what_was_written_to_the_cache_is_split_by_how_long_it_stays(
    before: Usage, reported: JsonObject, written: tuple[int, int]
) -> None:
    found = read_usage(before, reported)
    assert (found.cache_write_5m, found.cache_write_1h) == written


@pytest.mark.parametrize("tier", ["default", "standard", "standard_only"])
def test_a_request_for_the_ordinary_tier_reserves_no_dearer_one(tier: str) -> None:
    rates = find_rates("gpt-6.1-sol", "openai", NOW)
    assert rates is not None
    plain = bound(rates, {"max_tokens": 10, "service_tier": tier}, 1000)
    opened = bound(rates, {"max_tokens": 10}, 1000)
    assert plain.output_rate < opened.output_rate


def test_sound_in_base64_is_no_text() -> None:
    rates = find_rates("gpt-audio", "openai", NOW)
    assert rates is not None
    sound = "A" * 900
    block: JsonObject = {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}
    document: JsonObject = {"max_tokens": 1, "messages": [{"content": [block]}]}
    assert bound(rates, document, 1000).input_tokens == 100 + 1_000_000


@pytest.mark.parametrize(
    "word", ["TRAFFIC_TYPE_UNSPECIFIED", "SERVICE_TIER_UNSPECIFIED", "ON_DEMAND", "standard"]
)
def test_words_for_the_ordinary_tier_of_gemini_are_none(word: str) -> None:
    for field in ("trafficType", "serviceTier"):
        found = read_gemini_usage({"promptTokenCount": 1, field: word}, 0)
        assert found.terms.tier == ""


# ---- Messages ------------------------------------------------------------------------------------

KNOWN = Usage(
    input=1,
    output=2,
    cache_read=3,
    cache_write_5m=4,
    cache_write_1h=5,
    web_searches=6,
    thinking=7,
    speed="fast",
    terms=Terms("flex", "us", iterations=(Iteration("message"),), unpriced=("fee",)),
)


@pytest.mark.parametrize(
    "reported",
    [
        {},
        {"input_tokens": None, "output_tokens": None, "cache_read_input_tokens": None},
        {"cache_creation_input_tokens": None, "cache_creation": None, "iterations": None},
        {"server_tool_use": None, "output_tokens_details": None, "speed": None},
        {"service_tier": None, "inference_geo": None},
    ],
)
def test_what_an_event_leaves_open_stays_as_it_was(reported: JsonObject) -> None:
    assert read_usage(KNOWN, reported) == KNOWN


def test_what_an_event_says_takes_the_place_of_what_was_known() -> None:
    told: JsonObject = {
        "input_tokens": 11,
        "output_tokens": 12,
        "cache_read_input_tokens": 13,
        "cache_creation_input_tokens": 29,
        "cache_creation": {"ephemeral_5m_input_tokens": 14, "ephemeral_1h_input_tokens": 15},
        "server_tool_use": {"web_search_requests": 16},
        "output_tokens_details": {"thinking_tokens": 17},
        "speed": "slow",
        "service_tier": "Batch",
        "inference_geo": "EU",
        "iterations": [{"type": "compaction", "input_tokens": 1}, "nonsense"],
        "surcharge": 1,
    }
    iterations = (Iteration("compaction", input=1),)
    unpriced = ("fee", "iterations[]", "surcharge")
    terms = Terms("batch", "eu", iterations=iterations, unpriced=unpriced)
    assert read_usage(KNOWN, told) == Usage(11, 12, 13, 14, 15, 16, 17, "slow", terms)


def test_thoughts_are_counted_up_and_never_down() -> None:
    told: JsonObject = {"output_tokens_details": {"thinking_tokens": 3}}
    assert read_usage(KNOWN, told).thinking == 7


def test_an_answer_without_a_term_of_its_own_is_plain() -> None:
    told: JsonObject = {"service_tier": "standard", "inference_geo": "global", "input_tokens": 5}
    assert read_usage(Usage(), told).terms is PLAIN
    assert read_chat_usage({"prompt_tokens": 5}, "default").terms is PLAIN
    assert read_gemini_usage({"promptTokenCount": 5}, 0).terms is PLAIN


@pytest.mark.parametrize("geo", ["global", "GLOBAL", "not_available"])
def test_words_for_anywhere_are_no_place(geo: str) -> None:
    assert read_usage(KNOWN, {"inference_geo": geo}).terms.geo == ""


@pytest.mark.parametrize("kind", ["message", "compaction", "advisor_message", "fallback_message"])
def test_an_iteration_of_a_known_kind_marks_nothing(kind: str) -> None:
    entry: JsonObject = {
        "type": kind,
        "model": "m" * 300,
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
    }
    found = read_usage(Usage(), {"iterations": [entry]}).terms
    assert found.unpriced == ()
    assert found.iterations == (Iteration(kind, "m" * 200, 1, 2, 3, 4, 5),)


@pytest.mark.parametrize(
    ("credit", "marks"),
    [
        ({"status": {"type": "redeemed"}}, ("fallback_credit",)),
        ({"status": {"type": "not_applied"}}, ()),
        ({"amount": 1}, ("fallback_credit.amount", "fallback_credit")),
        ({}, ()),
    ],
)
def test_a_credit_that_may_change_the_price_marks_the_answer(
    credit: JsonObject, marks: tuple[str, ...]
) -> None:
    found = read_usage(Usage(), {"fallback_credit": credit}).terms.unpriced
    assert set(found) <= set(marks)
    assert ("fallback_credit" in found) is ("fallback_credit" in marks)


# ---- iterations ----------------------------------------------------------------------------------

TURN = Iteration("message", "", 10, 2, 3, 4, 5)


Counts: TypeAlias = tuple[int, int, int, int, int]


def counted(counts: Counts) -> Usage:
    """Input, output, read from the cache, written to it for five minutes and for an hour."""
    given, output, read, minutes, hour = counts
    return Usage(given, output, read, minutes, hour)


def answered(counts: Counts, *iterations: Iteration) -> Usage:
    return replace(counted(counts), terms=Terms("flex", iterations=iterations))


def test_the_counts_of_an_answer_are_those_of_all_its_iterations() -> None:
    both = (TURN, replace(TURN, kind="compaction"))
    told = answered((10, 2, 3, 4, 5), *both)
    assert with_iterations(told) == answered((20, 4, 6, 8, 10), *both)
    plain = counted((10, 2, 3, 4, 5))
    assert with_iterations(plain) is plain


@pytest.mark.parametrize("kind", ["compaction", "advisor_message"])
def test_what_the_counts_say_beside_the_iterations_is_billed_and_marked(kind: str) -> None:
    told = answered((17, 2, 0, 0, 0), TURN, replace(TURN, kind=kind))
    found = with_iterations(told)
    assert found.terms.iterations[2:] == (Iteration("rest", input=7),)
    assert found.terms.unpriced == ("iterations",)
    assert (found.input, found.output, found.cache_write_1h) == (27, 4, 10)


def test_iterations_that_are_in_the_counts_are_not_billed_twice() -> None:
    told = answered((20, 4, 0, 0, 0), TURN, replace(TURN, kind="fallback_message"))
    assert with_iterations(told).terms.unpriced == ()


# ---- Chat Completions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 4}}, 4),
        ({"cached_tokens": 5}, 5),
        ({"prompt_cache_hit_tokens": 6}, 6),
        ({"cached_tokens": 7, "prompt_cache_hit_tokens": 3}, 7),
    ],
)
def test_the_cached_part_of_a_prompt_has_many_names(usage: JsonObject, read: int) -> None:
    found = read_chat_usage({"prompt_tokens": 10, "completion_tokens": 3, **usage})
    assert (found.cache_read, found.input, found.output) == (read, 10 - read, 3)


def test_a_prompt_is_never_smaller_than_nothing() -> None:
    details = {"cached_tokens": 4, "cache_write_tokens": 9}
    found = read_chat_usage({"prompt_tokens": 10, "prompt_tokens_details": {**details}})
    assert (found.input, found.cache_read, found.cache_write_5m) == (0, 4, 9)


def test_parts_of_a_chat_answer_are_told_by_kind() -> None:
    cached = {"audio_tokens": 1, "image_tokens": 2, "video_tokens": 3, "text_tokens": 4}
    prompt = {"audio_tokens": 11, "image_tokens": 12, "video_tokens": 13}
    completion = {"audio_tokens": 5, "image_tokens": 6, "video_tokens": 7}
    usage: JsonObject = {
        "prompt_tokens_details": {**prompt, "cached_tokens_details": {**cached}},
        "completion_tokens_details": {**completion},
    }
    assert dict(read_chat_usage(usage).terms.parts) == {
        "cache_read_audio": 1,
        "cache_read_image": 2,
        "cache_read_video": 3,
        "cache_read_text": 4,
        "input_audio": 10,
        "input_image": 10,
        "input_video": 10,
        "output_audio": 5,
        "output_image": 6,
        "output_video": 7,
    }
    less: JsonObject = {
        "prompt_tokens_details": {
            "audio_tokens": 1,
            "cached_tokens_details": {"audio_tokens": 2},
        }
    }
    assert dict(read_chat_usage(less).terms.parts) == {"cache_read_audio": 2}


@pytest.mark.parametrize(
    ("usage", "stated"),
    [
        ({}, ""),
        ({"cost": 0}, "0"),
        ({"cost": 0.25}, "0.25"),
        ({"cost": 3}, "3"),
        ({"cost": True}, ""),
        ({"cost": "0.25"}, ""),
        ({"cost": -0.1}, ""),
        ({"cost": 999_999.5}, "999999.5"),
        ({"cost": 1_000_000}, ""),
        ({"cost": float("nan")}, ""),
        ({"cost": float("inf")}, ""),
        ({"cost": 1, "cost_details": {"upstream_inference_cost": 2}}, "1"),
        ({"cost": 1, "is_byok": True}, "1"),
        ({"cost": 1, "is_byok": "yes", "cost_details": {"upstream_inference_cost": 2}}, "1"),
        ({"cost": 1, "is_byok": True, "cost_details": {"upstream_inference_cost": 2}}, "3"),
        ({"cost": 1, "is_byok": True, "cost_details": {"upstream_inference_cost": -2}}, "1"),
        ({"is_byok": True, "cost_details": {"upstream_inference_cost": 2}}, ""),
    ],
)
def test_what_a_provider_states_is_taken_where_it_is_an_amount_of_money(
    usage: JsonObject, stated: str
) -> None:
    assert read_chat_usage(usage).terms.stated_dollars == stated


# ---- Gemini --------------------------------------------------------------------------------------


def test_parts_of_a_gemini_answer_are_told_by_kind() -> None:
    def by(**counts: int) -> list[JsonValue]:
        return [{"modality": kind, "tokenCount": count} for kind, count in counts.items()]

    usage: JsonObject = {
        "promptTokensDetails": by(AUDIO=10, IMAGE=10, VIDEO=10, TEXT=10, DOCUMENT=5),
        "toolUsePromptTokensDetails": [*by(audio=7, UNHEARD_OF=9), "nonsense"],
        "cacheTokensDetails": by(AUDIO=1, IMAGE=2, VIDEO=20, TEXT=4),
        "candidatesTokensDetails": by(AUDIO=5, IMAGE=6, VIDEO=8),
    }
    assert dict(read_gemini_usage(usage, 0).terms.parts) == {
        "cache_read_audio": 1,
        "cache_read_image": 2,
        "cache_read_video": 20,
        "cache_read_text": 4,
        "input_audio": 16,
        "input_image": 13,
        "output_audio": 5,
        "output_image": 6,
        "output_video": 8,
    }


def test_counts_of_gemini_stand_apart_and_are_added_up() -> None:
    usage: JsonObject = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 5,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
    }
    found = read_gemini_usage(usage, 9)
    assert found == Usage(input=11, output=5, cache_read=4, thinking=2, web_searches=9)
    more = {**usage, "cachedContentTokenCount": 40}
    assert read_gemini_usage(more, 0).input == 0


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ({"serviceTier": "flex", "trafficType": "ON_DEMAND_PRIORITY"}, "flex"),
        ({"serviceTier": "standard", "trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ({"trafficType": "x" * 100}, "x" * 40),
    ],
)
def test_either_field_of_gemini_may_name_the_tier(fields: JsonObject, tier: str) -> None:
    assert read_gemini_usage({"promptTokenCount": 1, **fields}, 0).terms.tier == tier


# ---- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "standard",
        "STANDARD",
        "standard_only",
        "default",
        "auto",
        "on_demand",
        "unspecified",
        "traffic_type_unspecified",
        "service_tier_unspecified",
    ],
)
def test_words_for_the_ordinary_tier_are_none_in_all_dialects(word: str) -> None:
    for found in (
        read_usage(KNOWN, {"service_tier": word}),
        read_chat_usage({}, word),
        read_gemini_usage({"serviceTier": word}, 0),
    ):
        assert found.terms.tier == ""


def test_names_of_unknown_fields_are_few_and_short() -> None:
    usage = {f"{number}{'x' * 500}": 1 for number in range(100)}
    found = unknown_fields({**usage}, frozenset())
    assert [len(name) for name in found] == [80] * 8


@pytest.mark.parametrize(
    ("usage", "names"),
    [
        ({"known": 5}, ()),
        ({"known": 5, "other": 1}, ("other",)),
        ({"all": {"that": 1}}, ()),
        ({"deep": {"known": 1, "other": 1}}, ("deep.other",)),
        ({"list": [{"known": 1, "other": 1}, 7]}, ("list[].other", "list[]")),
        ({"list": [0, None], "other": {"inner": 0}}, ()),
    ],
)
def test_a_field_is_known_by_its_path(usage: JsonObject, names: tuple[str, ...]) -> None:
    known = frozenset({"known", "all.*", "deep.known", "list[].known"})
    assert unknown_fields(usage, known) == names


def test_a_mark_is_added_once() -> None:
    marked = with_unpriced(KNOWN, "fee", "annotations")
    assert marked == replace(KNOWN, terms=replace(KNOWN.terms, unpriced=("fee", "annotations")))
    assert with_unpriced(KNOWN) is KNOWN
