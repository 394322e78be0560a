"""What runs have cost, by agent: the memory of the anomaly check, bounded."""

from array import array
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from heliostat_gateway.reports.anomalies import FEWEST_PEERS, SHORTEST_HISTORY, median_of

RUNS_KEPT: Final = 200  # of an agent; 1.6 kB
AGENTS_KEPT: Final = 5000
PEERS_ASKED: Final = 200
_TOP_DOLLARS: Final = Decimal(15)  # per million tokens of output
_MIDDLE_DOLLARS: Final = Decimal(2)


class Tier(StrEnum):
    """How dear a model is, by the price of its output."""

    TOP = "top"
    MIDDLE = "middle"
    SMALL = "small"
    UNKNOWN = "unknown"  # no price is known


@dataclass(frozen=True)
class Run:
    """What an execution has cost, so far or in the end."""

    execution: str
    agent: str
    tier: Tier
    cost_nanos: int


@dataclass
class _Agent:
    tier: Tier
    costs: "array[int]" = field(default_factory=lambda: array("q"))
    median: int | None = None  # of the costs, when it has been asked for


class Histories:
    """Costs of each agent's last finished runs; the agents that were idle longest are dropped."""

    def __init__(self) -> None:
        self._agents: OrderedDict[str, _Agent] = OrderedDict()

    def __len__(self) -> int:
        return len(self._agents)

    def add(self, run: Run) -> None:
        """Remembers a finished run; an agent's tier is that of its last one."""
        agent = self._agents.setdefault(run.agent, _Agent(run.tier))
        self._agents.move_to_end(run.agent)
        agent.tier = run.tier
        agent.median = None
        agent.costs.append(min(run.cost_nanos, 2**62))
        del agent.costs[:-RUNS_KEPT]
        while len(self._agents) > AGENTS_KEPT:
            self._agents.popitem(last=False)

    def of(self, agent: str) -> list[int]:
        """Costs of the agent's finished runs, oldest first."""
        found = self._agents.get(agent)
        return list(found.costs) if found else []

    def peers(self, agent: str, tier: Tier) -> list[int]:
        """Median costs of others of the same tier; of all others when those are too few."""
        others = [each for name, each in self._agents.items() if name != agent]
        settled = [each for each in others if len(each.costs) >= SHORTEST_HISTORY]
        same = [each for each in settled if each.tier is tier]
        return _medians(same if len(same) >= FEWEST_PEERS else settled)


def tier_of(dollars_per_million: Decimal | None) -> Tier:
    """The tier of a model by the price of its output; the limits are in docs/finops.md."""
    if dollars_per_million is None:
        return Tier.UNKNOWN
    if dollars_per_million >= _TOP_DOLLARS:
        return Tier.TOP
    return Tier.MIDDLE if dollars_per_million >= _MIDDLE_DOLLARS else Tier.SMALL


def _medians(agents: Iterable[_Agent]) -> list[int]:
    """Of those that ran last, at most PEERS_ASKED."""
    found = []
    for each in list(agents)[-PEERS_ASKED:]:
        if each.median is None:
            each.median = int(median_of(each.costs))
        found.append(each.median)
    return found
