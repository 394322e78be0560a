"""The controller of Agents takes note of them for all, and keeps their status and history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from heliostat_core.agents import Agent
from heliostat_core.names import RESUMED_ANNOTATION
from heliostat_core.worlds import AGENT, Change, Kind
from heliostat_operator.agents.fleet import AgentReconciler
from heliostat_operator.approvals.policy_check import find_authority
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.indexes import KnownAgents
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import Meter
from heliostat_operator.network.controller import wake_namespace
from heliostat_operator.network.network_policies import NetworkPolicies, network_policies_of
from heliostat_operator.queues import Queues, Rest
from heliostat_operator.runs.concurrency import ConcurrencyLimiter, limiter_of
from heliostat_operator.runs.observe import Observer, observer_of
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_telemetry.lines import begin_lines


@dataclass(frozen=True)
class Written:
    """What of an Agent is news when it changes; the rest of its status is our own."""

    uid: str
    generation: int
    resumed: str
    is_paused: bool

    @classmethod
    def of(cls, agent: Agent) -> "Written":
        """What was written of an Agent."""
        meta, schedule = agent.metadata, agent.status.schedule
        return cls(
            uid=meta.uid,
            generation=meta.generation,
            resumed=meta.annotations.get(RESUMED_ANNOTATION, ""),
            is_paused=schedule is not None and schedule.paused is not None,
        )


class AgentController(Controller):
    """Wakes everything that depends on an Agent by its changes. While runs come and go its own
    status changes for ever, so that its key rests between two looks."""

    name = "agent"
    kinds = (AGENT,)
    rest = Rest(seconds=1.0, factor=20.0)

    def __init__(
        self,
        reconciler: AgentReconciler,
        observer: Observer,
        limiter: ConcurrencyLimiter,
        agents: KnownAgents,
        network: NetworkPolicies,
        meter: Meter,
        queues: Queues,
        depth: int,
    ) -> None:
        super().__init__(depth)
        self._reconciler = reconciler
        self._observer = observer
        self._limiter = limiter
        self._agents = agents
        self._network = network
        self._meter = meter
        self._queues = queues
        self._written: dict[Key, Written] = {}

    def changed(self, kind: Kind, change: Change) -> None:  # noqa: ARG002 - it watches one kind
        """An Agent wakes itself, its schedule and trigger, its namespace and its waiting runs."""
        key = change.key
        self._observer.forget_agent(key)
        if change.type == "DELETED":
            self._forget(key)
        elif not self._is_news(key, Agent.model_validate(change.object)):
            self._queues.add_rested(self.name, key)
            return
        self._queues.add("schedule", key)
        self._queues.add(self.name, key)
        self._queues.add("trigger", key)
        for waiting in self._limiter.waiting_for(key):
            self._queues.add("execution", waiting)

    def _forget(self, key: Key) -> None:
        self._limiter.forget_agent(key)
        self._agents.forget(key)
        self._written.pop(key, None)
        self._meter.loses(key)
        wake_namespace(self._network, self._queues, key[0])

    def _is_news(self, key: Key, agent: Agent) -> bool:
        """Takes note of an Agent; whether another than we wrote it."""
        self._limiter.see_agent(agent)
        self._agents.see(agent)
        self._meter.sees(agent)
        if self._network.is_news(agent):
            wake_namespace(self._network, self._queues, key[0])
        known, written = self._written.get(key), Written.of(agent)
        self._written[key] = written
        return known != written

    async def reconcile(self, key: Key) -> float | None:
        """One look at an Agent."""
        begin_lines(agent="/".join(key))
        return await self._reconciler.reconcile(key)

    def begin_resync(self) -> Callable[[Listed], None]:
        """Those that a full list no longer shows are not counted any more."""
        before = self._limiter.known().agents

        def end(listed: Listed) -> None:
            for gone in before - set(listed[AGENT]):
                self._meter.loses(gone)

        return end


def build(context: Context) -> Sequence[Controller]:
    """The controller of Agents."""
    limiter, network, settings = limiter_of(context), network_policies_of(context), context.settings
    reconciler = AgentReconciler(
        context.world,
        context.gateway,
        limiter,
        context.clock,
        settings,
        context.vault,
        context.find(TriggerReconciler),
        network,
        partial(find_authority, context),
    )
    return [
        AgentController(
            reconciler,
            observer_of(context),
            limiter,
            context.shared(KnownAgents, KnownAgents),
            network,
            context.meter,
            context.queues,
            max(1, settings.workers // 4),
        )
    ]
