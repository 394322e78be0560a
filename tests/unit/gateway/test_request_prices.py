"""The price of a request: exact, rounded once, half-even."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.money.prices import price_nanos

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
