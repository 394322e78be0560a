"""Tunes the garbage collector: it runs rarely, and never fully while a schedule is due."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

# New objects between two looks; Python's own 700 means a look at each second change.
_OBJECTS_BETWEEN_LOOKS = 20_000
# Looks at the young before one at the older. kopf leaves a cycle for each change, and those that
# were in use at a look stay until a deeper one: with Python's own 10 the memory kept growing.
_LOOKS_BETWEEN_DEEPER = 2
_NEVER = 1_000_000


class Urgency(Protocol):
    """Something that may be in a hurry, such as a queue."""

    async def hurry(self) -> None: ...

    async def calm(self, most_seconds: float) -> None: ...


def tune_collector() -> None:
    """Leaves what is there now out of all collections: it stays until the end."""
    gc.collect()
    gc.freeze()
    _set_depth(_LOOKS_BETWEEN_DEEPER)


async def collect_deeply_in_calm(urgency: Urgency, most_seconds: float) -> None:
    """Holds full collections up while there is a hurry, for `most_seconds` at most; runs until
    cancelled. They took a quarter of the time of a thousand schedules that were due at once."""
    while True:
        await urgency.hurry()
        with _shallow():
            await urgency.calm(most_seconds)


@contextmanager
def _shallow() -> Iterator[None]:
    """What dies young is still found."""
    _set_depth(_NEVER)
    try:
        yield
    finally:
        _set_depth(_LOOKS_BETWEEN_DEEPER)


def _set_depth(looks_between_deeper: int) -> None:
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, looks_between_deeper, looks_between_deeper)
