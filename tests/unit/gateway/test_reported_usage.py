"""Counts of an answer's usage, and words that say nothing of the price."""

import pytest

from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.bounds import bound
from heliostat_gateway.money.prices import find_rates
from heliostat_gateway.money.reported_usage import read_gemini_usage, read_usage
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
