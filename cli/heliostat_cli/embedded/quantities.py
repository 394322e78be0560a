"""Kubernetes quantities."""

from decimal import Decimal

_FACTORS = {"m": Decimal("0.001"), "": Decimal(1)}
for _power, _unit in enumerate("kMGTP", 1):
    _FACTORS[_unit] = Decimal(1000) ** _power
    _FACTORS[f"{_unit.upper()}i"] = Decimal(1024) ** _power


def parse_bytes(quantity: str) -> int:
    """`1Gi` → 1073741824. Raises ValueError for what is no quantity."""
    number = quantity.rstrip("mkKMGTPi")
    factor = _FACTORS.get(quantity[len(number) :])
    if not number or factor is None:
        raise ValueError(f"{quantity!r} must be a quantity such as 512Mi or 1Gi")
    return int(Decimal(number) * factor)
