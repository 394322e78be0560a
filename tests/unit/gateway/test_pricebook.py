"""Prices are found once per model and day, and what is kept is bounded."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice

from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.prices import FlatRates, ModelRates, PriceBook, Recent, Tariff

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
