"""Which mutants are tried: the same for the same area, seed and code. Pure."""

import random
from collections.abc import Sequence

from tools.mutants.places import Mutation, Place

SIZE = 60


def sample(places: Sequence[Place], seed: str, size: int = SIZE) -> list[Mutation]:
    """One fault at each of `size` places, drawn evenly; all places where there are fewer."""
    chance = random.Random(seed)
    numbers = chance.sample(range(len(places)), min(size, len(places)))
    return [chance.choice(places[number]) for number in sorted(numbers)]
