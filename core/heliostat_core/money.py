"""Money as integers: nano-dollars in the ledger, micro-dollars for people.

The rules are those of the architecture, section Money: a request costs the exact decimal sum of
tokens x price per million, rounded once, half-even, to a nano-dollar; every other figure is a sum.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

NANOS_PER_DOLLAR = 1_000_000_000
NANOS_PER_MICRO = 1_000

# Wide enough that no product of a token count and a price is ever rounded before the one rounding.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NANOS_PER_MILLIONTH = Decimal(NANOS_PER_DOLLAR // 1_000_000)


def price_nanos(tokens: Mapping[str, int], dollars_per_million: Mapping[str, Decimal]) -> int:
    """Cost of one request in nano-dollars, rounded once, half-even.

    `tokens` maps a token kind to its count, `dollars_per_million` a token kind to its price.
    Raises KeyError for a kind that was used and has no price: nothing is free in silence.
    """
    return sum_nanos((count, dollars_per_million[kind]) for kind, count in tokens.items() if count)


def sum_nanos(lines: Iterable[tuple[int, Decimal]]) -> int:
    """Cost in nano-dollars of counts at dollars per million each, rounded once, half-even."""
    total = Decimal(0)
    for count, price in lines:
        total = _EXACT.add(total, _EXACT.multiply(Decimal(count), price))
    return int(_EXACT.multiply(total, _NANOS_PER_MILLIONTH).to_integral_value(ROUND_HALF_EVEN))


def micros_from_nanos(nanos: int) -> int:
    """Micro-dollars for resources and reports, rounded half-even from a sum of nano-dollars."""
    quotient, rest = divmod(nanos, NANOS_PER_MICRO)
    half = NANOS_PER_MICRO // 2
    return quotient + (rest > half or (rest == half and quotient % 2 == 1))


def format_micros(micros: int) -> str:
    """Micro-dollars as people read them: `$0.004210`; never rounded."""
    sign = "-" if micros < 0 else ""
    dollars, rest = divmod(abs(micros), 1_000_000)
    return f"{sign}${dollars}.{rest:06d}"
