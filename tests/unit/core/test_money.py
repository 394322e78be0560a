"""Money: exact, rounded once, half-even."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.money import format_micros, micros_from_nanos, price_nanos

prices = st.decimals(min_value=0, max_value=1000, places=6)


@given(tokens=st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**9)), price=prices)
def test_a_price_is_the_exact_sum_rounded_once_half_even(
    tokens: dict[str, int], price: Decimal
) -> None:
    got = price_nanos(tokens, dict.fromkeys("abc", price))
    exact = sum(tokens.values()) * Fraction(price) * 1000
    assert got == round(exact)  # Python rounds fractions half-even


@given(st.integers(0, 10**15))
def test_micros_are_nanos_rounded_half_even(nanos: int) -> None:
    exact = (Decimal(nanos) / 1000).to_integral_value(ROUND_HALF_EVEN)
    assert micros_from_nanos(nanos) == int(exact)


@given(st.lists(st.integers(0, 10**12), max_size=20))
def test_a_sum_is_rounded_as_a_whole_not_in_its_parts(parts: list[int]) -> None:
    assert abs(micros_from_nanos(sum(parts)) * 1000 - sum(parts)) <= 500


def test_a_kind_of_token_without_a_price_is_not_free() -> None:
    with pytest.raises(KeyError):
        price_nanos({"output": 1}, {"input": Decimal(3)})


def test_people_read_every_digit() -> None:
    assert [format_micros(each) for each in (4210, -1, 12_000_000)] == [
        "$0.004210",
        "-$0.000001",
        "$12.000000",
    ]
