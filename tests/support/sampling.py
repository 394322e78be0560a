"""Rows of exhaustive matrices: a seeded part of them on each landing, all by `make test-all`.

CONTRIBUTING.md says what may be sampled.
"""

import math
import os
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from tools.machine import read_commit

SEED, ALL = "HELIOSTAT_TEST_SEED", "HELIOSTAT_TEST_ALL"
T = TypeVar("T")


def sample(rows: Sequence[T], stratum: Callable[[T], Hashable], seed: str, share: float) -> list[T]:
    """That share of each stratum's rows, at least one, in their order; the same for the same seed.

    What is taken of a stratum does not depend on the others: rows that are added elsewhere change
    nothing.
    """
    strata: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        strata[stratum(row)].append(number)
    taken: list[int] = []
    for kind, numbers in strata.items():
        chance = random.Random(f"{seed}/{kind!r}")
        taken += chance.sample(numbers, max(1, math.ceil(len(numbers) * share)))
    return [rows[number] for number in sorted(taken)]


def rows_of_landing(
    name: str, rows: Sequence[T], stratum: Callable[[T], Hashable], share: float
) -> list[T]:
    """The rows of the matrix of that name that this run tries."""
    if tries_all():
        return list(rows)
    return sample(rows, stratum, f"{read_seed()}/{name}", share)


def tries_all() -> bool:
    """Whether this run is one of `make test-all`."""
    return bool(os.environ.get(ALL))


def read_seed() -> str:
    """HELIOSTAT_TEST_SEED, or the commit that is checked out."""
    return os.environ.get(SEED) or read_commit()
