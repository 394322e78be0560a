"""Named budgets: a cap that many keys share, over all time or per day or month of a time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")


class BudgetPeriod(StrEnum):
    """When a budget starts anew."""

    NONE = "none"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Budget:
    """A cap in nano-dollars, tokens or both. `zone` is an IANA name; its midnight ends a day."""

    name: str
    cap_nanos: int | None = None
    cap_tokens: int | None = None
    period: BudgetPeriod = BudgetPeriod.NONE
    zone: str = "UTC"


@dataclass(frozen=True)
class Period:
    """One period: `2026-11-22`, `2026-11` or `all`, and the instant that ends it."""

    name: str
    end_ms: int | None


@dataclass(frozen=True)
class BudgetTotal:
    """A budget and what is spent or reserved of it in the present period."""

    budget: Budget
    period: Period
    spent_nanos: int
    spent_tokens: int


def period_of(budget: Budget, at_ms: int) -> Period:
    """The period that an instant is in."""
    if budget.period is BudgetPeriod.NONE:
        return Period("all", None)
    zone = ZoneInfo(budget.zone)
    local = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0)
    if budget.period is BudgetPeriod.DAY:
        return Period(f"{midnight:%Y-%m-%d}", _instant(midnight + timedelta(days=1)))
    first_of_next = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Period(f"{midnight:%Y-%m}", _instant(first_of_next))


def _instant(local: datetime) -> int:
    """Milliseconds since the epoch. Arithmetic above was on the wall clock of the zone."""
    return int(local.astimezone(UTC).timestamp()) * 1000
