"""What the operator counts; label sets are fixed and small. docs/metrics.md has every one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution, Phase
from heliostat_core.names import TEST_OF_ANNOTATION
from heliostat_operator.model.indexes import TESTS, OpenAsks, UnfinishedRuns, agent_of
from heliostat_operator.model.keys import Key
from heliostat_operator.observability.ask_gauges import AskGauges
from heliostat_operator.observability.run_events import (
    Admitted,
    AttemptEnded,
    Finished,
    RunEvent,
    Settled,
    Started,
    run_events,
)
from heliostat_operator.observability.run_gauges import RunGauges
from heliostat_operator.observability.schedule_metrics import ScheduleMetrics

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
_RUNS = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
MOST_AGENTS: Final = 500
OTHERS: Final = ("other", "other")
_REASONS: Final = frozenset(each.value for each in FinishedReason)
_ENDS: Final = (Phase.SUCCEEDED.value, Phase.FAILED.value, Phase.CANCELLED.value)
KINDS: Final = ("execution", "agent", "approval", "schedule", "trigger", "network")


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


class Metrics:
    """One registry a process, made at start and handed on."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.schedules = ScheduleMetrics(self.registry)
        self._agents = AgentLabels()
        self._watch_ourselves()
        self._count_runs()
        self._count_agents()
        for agent in (OTHERS, TESTS):
            self._begin(agent)

    def _watch_ourselves(self) -> None:
        self._reconciles = self._histogram(
            "operator_reconcile_seconds", "Time of one reconcile.", ["kind"], _BUCKETS
        )
        self._failures = self._counter(
            "operator_reconcile_failures", "Reconciles that failed and are repeated.", ["kind"]
        )
        self.queue_depth = self._gauge(
            "operator_queue_depth", "Keys that wait for a worker or are worked on.", ["kind"]
        )
        for kind in KINDS:
            self._failures.labels(kind)
        self.watch_silence = self._gauge(
            "operator_watch_silence_seconds",
            "For how long something that is there has not come through a watch.",
        )
        self._expects = self._gauge(
            "operator_expects", "1 for a service that the operator's settings name.", ["service"]
        )
        self.is_leader = self._gauge("operator_is_leader", "1 on the replica that reconciles.")

    def _count_runs(self) -> None:
        self._finished = self._counter(
            "executions_finished", "Runs that ended, by phase and reason.", ["phase", "reason"]
        )
        self._attempts = self._counter(
            "attempts", "Attempts that ended, by whose failure it was; `none` for none.", ["cause"]
        )
        self._queue = self._histogram(
            "execution_queue_seconds", "From the creation of a run to its admission.", [], _WAITS
        )
        self._start = self._histogram(
            "execution_start_seconds",
            "From the admission of a run to its first running container.",
            [],
            _WAITS,
        )
        self._run = self._histogram(
            "execution_run_seconds", "For how long a run's containers ran.", [], _RUNS
        )

    def _count_agents(self) -> None:
        labels = ["namespace", "agent"]
        self._agent_finished = self._counter(
            "agent_executions_finished", "Runs of an Agent that ended.", [*labels, "phase"]
        )
        self._agent_seconds = self._counter(
            "agent_run_seconds", "Seconds that containers of an Agent ran.", labels
        )
        self._agent_cost = self._counter(
            "agent_cost_microdollars", "Final cost of an Agent's runs, in micro-dollars.", labels
        )

    def watch(
        self, unfinished: UnfinishedRuns, clock: Callable[[], datetime], leads: Callable[[], bool]
    ) -> None:
        """Counts the unfinished runs whenever the metrics are read."""
        self.registry.register(RunGauges(unfinished, self._agents.of, clock, leads))

    def watch_asks(
        self, asks: OpenAsks, clock: Callable[[], datetime], leads: Callable[[], bool]
    ) -> None:
        """Counts the asks that have not ended, likewise."""
        self.registry.register(AskGauges(asks, clock, leads))

    def expect(self, addresses: Mapping[str, str]) -> None:
        """Services by name; an empty address: there is none."""
        for service, address in addresses.items():
            self._expects.labels(service).set(bool(address))

    def sees(self, agent: Agent) -> None:
        """An Agent is there: its counters begin at 0, before its first run ends."""
        key = (agent.metadata.namespace, agent.metadata.name)
        is_test = TEST_OF_ANNOTATION in agent.metadata.annotations
        if not is_test and self._agents.see(key):
            self._begin(key)

    def loses(self, agent: Key) -> None:
        """An Agent was deleted: its series go, and its place is free."""
        if self._agents.forget(agent):
            for phase in _ENDS:
                self._agent_finished.remove(*agent, phase)
            self._agent_seconds.remove(*agent)
            self._agent_cost.remove(*agent)

    def _begin(self, agent: Key) -> None:
        """Shown as 0: `increase` does not see the event with which a series comes."""
        for phase in _ENDS:
            self._agent_finished.labels(*agent, phase)
        self._agent_seconds.labels(*agent)
        self._agent_cost.labels(*agent)

    def reconciled(self, kind: str, seconds: float) -> None:
        """One reconcile has ended, well or not."""
        self._reconciles.labels(kind).observe(seconds)

    def failed(self, kind: str) -> None:
        """One reconcile ended with an error."""
        self._failures.labels(kind).inc()

    def moved(self, before: Execution, after: Execution) -> None:
        """The status of a run was written."""
        for each in run_events(before, after):
            self._count(each, after)

    def _count(self, reached: RunEvent, execution: Execution) -> None:
        agent = self._agents.of(agent_of(execution))
        match reached:
            case Admitted(waited_seconds=seconds):
                self._queue.observe(seconds)
            case Started(after_seconds=seconds):
                self._start.observe(seconds)
            case AttemptEnded(attempt=attempt):
                self._attempts.labels(attempt.cause or "none").inc()
            case Finished(phase=phase, reason=reason, ran_seconds=seconds):
                self._finished.labels(phase, reason if reason in _REASONS else "other").inc()
                if reason != FinishedReason.SKIPPED:  # a time that was left out is no run
                    self._agent_finished.labels(*agent, phase).inc()
                if seconds is not None:
                    self._run.observe(seconds)
                    self._agent_seconds.labels(*agent).inc(seconds)
            case Settled(cost_micros=cost):
                self._agent_cost.labels(*agent).inc(cost)

    def text(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"heliostat_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: list[str] | None = None) -> Gauge:
        return Gauge(f"heliostat_{name}", text, labels or [], registry=self.registry)

    def _histogram(
        self, name: str, text: str, labels: list[str], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(f"heliostat_{name}", text, labels, buckets=buckets, registry=self.registry)
