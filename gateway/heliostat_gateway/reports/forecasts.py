"""What a month will have cost: pure; the days of the ledger in, a figure with a range out.

The expected cost of a day to come is the mean of the days of history: of the same weekday when the
history is at least 14 days long, else of all. Today counts with what was spent and the expected
cost of the rest of it. The range is the tenth to the ninetieth percentile of 500 months drawn
from the same days with a fixed seed, widened to hold the expected figure where that lies outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random
from typing import Final

WEEKDAYS_FROM: Final = 14  # days of history
FEWEST_DAYS: Final = 3
LONGEST_HISTORY: Final = 56  # days: eight of each weekday
_DRAWS: Final = 500
_SEED: Final = 20260101


class Method(StrEnum):
    """How the days to come were estimated."""

    WEEKDAY = "weekday"
    MEAN = "mean"
    NONE = "none"  # too little history, or nothing is left of the month


@dataclass(frozen=True)
class Ahead:
    """A day to come, or the rest of today: `left` of `whole` seconds.

    `costs` are what the days of history that stand for it would cost at its prices (nano-dollars).
    """

    day: date
    costs: tuple[int, ...]
    left: int = 1
    whole: int = 1


@dataclass(frozen=True)
class Forecast:
    """In nano-dollars. Without a figure, `message` says why."""

    method: Method
    history_days: int
    spent: int
    expected: int | None
    low: int | None
    high: int | None
    message: str = ""


def days_like(history: Sequence[date], day: date) -> list[date]:
    """The days of history that stand for a day to come; of a short history, all."""
    if len(history) < WEEKDAYS_FROM:
        return list(history)
    return [each for each in history if each.weekday() == day.weekday()]


def forecast(spent: int, history_days: int, ahead: Sequence[Ahead]) -> Forecast:
    """The month: what was spent in it, and what is to come, each day with costs to draw from."""
    if history_days < FEWEST_DAYS:
        message = (
            f"No history: {history_days} whole days are known, {FEWEST_DAYS} are needed. Ask again "
            "later."
        )
        return Forecast(Method.NONE, history_days, spent, None, None, None, message)
    method = Method.WEEKDAY if history_days >= WEEKDAYS_FROM else Method.MEAN
    expected = spent + sum(_mean(each) for each in ahead)
    chance = Random(_SEED)
    months = sorted(spent + sum(_draw(each, chance) for each in ahead) for _ in range(_DRAWS))
    low, high = months[_DRAWS // 10], months[_DRAWS * 9 // 10 - 1]
    return Forecast(method, history_days, spent, expected, min(low, expected), max(high, expected))


def _mean(day: Ahead) -> int:
    """Rounded half up; the part of the day that is left."""
    count = len(day.costs)
    return (2 * sum(day.costs) * day.left + count * day.whole) // (2 * count * day.whole)


def _draw(day: Ahead, chance: Random) -> int:
    return chance.choice(day.costs) * day.left // day.whole
