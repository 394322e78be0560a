"""Money: sums are rounded once, half-even."""

from decimal import ROUND_HALF_EVEN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.money import format_micros, micros_from_nanos


@given(st.integers(0, 10**15))
def test_micros_are_nanos_rounded_half_even(nanos: int) -> None:
    exact = (Decimal(nanos) / 1000).to_integral_value(ROUND_HALF_EVEN)
    assert micros_from_nanos(nanos) == int(exact)


@given(st.lists(st.integers(0, 10**12), max_size=20))
def test_a_sum_is_rounded_as_a_whole_not_in_its_parts(parts: list[int]) -> None:
    assert abs(micros_from_nanos(sum(parts)) * 1000 - sum(parts)) <= 500


def test_people_read_every_digit() -> None:
    assert [format_micros(each) for each in (4210, -1, 12_000_000)] == [
        "$0.004210",
        "-$0.000001",
        "$12.000000",
    ]
