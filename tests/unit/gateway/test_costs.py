"""How much a request will use, expected and at most."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.money.bookings import Bound, ExecutionTotal, Iteration, Terms, Usage
from heliostat_gateway.money.bounds import (
    DOCUMENT_TOKENS,
    HIDDEN_TOKENS,
    IMAGE_TOKENS,
    SERVER_TOOL_TOKENS,
    STRICT_MAX_TOKENS,
    UnboundedRequestError,
    bound,
)
from heliostat_gateway.money.costs import (
    DEFAULT_OUTPUT_TOKENS,
    Charge,
    OutputHistory,
    charge,
    cost_nanos,
    expect,
    max_tokens_of,
)
from heliostat_gateway.money.prices import FlatRates, RateTable, Variants, find_rates
from heliostat_gateway.money.reservations import Used, output_nanos
from heliostat_json.objects import JsonObject, dump_object

PRICES = {
    "input": Decimal("2"),
    "output": Decimal("10"),
    "cache_read": Decimal("0.1"),
    "cache_write_5m": Decimal("2.5"),
    "cache_write_1h": Decimal("4"),
    "web_searches": Decimal("10000"),
}
RATES = FlatRates(PRICES)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Cliff:
    """Five times the price above 1,000 input tokens, and twice as much for speed."""

    variants = Variants(speeds=frozenset({"fast"}))
    audio_as_text = True
    takes_stated = False

    def other(self, model: str) -> None:
        """No other model."""

    def table(self, usage: Usage) -> RateTable:
        factor = (5 if usage.total_input > 1000 else 1) * (2 if usage.speed == "fast" else 1)
        return {kind: price * factor for kind, price in PRICES.items()}


def bound_of(document: JsonObject) -> Bound:
    return bound(RATES, document, len(dump_object(document)))


def test_an_unknown_agent_is_expected_to_get_the_default() -> None:
    history = OutputHistory()
    assert history.expected("a", "m", None) == DEFAULT_OUTPUT_TOKENS
    assert history.expected("a", "m", 20) == 20


@given(st.lists(st.integers(0, 128_000), min_size=1, max_size=50))
def test_the_expected_output_stays_within_reason(outputs: list[int]) -> None:
    history = OutputHistory()
    for output in outputs:
        history.learn("a", "m", output)
    assert 0 <= history.expected("a", "m", None) <= 4 * max(outputs) + 8
    assert history.expected("a", "other", None) == DEFAULT_OUTPUT_TOKENS


def test_a_steady_agent_is_known_after_a_while() -> None:
    history = OutputHistory()
    for _ in range(60):
        history.learn("a", "m", 400)
    assert 400 <= history.expected("a", "m", None) <= 420


def test_the_expected_output_is_the_mean_and_twice_the_deviation_rounded_up() -> None:
    history = OutputHistory()
    history.learn("a", "m", 40)
    assert history.expected("a", "m", None) == 80  # 40 + 2 x 20, half of the first
    history.learn("a", "m", 41)
    assert history.expected("a", "m", None) == 76  # 40.125 + 2 x 17.625 is 75.375


def test_the_agents_that_were_used_last_are_remembered() -> None:
    history = OutputHistory()
    for number in range(4096):
        history.learn(f"agent-{number}", "m", 40)
    history.learn("agent-0", "m", 40)
    assert history.expected("agent-1", "m", None) < 100
    history.learn("one more", "m", 40)
    known = [history.expected(f"agent-{number}", "m", None) < 100 for number in range(3)]
    assert known == [True, False, True]


def test_a_request_that_expects_no_output_reserves_none() -> None:
    assert expect(RATES, 4, 0).output_nanos == 0


def test_the_estimate_tells_output_apart() -> None:
    estimate = expect(RATES, 401, 100)
    assert estimate.usage == Usage(input=101, output=100)
    assert (estimate.cost_nanos, estimate.output_nanos) == (101 * 2000 + 100 * 10_000, 1_000_000)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": -1}, None),
        ({"max_tokens": 5, "max_completion_tokens": -1}, 5),
        ({"max_tokens": True}, None),
        ({"max_tokens": "5"}, None),
    ],
)
def test_the_maximum_is_found_in_either_dialect(document: JsonObject, expected: int | None) -> None:
    assert max_tokens_of(document) == expected


@given(
    st.text(max_size=60),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(0, 900),
    st.sampled_from(["", "fast"]),
)
def test_the_bound_is_above_every_outcome(
    text: str, read: int, written: int, output: int, speed: str
) -> None:
    """No split of at most as many tokens as bytes over the kinds of input costs more."""
    document: JsonObject = {"max_tokens": 900, "messages": [{"content": text}], "speed": speed}
    size = len(dump_object(document)) + read + written
    found = bound(Cliff(), document, size)
    usage = Usage(size - read - written, output, read, written // 2, written - written // 2)
    usage = Usage(**(vars(usage) | {"speed": speed}))
    assert cost_nanos(Cliff(), usage) <= found.input_nanos + output_nanos(output, found)
    assert usage.total <= found.input_tokens + output


def test_an_image_counts_with_its_maximum_instead_of_its_bytes() -> None:
    data = "A" * 100_000
    image: JsonObject = {"type": "image", "source": {"type": "base64", "data": data}}
    url: JsonObject = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    for block in (image, url):
        tool: JsonObject = {"type": "tool_result", "content": [block]}
        found = bound_of({"max_tokens": 1, "messages": [{"content": [tool]}]})
        assert IMAGE_TOKENS <= found.input_tokens < IMAGE_TOKENS + 300


def test_a_document_counts_as_a_full_window() -> None:
    block: JsonObject = {"type": "document", "source": {"type": "url", "url": "https://x.invalid"}}
    assert bound_of({"messages": [{"content": [block]}]}).input_tokens > DOCUMENT_TOKENS


def test_a_request_without_a_maximum_gets_one() -> None:
    assert bound_of({}).max_tokens == STRICT_MAX_TOKENS


def test_several_choices_are_paid_each() -> None:
    assert bound_of({"max_tokens": 10, "n": 3}).choices == 3


def test_client_tools_add_what_providers_put_in_front() -> None:
    plain = bound_of({"max_tokens": 1}).input_tokens
    tools: JsonObject = {"max_tokens": 1, "tools": [{"type": "bash_20250124", "name": "bash"}]}
    assert plain + HIDDEN_TOKENS < bound_of(tools).input_tokens < plain + HIDDEN_TOKENS + 100


def test_a_server_tool_sends_everything_again_for_each_use() -> None:
    tool: JsonObject = {"type": "web_search_20260209", "name": "web_search", "max_uses": 2}
    found = bound_of({"max_tokens": 100, "tools": [tool]})
    once = len(dump_object({"max_tokens": 100, "tools": [tool]})) + HIDDEN_TOKENS
    # Asked three times, each time with what two uses found and what was said before.
    assert found.input_tokens == 3 * (once + 2 * (SERVER_TOOL_TOKENS + 100))
    assert found.input_nanos > found.input_tokens * 4000 + 2 * 10_000_000 - 1


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"tools": [{"name": "x"}, {"type": "web_search_20260209"}]}, "tools.1.max_uses"),
        ({"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
        ({"web_search_options": {"x": 1}}, "web_search_options"),
        # What other models answer, or what is billed beside the answer.
        ({"fallbacks": "default"}, "fallbacks"),
        ({"models": ["a", "b"]}, "models"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"tools": [{"type": "advisor_20260301", "max_uses": 2}]}, "tools.0"),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context_management.edits.0",
        ),
        # Variants and media that have no known price.
        ({"service_tier": "flex"}, "service_tier"),
        ({"speed": "fast"}, "speed"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"messages": [{"content": [{"type": "input_audio"}]}]}, "input_audio"),
    ],
)
def test_what_has_no_upper_bound_is_refused_by_name(document: JsonObject, field: str) -> None:
    with pytest.raises(UnboundedRequestError) as caught:
        bound_of(document)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("provider", "model", "asked", "answered", "is_covered"),
    [
        # What a request leaves open, the project or workspace decides.
        ("openai", "gpt-6.1-sol", {}, Usage(terms=Terms(tier="priority")), True),
        ("openai", "gpt-6.1-sol", {"service_tier": "auto"}, Usage(terms=Terms(tier="fast")), True),
        ("openai", "gpt-6.1-sol", {"service_tier": "default"}, Usage(), True),
        (
            "openai",
            "gpt-6.1-sol",
            {"service_tier": "default"},
            Usage(terms=Terms("priority")),
            False,
        ),
        ("openai", "gpt-6.1-sol", {"service_tier": "flex"}, Usage(), True),
        ("anthropic", "claude-opus-5-5", {}, Usage(terms=Terms(geo="us")), True),
        ("anthropic", "claude-opus-5-5", {"inference_geo": "global"}, Usage(), True),
        (
            "anthropic",
            "claude-opus-5-5",
            {"inference_geo": "global"},
            Usage(terms=Terms(geo="us")),
            False,
        ),
        ("anthropic", "claude-opus-4-8", {"speed": "fast"}, Usage(speed="fast"), True),
    ],
)
def test_a_strict_request_reserves_for_the_dearest_variant_that_it_allows(
    provider: str, model: str, asked: JsonObject, answered: Usage, *, is_covered: bool
) -> None:
    rates = find_rates(model, provider, NOW)
    assert rates is not None
    found = bound(rates, {"max_tokens": 500, **asked}, 4000)
    used = replace(answered, cache_write_1h=found.input_tokens, output=500)
    cost = charge(rates, used)
    assert not cost.unpriced
    assert (cost.nanos <= found.input_nanos + output_nanos(500, found)) is is_covered


@given(
    st.integers(0, 400_000),
    st.integers(0, 4000),
    st.sampled_from(["", "flex", "priority", "fast"]),
    st.integers(0, 100),
)
def test_no_answer_costs_more_than_a_strict_key_reserves(
    size: int, output: int, tier: str, share: int
) -> None:
    rates = find_rates("gpt-6.1-sol", "openai", NOW)
    assert rates is not None
    found = bound(rates, {"max_tokens": 4000}, size)
    read = size * share // 100
    used = Usage(size - read, output, read, terms=Terms(tier=tier))
    assert charge(rates, used).nanos <= found.input_nanos + output_nanos(output, found)


def test_audio_is_reserved_at_its_own_price() -> None:
    rates = find_rates("gpt-audio", "openai", NOW)
    assert rates is not None
    text = bound(rates, {"max_tokens": 100}, 1000)
    sound = bound(rates, {"max_tokens": 100, "modalities": ["text", "audio"]}, 1000)
    assert (text.output_rate, sound.output_rate) == (10_000_000, 64_000_000)
    block: JsonObject = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    heard = bound(rates, {"messages": [{"content": [block]}]}, 1000)
    assert heard.input_nanos == heard.input_tokens * 32_000


def test_a_kind_that_has_no_price_is_named() -> None:
    bare = FlatRates({"input": Decimal(2), "output": Decimal(10)})
    used = Usage(input=3, cache_read=5, web_searches=1)
    assert charge(bare, used) == Charge(6000, ("cache_read", "web_searches"))
    with pytest.raises(KeyError, match="web_searches"):
        cost_nanos(bare, used)
    assert charge(bare, Usage()) == Charge(0)


def test_a_part_is_never_more_than_what_it_is_a_part_of() -> None:
    rates = FlatRates(PRICES | {"input_audio": Decimal(7), "thinking": Decimal(20)})
    terms = Terms(parts=(("input_audio", 9), ("input_video", 2), ("unheard_of", 5)))
    used = Usage(input=4, output=6, thinking=2, terms=terms)
    # All input is audio then, and two of the output's tokens are thoughts.
    found = charge(rates, used)
    assert found == Charge(4 * 7000 + 2 * 20_000 + 4 * 10_000, ("shares of input",))
    fits = replace(used, terms=Terms(parts=(("input_audio", 3), ("input_video", 1))))
    assert charge(rates, fits) == Charge(3 * 7000 + 2000 + 2 * 20_000 + 4 * 10_000)


def test_what_a_provider_states_counts_where_it_charges_that_and_halves_go_to_the_even() -> None:
    class Stating(FlatRates):
        takes_stated = True

    def stated(dollars: str) -> Usage:
        return Usage(input=1, terms=Terms(stated_dollars=dollars))

    assert charge(RATES, stated("0.5")) == Charge(2000)
    rates = Stating(PRICES)
    assert charge(rates, stated("0.5")) == Charge(500_000_000)
    assert charge(rates, stated("")) == Charge(2000)
    assert charge(rates, stated("0.0000000025")) == Charge(2)


@pytest.mark.parametrize(
    ("usage", "marks"),
    [
        (Usage(speed="standard"), ()),
        (Usage(speed="warp"), ("speed=warp",)),
        (Usage(terms=Terms(tier="batch")), ("service_tier=batch",)),
        (Usage(terms=Terms(geo="us")), ("inference_geo=us",)),
        (Usage(terms=Terms(unpriced=("fee",))), ("fee",)),
        (Usage(speed="warp", terms=Terms(unpriced=("fee",))), ("fee", "speed=warp")),
        (Usage(input=5, terms=Terms(parts=(("input_audio", 5),))), ("input_audio",)),
        (Usage(input=5, terms=Terms(parts=(("input_image", 5),))), ()),
        (Usage(terms=Terms(iterations=(Iteration("message", "m"),))), ("iterations[].model=m",)),
        (Usage(terms=Terms(iterations=(Iteration("message"),))), ()),
        (
            Usage(speed="warp", terms=Terms(iterations=(Iteration("message"),))),
            ("speed=warp",),
        ),
    ],
)
def test_what_the_price_book_does_not_know_marks_the_answer(
    usage: Usage, marks: tuple[str, ...]
) -> None:
    assert charge(RATES, usage).unpriced == marks


@pytest.mark.parametrize(
    ("parts", "marks"),
    [
        ((("input_audio", 2),), ("cached input_audio",)),
        ((("input_audio", 2), ("cache_read_audio", 1)), ()),
        ((("input_audio", 2), ("cache_read_text", 1)), ()),
        ((("input_video", 2),), ()),  # it costs as text, cached or not
    ],
)
def test_whether_sound_came_from_the_cache_has_to_be_said(
    parts: tuple[tuple[str, int], ...], marks: tuple[str, ...]
) -> None:
    rates = FlatRates(
        PRICES | {"input_audio": Decimal(7), "cache_read_audio": Decimal(1)},
    )
    used = Usage(input=9, cache_read=4, terms=Terms(parts=parts))
    assert charge(rates, used).unpriced == marks
    assert charge(rates, replace(used, cache_read=1)).unpriced == marks
    apart = tuple(each for each in parts if each[0].startswith("input"))
    assert charge(rates, replace(used, cache_read=0, terms=Terms(parts=apart))).unpriced == ()


def test_an_iteration_is_billed_as_a_request_of_its_own_under_the_terms_of_the_answer() -> None:
    prices = {"input": 1, "output": 10, "cache_read": 100}
    prices |= {"cache_write_5m": 1000, "cache_write_1h": 10_000}
    plain = {kind: Decimal(price) for kind, price in prices.items()}
    doubled = {kind: price * 2 for kind, price in plain.items()}
    rates = FlatRates(plain, named={("tier", "flex"): doubled, ("speed", "fast"): doubled})
    one = Iteration("message", "", 1, 2, 3, 4, 5)
    figures = 1 + 2 * 10 + 3 * 100 + 4 * 1000 + 5 * 10_000
    for tier, speed, factor in (("", "", 1), ("flex", "", 2), ("", "fast", 2)):
        terms = Terms(tier=tier, iterations=(one, one), parts=(("input_audio", 1),))
        used = Usage(speed=speed, terms=terms)
        assert charge(rates, used).nanos == 2 * figures * 1000 * factor


def test_a_usage_of_which_nothing_is_said_is_none() -> None:
    """Rows and answers leave out what is zero or empty."""
    for each in (Usage(), Iteration(""), Terms(), Used(), ExecutionTotal()):
        values = dict(vars(each))
        assert values.pop("settled", True)  # nothing is open
        assert [
            value for value in values.values() if value not in (Terms(), Usage()) and value
        ] == []
    assert Usage().total == 0
