"""Prices are found once per model and day, and what is kept is bounded."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from heliostat_gateway.money.bookings import Terms, Usage
from heliostat_gateway.money.prices import (
    FlatRates,
    ModelRates,
    PriceBook,
    Recent,
    Tariff,
    Variants,
    day_of,
    find_rates,
    known_models,
)

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_a_price_is_found_once_a_day_and_dated_prices_change_with_the_day() -> None:
    book = PriceBook()
    first = book.rates("google", "gemini-4-argon", NOON)
    assert first is not None
    assert book.rates("google", "gemini-4-argon", NOON + timedelta(hours=11)) is first
    after = book.rates("google", "gemini-4-argon", NOON + timedelta(hours=12))
    assert after is not None
    assert [rates.table(Usage())["input"] for rates in (first, after)] == [2, 4]


@pytest.mark.parametrize(
    ("named", "read", "write_5m", "write_1h"),
    [
        ({}, "3", "3", "3"),
        ({"cache_read_mtok": "0.3"}, "0.3", "3", "3"),
        ({"cache_read_mtok": "0"}, "0", "3", "3"),  # free is a price, too
        ({"cache_write_mtok": "3.75"}, "3", "3.75", "3.75"),
        ({"cache_write_mtok": "3.75", "cache_write_1h_mtok": "6"}, "3", "3.75", "6"),
        ({"cache_write_mtok": "0", "cache_write_1h_mtok": "0"}, "3", "0", "0"),
    ],
)
def test_a_kind_of_input_without_a_price_of_its_own_costs_as_its_parent(
    named: dict[str, str], read: str, write_5m: str, write_1h: str
) -> None:
    own = {name: Decimal(price) for name, price in named.items()}
    price = ModelPrice(input_mtok=Decimal(3), output_mtok=Decimal(15), **own)
    table = ModelRates(ModelInfo("m", ClauseEquals("m"), prices=price), NOON).table(Usage())
    assert table == {
        "input": Decimal(3),
        "output": Decimal(15),
        "cache_read": Decimal(read),
        "cache_write_5m": Decimal(write_5m),
        "cache_write_1h": Decimal(write_1h),
    }


def test_what_only_vertex_sells_has_no_price_at_gemini() -> None:
    book = PriceBook()
    assert book.rates("google", "claude-opus-5-5", NOON) is None
    assert book.rates("google", "gemini-4-argon", NOON) is not None
    assert not [name for name in book.models("google", NOON) if name.startswith("claude")]


def test_prices_that_depend_on_the_hour_are_those_of_the_request() -> None:
    book = PriceBook()
    prices = {
        hour: rates.table(Usage())["input"]
        for hour in range(24)
        if (
            rates := book.rates("deepseek", "deepseek-chat", datetime(2025, 6, 1, hour, tzinfo=UTC))
        )
    }
    assert len(set(prices.values())) == 2


def test_a_speed_has_its_own_price_and_unknown_speeds_are_not_kept_without_end() -> None:
    rates = PriceBook().rates("anthropic", "claude-opus-5-5", NOON)
    assert rates is not None
    plain = rates.table(Usage())
    for number in range(100):
        assert rates.table(Usage(speed=f"speed-{number}")) == plain


def test_only_the_last_keys_are_kept() -> None:
    made: list[int] = []

    def make(key: int) -> int:
        made.append(key)
        return key * 2

    recent: Recent[int, int] = Recent(2)
    for key in (1, 2, 1, 3, 1, 2):
        assert recent.get(key, lambda key=key: make(key)) == key * 2  # type: ignore[misc]
    assert made == [1, 2, 3, 2]
    assert len(recent) == 2


def test_own_prices_win_then_the_table_then_the_default() -> None:
    own, default = FlatRates({"input": Decimal(1)}), FlatRates({"input": Decimal(2)})
    tariff = Tariff(PriceBook(), {"anthropic": "anthropic"}, {("anthropic", "a"): own}, default)
    assert tariff.rates("anthropic", "a", NOON) is own
    assert tariff.rates("anthropic", "b", NOON) is default
    assert tariff.rates("anthropic", "claude-opus-5-5", NOON) not in (own, default)
    assert tariff.known("anthropic", "b", NOON) is None
    assert Tariff(PriceBook(), {}).rates("anthropic", "claude-opus-5-5", NOON) is None


# ---- models made by hand -------------------------------------------------------------------------

TIERS = TieredPrices(Decimal(2), [Tier(100, Decimal(4)), Tier(1000, Decimal(8))])
PRICE = ModelPrice(input_mtok=TIERS, output_mtok=Decimal(10), web_searches_kcount=Decimal(7))


def model(
    prices: ModelPrice | list[ConditionalPrice] = PRICE, *variants: PriceVariant
) -> ModelInfo:
    return ModelInfo("m", ClauseEquals("m"), prices=prices, price_variants=list(variants))


def variant(price: int, starts: date | None = None, **when: str) -> PriceVariant:
    constraint = StartDateConstraint(starts) if starts else None
    return PriceVariant(when, ModelPrice(output_mtok=Decimal(price)), constraint)


VARIED = model(
    PRICE,
    variant(20, service_tier="flex"),
    variant(30, speed="fast"),
    variant(40, processing="batch"),
    variant(50, date(2026, 11, 30), service_tier="today"),
    variant(60, date(2026, 12, 1), service_tier="tomorrow"),
)


@pytest.mark.parametrize(("provider", "geos"), [("anthropic", {"us"}), ("openai", set[str]())])
def test_the_variants_of_a_model_are_those_that_have_a_price_now(
    provider: str, geos: set[str]
) -> None:
    rates = ModelRates(VARIED, NOON, provider)
    assert rates.variants == Variants(
        tiers=frozenset({"flex", "batch", "today"}),
        speeds=frozenset({"fast"}),
        geos=frozenset(geos),
    )
    assert ModelRates(model(), NOON, "openai").variants == Variants()


@pytest.mark.parametrize(
    ("usage", "output"),
    [
        (Usage(), 10),
        (Usage(terms=Terms(tier="flex")), 20),
        (Usage(speed="fast"), 30),
        (Usage(terms=Terms(tier="batch")), 40),
        (Usage(terms=Terms(tier="today")), 50),
        (Usage(terms=Terms(tier="tomorrow")), 10),
        (Usage(speed="warp", terms=Terms(tier="warp", geo="eu")), 10),
        (Usage(terms=Terms(geo="us")), 11),
        (Usage(terms=Terms(tier="flex", geo="us")), 22),
    ],
)
def test_a_variant_has_its_own_price_and_an_unknown_one_the_ordinary(
    usage: Usage, output: int
) -> None:
    table = ModelRates(VARIED, NOON, "anthropic").table(usage)
    assert table["output"] == output
    assert table["web_searches"] == 7000


@pytest.mark.parametrize(
    ("size", "price"), [(0, 2), (100, 2), (101, 4), (1000, 4), (1001, 8), (1_000_000, 8)]
)
def test_a_tier_holds_for_the_whole_of_what_is_larger_than_its_start(size: int, price: int) -> None:
    rates = ModelRates(model(), NOON, "openai")
    for _ in range(2):  # the second time from what was found
        assert rates.table(Usage(input=size))["input"] == price
    assert rates.table(Usage(cache_read=size))["cache_read"] == price


def test_variants_are_found_once_as_long_as_they_are_few() -> None:
    """Their words come from outside: sixteen are kept."""
    rates = ModelRates(VARIED, NOON, "openai")
    speeds = [Usage(speed=f"speed-{number}") for number in range(40)]
    kept = [rates.table(each) is rates.table(each) for each in speeds]
    assert kept == [True] * 16 + [False] * 24


def test_sound_from_the_cache_costs_as_sound_where_nothing_says_otherwise() -> None:
    def table(**prices: int) -> dict[str, Decimal]:
        own = {name: Decimal(price) for name, price in prices.items()}
        price = ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(3), **own)
        return dict(ModelRates(model(price), NOON, "openai").table(Usage()))

    assert table(input_audio_mtok=9)["cache_read_audio"] == 9
    assert "cache_read_audio" not in table(input_audio_mtok=9, cache_read_mtok=1)
    assert "cache_read_audio" not in table()
    assert table(input_audio_mtok=9, cache_audio_read_mtok=4)["cache_read_audio"] == 4
    assert "cache_read_image" not in table(input_image_mtok=9)
    assert table(output_reasoning_mtok=5)["thinking"] == 5
    assert "thinking" not in table()
    assert "web_searches" not in table()


def test_a_price_that_is_not_named_is_nothing() -> None:
    table = ModelRates(model(ModelPrice()), NOON, "openai").table(Usage())
    assert set(table.values()) == {0}


@pytest.mark.parametrize(
    ("constraint", "has_hours"),
    [
        (None, False),
        (StartDateConstraint(date(2026, 1, 1)), False),
        (TimeOfDateConstraint(time(1, tzinfo=UTC), time(2, tzinfo=UTC)), True),
    ],
)
def test_only_off_peak_prices_depend_on_the_hour(
    constraint: StartDateConstraint | TimeOfDateConstraint | None, has_hours: bool
) -> None:
    prices = [ConditionalPrice(prices=PRICE), ConditionalPrice(constraint, prices=PRICE)]
    assert ModelRates(model(prices), NOON, "openai").has_hours is has_hours
    assert not ModelRates(model(), NOON, "openai").has_hours


# ---- prices of one's own -------------------------------------------------------------------------


def test_prices_of_ones_own_may_name_variants() -> None:
    flex, fast, us = ({"input": Decimal(price)} for price in (3, 5, 7))
    named = {("tier", "flex"): flex, ("speed", "fast"): fast, ("geo", "us"): us}
    rates = FlatRates({"input": Decimal(1)}, named=named)
    assert rates.variants == Variants(frozenset({"flex"}), frozenset({"fast"}), frozenset({"us"}))
    cases = {
        Usage(): 1,
        Usage(terms=Terms(tier="flex")): 3,
        Usage(speed="fast"): 5,
        Usage(terms=Terms(geo="us")): 7,
        Usage(speed="fast", terms=Terms(tier="flex")): 3,
        Usage(speed="warp"): 1,
    }
    assert [rates.table(usage)["input"] for usage in cases] == list(cases.values())
    plain = FlatRates({"input": Decimal(1)})
    assert (plain.variants, plain.is_default) == (Variants(), False)
    assert (plain.audio_as_text, plain.takes_stated, plain.other("m")) == (False, False, None)


# ---- the book ------------------------------------------------------------------------------------


def test_a_provider_that_the_book_does_not_know_has_no_prices() -> None:
    book = PriceBook()
    assert find_rates("claude-opus-5-5", "nobody", NOON) is None
    assert known_models("nobody", NOON) == []
    assert (book.rates("", "claude-opus-5-5", NOON), book.models("", NOON)) == (None, ())


def test_the_models_of_a_provider_are_those_that_it_sells_at_a_price() -> None:
    found = PriceBook().models("anthropic", NOON)
    assert "claude-opus-5-5" in found
    for each in found:
        rates = find_rates(each, "anthropic", NOON)
        assert rates is not None, each
        assert not rates.model.deprecated


def test_the_prices_of_another_model_are_those_of_the_same_provider() -> None:
    rates = find_rates("claude-opus-5-5", "anthropic", NOON)
    assert rates is not None
    other = rates.other("claude-haiku-5-5")
    assert isinstance(other, ModelRates)
    assert (other.model.id, other.provider, other.at) == ("claude-haiku-5-5", "anthropic", NOON)
    assert rates.other("gpt-6.1-sol") is None


def test_a_day_begins_at_midnight() -> None:
    assert day_of(NOON + timedelta(minutes=3, seconds=5, microseconds=7)) == datetime(
        2026, 11, 30, tzinfo=UTC
    )
