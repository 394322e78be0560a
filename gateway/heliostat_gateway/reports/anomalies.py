"""Is the cost of a run out of the ordinary? Pure; integers and fractions only.

A run is compared with the agent's own last runs, and while those are few with its peers: one
figure for each peer, its median, so that a busy peer counts no more than a quiet one. It is
flagged when all of this holds (docs/finops.md says why):

1. It costs at least `floor_nanos`: small change is never worth a person's look.
2. Its modified z-score, 0.6745 x (cost - median) / MAD, is at least 3.5. The MAD counts as at least
   a twentieth of the median: where most runs cost the same, it is 0.
3. It costs at least six times the median; or three times, when at least 50 runs are known.
4. There is no precedent: from six times the median on, fewer than one in fifty of the known runs
   (but at least two) cost four fifths of it or more; below six times, not one did.

Flagged runs are remembered like all others, so a second kind of run, or a new level of cost, is
flagged a few times and then is a precedent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

SCORE: Final = Fraction(7, 2)
_CONSISTENCY: Final = Fraction(6745, 10_000)  # makes the MAD comparable with a standard deviation
FAR: Final = 6
NOTABLE: Final = 3
MANY: Final = 50  # runs that make up a history in which three times the median means something
SHORTEST_HISTORY: Final = 8
FEWEST_PEERS: Final = 8
_LEAST_SPREAD: Final = Fraction(1, 20)
_SIMILAR: Final = Fraction(4, 5)


class Against(StrEnum):
    """What a run was compared with."""

    HISTORY = "history"
    PEERS = "peers"


@dataclass(frozen=True)
class Anomaly:
    """A run that costs far more than is ordinary. `times` is cost / median, None for median 0."""

    against: Against
    known: int  # runs or peers that it was compared with
    median_nanos: int
    score: Fraction
    times: Fraction | None


def median_of(values: Sequence[int | Fraction]) -> Fraction:
    """The middle value, or halfway between the two in the middle. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return (Fraction(ordered[middle - 1]) + ordered[middle]) / 2


def deviation_of(costs: Sequence[int], median: Fraction) -> Fraction:
    """The MAD: the median of the distances from the median."""
    # Twice the distances are integers, which sort much faster than fractions.
    doubled = int(2 * median)
    return median_of([abs(2 * cost - doubled) for cost in costs]) / 2


def modified_score(cost_nanos: int, median: Fraction, mad: Fraction) -> Fraction:
    """The modified z-score of a cost; the MAD counts as at least a twentieth of the median."""
    width = max(mad, median * _LEAST_SPREAD, Fraction(1))
    return _CONSISTENCY * (cost_nanos - median) / width


def judge(
    cost_nanos: int,
    history: Sequence[int],
    peers: Callable[[], Sequence[int]],
    floor_nanos: int,
) -> Anomaly | None:
    """The anomaly that a run is, or None.

    `history` are costs of the agent's earlier runs; `peers` tells the median costs of other agents
    and is asked only while the history is short.
    Too little of both: nobody knows what is ordinary, and nothing is flagged.
    """
    if cost_nanos < floor_nanos:
        return None
    if len(history) >= SHORTEST_HISTORY:
        return _compare(cost_nanos, history, Against.HISTORY)
    others = peers()
    return _compare(cost_nanos, others, Against.PEERS) if len(others) >= FEWEST_PEERS else None


def _compare(cost_nanos: int, known: Sequence[int], against: Against) -> Anomaly | None:
    median = median_of(known)
    far = cost_nanos >= FAR * median
    if not far and (len(known) < MANY or cost_nanos < NOTABLE * median):
        return None
    least = -int(-cost_nanos * _SIMILAR // 1)  # rounded up
    similar = sum(1 for cost in known if cost >= least)
    if similar >= (max(2, -(-len(known) // MANY)) if far else 1):
        return None
    score = modified_score(cost_nanos, median, deviation_of(known, median))
    if score < SCORE:
        return None
    times = cost_nanos / median if median else None
    return Anomaly(against, len(known), int(median), score, times)
