"""Run gauges show the unfinished runs as metrics, with a bound on Agents in labels."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import Phase
from heliostat_operator.model.indexes import TESTS, UnfinishedRuns
from heliostat_operator.model.keys import Key

MOST_AGENTS: Final = 500
OTHERS: Final = ("other", "other")
_UNFINISHED: Final = (
    Phase.PENDING,
    Phase.STARTING,
    Phase.RUNNING,
    Phase.RETRYING,
    Phase.STOPPING,
)
_BLOCKS: Final = frozenset(each.value for each in BlockedReason)


class AgentLabels:
    """The first Agents have labels of their own until they are deleted; all further ones share
    `other`."""

    def __init__(self, most: int = MOST_AGENTS) -> None:
        self._most = most
        self._named: set[Key] = set()

    def see(self, agent: Key) -> bool:
        """An Agent is there. Whether it has got a place now."""
        if agent in self._named or len(self._named) >= self._most:
            return False
        self._named.add(agent)
        return True

    def forget(self, agent: Key) -> bool:
        """It is deleted. Whether it gave a place back."""
        had = agent in self._named
        self._named.discard(agent)
        return had

    def of(self, agent: Key) -> Key:
        """Namespace and name, or `other` twice."""
        return agent if agent in self._named or agent == TESTS else OTHERS


class RunGauges(Collector):
    """Shows the unfinished runs at the moment of reading."""

    def __init__(
        self,
        census: UnfinishedRuns,
        agents: AgentLabels,
        clock: Callable[[], datetime],
        leads: Callable[[], bool],
    ) -> None:
        """Only the leader shows them: replicas that wait see the same runs."""
        self._census = census
        self._agents = agents
        self._clock = clock
        self._leads = leads

    def collect(self) -> Iterator[Metric]:
        """The families of metrics."""
        if not self._leads():
            return
        now = self._clock()
        yield _by_phase("executions", "Unfinished runs, by phase.", self._census.phases())
        yield _by_phase(
            "executions_stuck",
            "Runs that their own clocks should have moved on.",
            self._census.stuck(now),
        )
        yield self._blocked()
        yield self._of_agents()
        yield GaugeMetricFamily(
            "heliostat_execution_longest_wait_seconds",
            "For how long the oldest run waits for its admission.",
            value=self._census.longest_wait(now),
        )

    def _blocked(self) -> Metric:
        family = GaugeMetricFamily(
            "heliostat_executions_blocked",
            "Unfinished runs that something holds up, by the first reason.",
            labels=["reason"],
        )
        counted: Counter[str] = Counter()
        for reason, count in self._census.blocks().items():
            counted[reason if reason in _BLOCKS else "other"] += count
        for reason, count in sorted(counted.items()):
            family.add_metric([reason], count)
        return family

    def _of_agents(self) -> Metric:
        family = GaugeMetricFamily(
            "heliostat_agent_executions",
            "Unfinished runs of an Agent.",
            labels=["namespace", "agent"],
        )
        counted: Counter[Key] = Counter()
        for agent, count in self._census.agents().items():
            counted[self._agents.of(agent)] += count
        for labels, count in sorted(counted.items()):
            family.add_metric(labels, count)
        return family


def _by_phase(name: str, text: str, counted: Counter[Phase]) -> Metric:
    """Each phase, 0 included: a series that comes and goes can't be alerted on."""
    family = GaugeMetricFamily(f"heliostat_{name}", text, labels=["phase"])
    for phase in _UNFINISHED:
        family.add_metric([phase.value], counted[phase])
    return family
