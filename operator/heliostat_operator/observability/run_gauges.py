"""Run gauges show the unfinished runs as metrics."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import Phase
from heliostat_operator.model.indexes import UnfinishedRuns
from heliostat_operator.model.keys import Key

_UNFINISHED: Final = (
    Phase.PENDING,
    Phase.STARTING,
    Phase.RUNNING,
    Phase.RETRYING,
    Phase.AWAITING_APPROVAL,
    Phase.STOPPING,
)
_BLOCKS: Final = frozenset(each.value for each in BlockedReason)


class RunGauges(Collector):
    """Shows the unfinished runs at the moment of reading."""

    def __init__(
        self,
        unfinished: UnfinishedRuns,
        label_of: Callable[[Key], Key],
        clock: Callable[[], datetime],
        leads: Callable[[], bool],
    ) -> None:
        """`label_of` bounds the names of Agents in labels. Only the leader shows the runs: replicas
        that wait see the same."""
        self._unfinished = unfinished
        self._label_of = label_of
        self._clock = clock
        self._leads = leads

    def collect(self) -> Iterator[Metric]:
        """The families of metrics."""
        if not self._leads():
            return
        now = self._clock()
        yield _by_phase("executions", "Unfinished runs, by phase.", self._unfinished.phases())
        yield _by_phase(
            "executions_stuck",
            "Runs that their own clocks should have moved on.",
            self._unfinished.stuck(now),
        )
        yield self._blocked()
        yield self._of_agents()
        yield GaugeMetricFamily(
            "heliostat_execution_longest_wait_seconds",
            "For how long the oldest run waits for its admission.",
            value=self._unfinished.longest_wait(now),
        )

    def _blocked(self) -> Metric:
        family = GaugeMetricFamily(
            "heliostat_executions_blocked",
            "Unfinished runs that something holds up, by the first reason.",
            labels=["reason"],
        )
        counted: Counter[str] = Counter()
        for reason, count in self._unfinished.blocks().items():
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
        for agent, count in self._unfinished.agents().items():
            counted[self._label_of(agent)] += count
        for labels, count in sorted(counted.items()):
            family.add_metric(labels, count)
        return family


def _by_phase(name: str, text: str, counted: Counter[Phase]) -> Metric:
    """Each phase, 0 included: a series that comes and goes can't be alerted on."""
    family = GaugeMetricFamily(f"heliostat_{name}", text, labels=["phase"])
    for phase in _UNFINISHED:
        family.add_metric([phase.value], counted[phase])
    return family
