"""What runs live through: each story is an Agent of its name, with a share of the runs."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

By = Literal["kwok", "us", ""]
"""Who plays the fault: the stages of kwok write it, or we do it to the pod; nobody by default."""


@dataclass(frozen=True)
class Story:
    """`share` is in tenths of a percent. `phases` are the ends that count as right."""

    name: str
    share: int
    what: str
    by: By = ""
    phases: frozenset[str] = frozenset({"Succeeded"})
    fewest_attempts: int = 1
    vanishes: bool = False
    """Its Executions are deleted while they run."""
    spec: dict[str, object] = field(default_factory=dict)


FAILED = frozenset({"Failed"})
# A run that ends in the moment of its cancellation keeps its result.
CANCELLED = frozenset({"Cancelled", "Succeeded"})
ONCE_MORE: dict[str, object] = {"retry": {"limit": 1, "backoffSeconds": [1]}}

STEADY = Story("steady", 740, "nothing happens to it")
STORIES = (
    STEADY,
    Story("deleted", 50, "its pod is deleted by force", "us"),
    Story("evicted", 50, "its pod is evicted by the eviction API", "us"),
    Story("killed", 20, "its container is killed (exit code 137)", "kwok", fewest_attempts=2),
    Story("pressed", 20, "the kubelet evicts it for memory", "kwok", fewest_attempts=2),
    Story(
        "swollen",
        20,
        "it is killed for its own memory once",
        "kwok",
        fewest_attempts=2,
        spec=ONCE_MORE,
    ),
    Story("unpulled", 20, "its image can't be pulled at first", "kwok"),
    Story("refused", 20, "its verification fails once", "kwok", fewest_attempts=2, spec=ONCE_MORE),
    Story("crashed", 20, "it exits with 1 and says nothing", "kwok", FAILED),
    Story("cancelled", 20, "it is cancelled while it runs", "us", CANCELLED),
    Story("vanished", 20, "its Execution is deleted while it runs", "us", vanishes=True),
)
BY_NAME = {each.name: each for each in STORIES}
assert sum(each.share for each in STORIES) == 1000


REAL_STORIES = tuple(each for each in STORIES if each.by != "kwok")
"""Those that need no played pod."""


def stories(runs: int, seed: int, told: Sequence[Story] = STORIES) -> Iterator[Story]:
    """The story of each run, the same for the same seed; each share to the last run."""
    shares = [each for each in told for _ in range(each.share)]
    chosen = [shares[number * len(shares) // runs % len(shares)] for number in range(runs)]
    random.Random(seed).shuffle(chosen)
    yield from chosen
