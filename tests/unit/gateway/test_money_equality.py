"""The ledger's price and the scripted provider's bill agree to the nano-dollar, apart in code."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from random import Random

import pytest
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.meter import new_meter
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.costs import Charge, charge, cost_nanos
from heliostat_gateway.money.prices import FlatRates, find_rates
from heliostat_gateway.providers.scripted import ScriptedProvider
from heliostat_gateway.sse import EventReader
from heliostat_json.objects import JsonObject
from heliostat_scripted.apis import Api, told_usage
from heliostat_scripted.bill import Bill, invoice_nanos
from heliostat_scripted.rendering import Rendering
from heliostat_scripted.rendering.chat import ChatRendering
from heliostat_scripted.rendering.gemini import GeminiRendering
from heliostat_scripted.rendering.messages import MessagesRendering
from heliostat_scripted.scenario import Pace, Prices, Scenario, UsageSpec
from heliostat_scripted.script import Script, Text

COUNT = st.integers(0, 3_000_000)
# Up to nine decimals, so that thousandths of a nano-dollar and exact halves occur.
PRICE = st.builds(lambda n, d: str(Decimal(n).scaleb(-d)), st.integers(0, 10**6), st.integers(0, 9))
ZERO = ("output", "cache_read", "cache_write_5m", "cache_write_1h")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def ledger_cost(prices: Prices, spec: UsageSpec) -> int:
    rates = FlatRates(
        {
            "input": Decimal(prices.input),
            "output": Decimal(prices.output),
            "cache_read": Decimal(prices.cache_read),
            "cache_write_5m": Decimal(prices.cache_write5m),
            "cache_write_1h": Decimal(prices.cache_write1h),
        }
    )
    return cost_nanos(
        rates,
        Usage(spec.input, spec.output, spec.cache_read, spec.cache_write5m, spec.cache_write1h),
    )


def prices_of(*texts: str) -> Prices:
    names = ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h")
    return Prices.model_validate(dict(zip(names, texts, strict=True)))


def spec_of(*counts: int) -> UsageSpec:
    names = ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h")
    return UsageSpec.model_validate(dict(zip(names, counts, strict=True)))


@settings(max_examples=400, deadline=None)
@given(st.tuples(PRICE, PRICE, PRICE, PRICE, PRICE), st.tuples(COUNT, COUNT, COUNT, COUNT, COUNT))
def test_ledger_equals_bill(
    texts: tuple[str, str, str, str, str], counts: tuple[int, int, int, int, int]
) -> None:
    prices, spec = prices_of(*texts), spec_of(*counts)
    assert ledger_cost(prices, spec) == invoice_nanos(prices, spec)


def test_ledger_equals_bill_for_ten_thousand_random_requests() -> None:
    chance = Random(20261121)
    for _ in range(10_000):
        texts = [f"{chance.randrange(10**7)}e-{chance.randrange(10)}" for _ in range(5)]
        counts = [chance.choice([0, 1, chance.randrange(2_000_000)]) for _ in range(5)]
        prices, spec = prices_of(*texts), spec_of(*counts)
        assert ledger_cost(prices, spec) == invoice_nanos(prices, spec)


@pytest.mark.parametrize(("tokens", "nanos"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_halves_go_to_the_even_neighbour_in_both(tokens: int, nanos: int) -> None:
    prices = prices_of("0.0005", "0", "0", "0", "0")
    spec = spec_of(tokens, 0, 0, 0, 0)
    assert invoice_nanos(prices, spec) == ledger_cost(prices, spec) == nanos


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        ["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-5-5", "claude-haiku-4-5"]
    ),
    st.tuples(*[st.integers(0, 200_000)] * 5),
    st.sampled_from(["", "standard", "fast"]),
)
def test_real_prices_are_those_of_genai_prices(
    model: str, counts: tuple[int, int, int, int, int], speed: str
) -> None:
    usage = Usage(*counts, speed=speed)
    rates = find_rates(model, "anthropic", NOW)
    assert rates is not None
    theirs = calc_price(
        PricedUsage(
            input_tokens=usage.total_input,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
            cache_write_1h_tokens=usage.cache_write_1h,
        ),
        model,
        provider_id="anthropic",
        genai_request_timestamp=NOW,
        price_context={"speed": speed} if speed else None,
    )
    nanos = (theirs.total_price * 10**9).to_integral_value(ROUND_HALF_EVEN)
    assert cost_nanos(rates, usage) == int(nanos)


def test_one_token_over_the_tier_reprices_the_whole_request() -> None:
    rates = find_rates("claude-haiku-5-5", "anthropic", NOW)
    assert rates is not None
    below = cost_nanos(rates, Usage(input=100_000, output=1000))
    above = cost_nanos(rates, Usage(input=100_001, output=1000))
    assert (below, above) == (10_500_000, 52_500_500)


def test_searches_are_priced_per_thousand() -> None:
    rates = find_rates("claude-opus-5-5", "anthropic", NOW)
    assert rates is not None
    assert cost_nanos(rates, Usage(web_searches=3)) == 30_000_000


@settings(max_examples=100, deadline=None)
@given(PRICE, st.integers(0, 10_000))
def test_searches_cost_the_same_in_both(price: str, searches: int) -> None:
    prices = prices_of("1", "0", "0", "0", "0").model_copy(update={"web_searches": price})
    spec = UsageSpec(input=1, output=0, web_searches=searches)
    rates = FlatRates(
        {
            **dict.fromkeys(ZERO, Decimal(0)),
            "input": Decimal(1),
            "web_searches": Decimal(price) * 1000,
        }
    )
    assert cost_nanos(rates, Usage(input=1, web_searches=searches)) == invoice_nanos(prices, spec)


def test_an_unknown_model_has_no_price_instead_of_zero() -> None:
    assert find_rates("claude-nonsense-9", "anthropic", NOW) is None


def test_a_used_kind_without_a_price_is_an_error_not_zero() -> None:
    with pytest.raises(KeyError):
        cost_nanos(FlatRates({"input": Decimal(1)}), Usage(output=1))


VARIANTS = ("flex", "priority", "batch", "fast", "us")
# What each API can say of itself.
SAID = {
    Api.MESSAGES: ("batch", "fast", "us"),
    Api.CHAT: ("flex", "priority"),
    Api.GEMINI: ("flex", "priority"),
}
DIALECTS = {
    Api.MESSAGES: Dialect.MESSAGES,
    Api.CHAT: Dialect.CHAT,
    Api.GEMINI: Dialect.GEMINI,
}
COMPACTIONS = st.lists(
    st.builds(
        lambda counts: {"input": counts[0], "output": counts[1], "cacheRead": counts[2]},
        st.tuples(COUNT, COUNT, COUNT),
    ),
    max_size=3,
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Api, Scenario, UsageSpec]:
    """An API, prices and a usage that the API can report."""
    api = draw(st.sampled_from(list(Api)))
    kinds = ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h")
    names = (*kinds, "webSearches", "inputAudio", "outputAudio")
    prices = {name: draw(PRICE) for name in names}
    factors = {name: draw(PRICE) for name in VARIANTS}
    counts = draw(st.tuples(*[COUNT] * 5))
    usage: JsonObject = dict(zip(kinds, counts, strict=True))
    usage["variant"] = draw(st.none() | st.sampled_from(SAID[api]))
    usage["thinking"] = draw(st.integers(0, counts[1]))
    if api is Api.MESSAGES:
        usage["webSearches"] = draw(st.integers(0, 50))
        usage["compactions"] = [*draw(COMPACTIONS)]
    elif not counts[2]:  # what of the cached is audio these APIs do not say
        usage["inputAudio"] = draw(st.integers(0, counts[0]))
        usage["outputAudio"] = draw(st.integers(0, counts[1] - usage["thinking"]))
    scenario = Scenario.model_validate(
        {
            "description": "x",
            "prices": prices | {"factors": factors},
            "turns": [{"steps": [{"text": "x"}], "usage": usage}],
        }
    )
    reported = scenario.turns[0].usage
    assert reported is not None
    return api, scenario, told_usage(api, reported)


def rendering_of(api: Api, usage: UsageSpec) -> Rendering:
    script = Script("msg_1", "x", (Text("shown"),), usage, "end_turn", Pace())
    if api is Api.CHAT:
        return ChatRendering(script, include_usage=True)
    if api is Api.GEMINI:
        return GeminiRendering(script, response_id="r", thoughts=True)
    return MessagesRendering(script)


@settings(max_examples=400, deadline=None)
@given(answers(), st.booleans())
def test_the_price_of_what_an_answer_says_is_the_bill(
    answer: tuple[Api, Scenario, UsageSpec], is_stream: bool
) -> None:
    """Scenario, rendering and bill on one side; meter, price book and charge on the other."""
    api, scenario, usage = answer
    provider = ScriptedProvider({"x": scenario}, Bill(Path("never-written")))
    rendering, meter = rendering_of(api, usage), new_meter(DIALECTS[api], 1)
    if is_stream:
        reader = EventReader()
        pieces = [*rendering.start(), *rendering.block(Text("shown"), 0), *rendering.end()]
        for piece in pieces:
            for event in reader.feed(piece.raw):
                meter.read_event(event)
    else:
        meter.read_message(rendering.whole().raw)
    assert meter.final
    found = charge(provider.rates["x"], meter.usage())
    assert found == Charge(invoice_nanos(scenario.prices, usage))


@settings(max_examples=200, deadline=None)
@given(answers())
def test_what_has_no_price_is_marked_and_the_rest_is_still_billed(
    answer: tuple[Api, Scenario, UsageSpec],
) -> None:
    api, scenario, usage = answer
    bare = scenario.model_copy(
        update={
            "prices": scenario.prices.model_copy(
                update={"factors": {}, "input_audio": None, "output_audio": None}
            )
        }
    )
    provider = ScriptedProvider({"x": bare}, Bill(Path("never-written")))
    meter = new_meter(DIALECTS[api], 1)
    meter.read_message(rendering_of(api, usage).whole().raw)
    found = charge(provider.rates["x"], meter.usage())
    assert bool(found.unpriced) == bool(usage.variant or usage.input_audio or usage.output_audio)
    plain = usage.model_copy(update={"input_audio": 0, "output_audio": 0, "variant": None})
    assert found.nanos == invoice_nanos(bare.prices, plain)
