"""Money as integers: nano-dollars in the ledger, micro-dollars for people.

The gateway prices a request, rounded once to a nano-dollar; every other figure is a sum of those.
"""

NANOS_PER_DOLLAR = 1_000_000_000
NANOS_PER_MICRO = 1_000


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
