"""The price of a request: exact, rounded once, half-even."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.bounds import bound
from heliostat_gateway.money.costs import cost_nanos, expect
from heliostat_gateway.money.prices import find_rates, price_nanos
from heliostat_gateway.money.reservations import output_nanos

prices = st.decimals(min_value=0, max_value=1000, places=6)


@given(tokens=st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**9)), price=prices)
def test_a_price_is_the_exact_sum_rounded_once_half_even(
    tokens: dict[str, int], price: Decimal
) -> None:
    got = price_nanos(tokens, dict.fromkeys("abc", price))
    exact = sum(tokens.values()) * Fraction(price) * 1000
    assert got == round(exact)  # Python rounds fractions half-even


def test_a_kind_of_token_without_a_price_is_not_free() -> None:
    with pytest.raises(KeyError):
        price_nanos({"output": 1}, {"input": Decimal(3)})


def test_a_reservation_has_the_price_of_its_tier() -> None:
    """A long request holds what it will cost, not what a short one would."""
    rates = find_rates("claude-haiku-5-5", "anthropic", datetime(2026, 11, 22, tzinfo=UTC))
    assert rates is not None
    # A token for each four bytes; above 100,000 tokens all of the request is dearer.
    assert expect(rates, 400_000, 1000).cost_nanos == 10_500_000
    assert expect(rates, 400_004, 1000).cost_nanos == 52_500_500
    for tokens in (50_000, 150_000):
        most = bound(rates, {"max_tokens": 1000}, tokens)  # each byte may be a token
        whole = Usage(cache_write_1h=tokens, output=1000)
        assert most.input_nanos + output_nanos(1000, most) >= cost_nanos(rates, whole)
