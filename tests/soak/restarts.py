"""When which part of the platform dies: pure, by how many runs are done."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Part = Literal["operator", "API server", "Redis", "node"]
PARTS: tuple[Part, ...] = get_args(Part)
TIMES = 20
"""Each part dies so often: once in every twentieth of the way."""
_OPERATORS_SHARE = 10


@dataclass(frozen=True, order=True)
class Restart:
    """It comes when so many runs are done."""

    at: int
    part: Part


def plan_restarts(runs: int) -> list[Restart]:
    """In order of time, fewer in a short soak. The operator dies in the first tenth of the way:
    the memory of the process that is left is compared from then to the end."""
    times = min(TIMES, max(1, runs // 100))
    return sorted(
        (
            *_spread("operator", runs // _OPERATORS_SHARE, times, 0.5),
            *_spread("API server", runs, times, 0.3),
            *_spread("Redis", runs, times, 0.6),
            *_spread("node", runs, times, 0.8),
        )
    )


def _spread(part: Part, runs: int, times: int, offset: float) -> Iterator[Restart]:
    return (Restart(int((number + offset) * runs / times), part) for number in range(times))
