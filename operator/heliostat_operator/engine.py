"""The engine: wakes reconciles from changes, in any world.

Whoever watches (kopf in a cluster, the embedded world itself) hands every change to `see`. That
only puts keys into queues; what happens is decided from what is true when a key's turn comes.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from pydantic import ValidationError

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import EXECUTION_ANNOTATION, FINISHED_LABEL, RESUMED_ANNOTATION
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    NETWORK_POLICY,
    Change,
    Kind,
    Selection,
    World,
    WorldError,
)
from heliostat_operator.agents.fleet import AgentReconciler
from heliostat_operator.gateway.ledgers import Gateway
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns, UnfinishedRuns
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import TickMeter, Unmetered
from heliostat_operator.network.guards import Guards
from heliostat_operator.queues import KeyQueue
from heliostat_operator.runs.caches import FreshExecutions, OwnWrites
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.effect_runner import EffectRunner, KeySigner
from heliostat_operator.runs.observe import Observer
from heliostat_operator.runs.reconcile import ExecutionReconciler, Follower
from heliostat_operator.schedules.reconcile import ScheduleReconciler
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_operator.secrets.vaults import Vault
from heliostat_operator.settings import OperatorSettings
from heliostat_telemetry.lines import begin_lines

UNFINISHED = f"{FINISHED_LABEL}!=true"
"""Selects what is watched: finished Executions, their Jobs and pods are left out."""

# An Agent is looked at again so long after a change of its runs, or longer when it has many.
_AGENT_PAUSE = 1.0
_AGENT_PAUSE_FACTOR = 20.0

# For so long everything else waits while times of schedules are due: thousands of them at once.
LONGEST_HURRY = 10.0  # seconds

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Written:
    """What of an Agent is news when it changes; the rest of its status is our own."""

    uid: str
    generation: int
    resumed: str
    is_paused: bool

    @classmethod
    def of(cls, agent: Agent) -> "Written":
        meta, schedule = agent.metadata, agent.status.schedule
        return cls(
            uid=meta.uid,
            generation=meta.generation,
            resumed=meta.annotations.get(RESUMED_ANNOTATION, ""),
            is_paused=schedule is not None and schedule.paused is not None,
        )


class Meter(Protocol):
    """What the engine counts; see observability/metrics.py."""

    def reconciled(self, kind: str, seconds: float) -> None: ...

    def failed(self, kind: str) -> None: ...

    def sees(self, agent: Agent) -> None: ...

    def loses(self, agent: Key) -> None: ...

    @property
    def schedules(self) -> TickMeter: ...


def _key_of(change: Change) -> Key:
    metadata = change.object.get("metadata")
    fields = metadata if isinstance(metadata, Mapping) else {}
    return str(fields.get("namespace", "")), str(fields.get("name", ""))


def _meta_of(change: Change) -> ObjectMeta:
    return ObjectMeta.model_validate(change.object.get("metadata"))


def utc_now() -> datetime:
    return datetime.now(UTC)


class Engine:
    """Queues, reconcilers and the slow resync over one world."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        signer: KeySigner,
        settings: OperatorSettings,
        clock: Callable[[], datetime] = utc_now,
        meter: Meter | None = None,
        followers: Sequence[Follower] = (),
        vault: Vault | None = None,
        triggers: TriggerReconciler | None = None,
    ) -> None:
        """`triggers` of schedules beside the operator's own timer; None in a world without any."""
        self._world = world
        self._settings = settings
        self._clock = clock
        self._meter = meter
        self.limiter = ConcurrencyLimiter(
            settings.max_concurrent_executions, settings.aging_seconds
        )
        self.census = UnfinishedRuns()
        self._observer = Observer(
            world, gateway, self.limiter, clock, settings.usage_seconds, vault=vault
        )
        self._arrivals = FreshExecutions(time.monotonic)
        self._own_writes = OwnWrites()
        self._overheard: dict[Key, list[str]] = {}  # versions seen while a look goes on
        self._guards = Guards(world, settings, UNFINISHED)
        effect_runner = EffectRunner(world, gateway, signer, self._guards, settings, clock)
        self._executions = ExecutionReconciler(
            world,
            self._observer,
            effect_runner,
            self.limiter,
            settings,
            clock,
            self._own_writes,
            followers,
        )
        self._agents = AgentReconciler(
            world, gateway, self.limiter, clock, settings, vault, triggers, self._guards
        )
        self._known_agents, self._runs = KnownAgents(), ScheduledRuns()
        ticks = meter.schedules if meter else Unmetered()
        self._schedules = ScheduleReconciler(
            world, self._known_agents, self._runs, clock, ticks, triggers.kinds if triggers else ()
        )
        self._triggers = triggers
        self._pauses: dict[Key, float] = {}
        self._written: dict[Key, Written] = {}
        self.schedule_queue: KeyQueue[Key] = KeyQueue(self._reconcile_schedule, settings.workers)
        self.execution_queue: KeyQueue[Key] = KeyQueue(
            self._reconcile_execution, settings.workers, self._times_first
        )
        self.agent_queue: KeyQueue[Key] = KeyQueue(
            self._reconcile_agent, max(1, settings.workers // 4), self._times_first
        )
        self.trigger_queue: KeyQueue[Key] = KeyQueue(
            self._reconcile_trigger, max(1, settings.workers // 4), self._times_first
        )
        self.network_queue: KeyQueue[str] = KeyQueue(self._reconcile_network, workers=2)

    def depths(self) -> Mapping[str, int]:
        """Keys that wait for a worker or are worked on, by kind."""
        queues = {
            "execution": self.execution_queue,
            "agent": self.agent_queue,
            "schedule": self.schedule_queue,
            "trigger": self.trigger_queue,
        }
        return {kind: len(queue) for kind, queue in queues.items()} | {
            "network": len(self.network_queue)
        }

    # ---- wakes ----------------------------------------------------------------------------------

    async def hear(self, kind: Kind, change: Change) -> None:
        """As `see`. The echo of what a schedule just made comes after the times that are due: it
        brings them nothing new, and at a tick there are as many of them."""
        is_untouched = change.type != "DELETED" and not change.object.get("status")
        if kind == EXECUTION and is_untouched and self._runs.is_live(_key_of(change)):
            await self._times_first()
        self.see(kind, change)

    def see(self, kind: Kind, change: Change) -> None:
        """Take note of a change; never blocks, never fails on an object's content."""
        try:
            self._see(kind, change)
        except ValidationError as error:
            # What an older schema let in must not end the operator for everybody else.
            logger.warning("a %s that can't be read is left alone: %s", kind.name, error)

    def _see(self, kind: Kind, change: Change) -> None:
        if kind == AGENT:
            self._see_agent(_key_of(change), change)
        elif kind == EXECUTION:
            self._see_execution(_key_of(change), change)
        elif kind == NETWORK_POLICY:
            self._see_policy(_meta_of(change), kind, change)
        else:
            self._see_child(_meta_of(change))

    def _see_agent(self, key: Key, change: Change) -> None:
        self._observer.forget_agent(key)
        if change.type == "DELETED":
            self.limiter.forget_agent(key)
            self._known_agents.forget(key)
            self._written.pop(key, None)
            if self._meter is not None:
                self._meter.loses(key)
            self._look_at_network(key[0])
        else:
            agent = Agent.model_validate(change.object)
            self.limiter.see_agent(agent)
            self._known_agents.see(agent)
            if self._meter is not None:
                self._meter.sees(agent)
            if self._guards.is_news(agent):
                self._look_at_network(key[0])
            written = Written.of(agent)
            if self._written.get(key) == written:
                self.wake_agent(key)  # our own status: while runs come and go it changes for ever
                return
            self._written[key] = written
        self.schedule_queue.add(key)
        self.agent_queue.add(key)
        self._wake_trigger(key)
        for waiting in self.limiter.waiting_for(key):
            self.execution_queue.add(waiting)

    def _see_execution(self, key: Key, change: Change) -> None:
        execution = Execution.model_validate(change.object)
        had_a_claim = key in self.limiter
        if change.type == "DELETED":
            self.limiter.forget_execution(key)
            self.census.forget(key)
            self._runs.forget(key)
            self._arrivals.forget(key)
            self._observer.forget_execution(key)
        else:
            self.limiter.see_execution(execution)
            self.census.see(execution)
            self._runs.see(execution)
        if change.type == "DELETED" or execution.is_finished or execution.is_offer:
            agent = (key[0], execution.spec.agent_ref.name)
            self.schedule_queue.add(agent, urgent=execution.is_offer)
        if had_a_claim and key not in self.limiter:
            self._give_slot_on()
        if self._is_news(key, execution.metadata.resource_version):
            if change.type != "DELETED":
                self._arrivals.bring(key, execution)
            self.execution_queue.add(key)
        self.wake_agent((key[0], execution.spec.agent_ref.name))

    def _see_policy(self, meta: ObjectMeta, kind: Kind, change: Change) -> None:
        if self._guards.is_touched(meta, kind.name) or change.type == "DELETED":
            self._look_at_network(meta.namespace)

    def _look_at_network(self, namespace: str) -> None:
        if self._guards.is_on:
            self.network_queue.add(namespace)

    def _see_child(self, meta: ObjectMeta) -> None:
        name = meta.annotations.get(EXECUTION_ANNOTATION)
        if name and self._is_news((meta.namespace, name), meta.resource_version):
            self.execution_queue.add((meta.namespace, name))

    def _is_news(self, key: Key, version: str) -> bool:
        """Whether others wrote it. During a look nobody knows yet: the watch may be faster than the
        answer to our own write, so the look's end tells."""
        if self.execution_queue.works_on(key):
            self._overheard.setdefault(key, []).append(version)
            return False
        return not self._own_writes.heard(version)

    def wake_agent(self, key: Key) -> None:
        self.agent_queue.add_later(key, self._pauses.get(key, _AGENT_PAUSE))

    def _wake_trigger(self, key: Key) -> None:
        if self._triggers is not None:
            self.trigger_queue.add(key)

    # ---- work -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Lists everything first, so that limits count what runs already; then until cancelled."""
        await self.resync()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.execution_queue.run())
            group.create_task(self.agent_queue.run())
            group.create_task(self.schedule_queue.run())
            group.create_task(self.trigger_queue.run())
            group.create_task(self.network_queue.run())
            group.create_task(self._resync_forever())
            if not self._guards.is_on:
                group.create_task(self._guards.clear())

    async def resync(self) -> None:
        """Read every Agent and unfinished Execution anew: what a watch missed is found here."""
        before, runs, counted = self.limiter.known(), self._runs.known(), self.census.known()
        agents = [key async for key in self._listed(AGENT, Selection())]
        executions = [
            key async for key in self._listed(EXECUTION, Selection(label_terms=(UNFINISHED,)))
        ]
        self.limiter.keep_only(before, executions, agents)
        self._runs.keep_only(runs, executions)
        self.census.keep_only(counted, executions)
        if self._meter is not None:
            for gone in before.agents - set(agents):
                self._meter.loses(gone)
        for key in agents:
            self.schedule_queue.add(key)
            self._wake_trigger(key)
        for namespace in {namespace for namespace, _ in agents}:
            self._look_at_network(namespace)

    async def _listed(self, kind: Kind, selection: Selection) -> AsyncIterator[Key]:
        async for found in self._world.list(kind, selection):
            meta = ObjectMeta.model_validate(found["metadata"])
            self._own_writes.heard(
                meta.resource_version
            )  # what is listed is looked at, ours or not
            self.see(kind, Change("MODIFIED", found))
            yield (meta.namespace, meta.name)

    async def _resync_forever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync_seconds)
            try:
                await self.resync()
            except WorldError as error:
                logger.warning("the resync is made later: %r", error)

    async def _reconcile_execution(self, key: Key) -> float | None:
        begin_lines(execution="/".join(key))
        had_a_claim = key in self.limiter
        try:
            return await self._look(key, had_a_claim)
        finally:
            overheard = [self._own_writes.heard(each) for each in self._overheard.pop(key, ())]
            if not all(overheard):
                self.execution_queue.add(key)

    async def _look(self, key: Key, had_a_claim: bool) -> float | None:
        delay = await self._timed(
            "execution", self._executions.reconcile(key, self._arrivals.take(key))
        )
        if had_a_claim and key not in self.limiter:
            self._give_slot_on()
        return delay

    def _give_slot_on(self) -> None:
        for key in self.limiter.granted(self._clock()):
            self.execution_queue.add(key)

    async def _reconcile_agent(self, key: Key) -> float | None:
        begin_lines(agent="/".join(key))
        started = time.monotonic()
        delay = await self._timed("agent", self._agents.reconcile(key))
        spent = time.monotonic() - started
        self._pauses[key] = max(_AGENT_PAUSE, spent * _AGENT_PAUSE_FACTOR)
        if delay is None:
            self._pauses.pop(key, None)
        return delay

    async def _reconcile_schedule(self, key: Key) -> None:
        begin_lines(agent="/".join(key))
        again = await self._timed("schedule", self._schedules.reconcile(key))
        if again is not None:
            self.schedule_queue.add_later(key, again.seconds, urgent=again.is_due)

    async def _reconcile_trigger(self, key: Key) -> float | None:
        begin_lines(agent="/".join(key))
        if self._triggers is None:
            return None
        before = self._triggers.setup_of(key)
        delay = await self._timed("trigger", self._triggers.reconcile(key))
        if self._triggers.setup_of(key) != before:
            self.wake_agent(key)
        return delay

    async def _reconcile_network(self, namespace: str) -> float | None:
        begin_lines(namespace=namespace)
        return await self._timed("network", self._guards.reconcile(namespace))

    async def _times_first(self) -> None:
        """What is due has a time to keep; the work that it makes comes after."""
        await self.schedule_queue.calm(LONGEST_HURRY)

    async def _timed(self, kind: str, work: Awaitable[Answer]) -> Answer:
        started = time.monotonic()
        try:
            return await work
        except Exception:
            if self._meter is not None:
                self._meter.failed(kind)
            raise
        finally:
            if self._meter is not None:
                self._meter.reconciled(kind, time.monotonic() - started)
