"""One Agent's schedule, one step: observe → decide → apply → one status write if it changed."""

from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Cancellation, Execution
from heliostat_core.names import FIELD_MANAGER
from heliostat_core.resources import ObjectMeta, Part
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.model import TriggerKind
from heliostat_core.schedules.status import RunResult, ScheduleStatus
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    World,
)
from heliostat_operator.builders.events import build_schedule_events
from heliostat_operator.builders.scheduled_executions import build_scheduled_execution
from heliostat_operator.offers import refusal_of, with_due
from heliostat_operator.receipts import with_receipts, with_refusals
from heliostat_operator.scheduled_runs import ScheduledRuns, result_of
from heliostat_operator.seats import Key
from heliostat_operator.tick_ends import End
from heliostat_operator.ticks import Seen, Ticks, decide_ticks

RECORD_SECONDS = 0.2
"""After its start a run is put on record: others that are due at that time start first."""


class KnownAgents:
    """Agents as the watch and our own writes brought them, so that a tick need not read them.

    A stale one ends in a conflict when its status is written, and is read.
    """

    def __init__(self) -> None:
        self._agents: dict[Key, Agent] = {}

    def see(self, agent: Agent) -> None:
        key = (agent.metadata.namespace, agent.metadata.name)
        known = self._agents.get(key)
        if known is None or _version(agent) >= _version(known):
            self._agents[key] = agent

    def forget(self, key: Key) -> None:
        self._agents.pop(key, None)

    def get(self, key: Key) -> Agent | None:
        return self._agents.get(key)


@dataclass
class Begun:
    """Runs of one Agent that were started and are not on record yet, as they were decided."""

    uid: str
    ends: dict[str, End] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def ends_with(self, ends: Sequence[End]) -> list[End]:
        """What was started as it was then (it may be late by now, or of a schedule that was edited
        since), and the ends that are new."""
        new = (each for each in ends if not each.execution_name)
        return sorted([*self.ends.values(), *new], key=lambda each: each.tick.scheduled)


class ScheduleReconciler:
    """Starts what is due, and leaves a receipt of every time."""

    def __init__(
        self,
        world: World,
        agents: KnownAgents,
        runs: ScheduledRuns,
        clock: Callable[[], datetime],
        triggers: Container[TriggerKind] = (),
    ) -> None:
        """`triggers` are those at hand beside the operator's own timer."""
        self._world = world
        self._agents = agents
        self._runs = runs
        self._clock = clock
        self._triggers = triggers
        self._looked: dict[Key, str] = {}  # uids of Agents whose runs were listed once
        self._begun: dict[Key, Begun] = {}

    async def reconcile(self, key: Key) -> float | None:
        """In how many seconds to look again, None for not before something changes."""
        agent = self._agents.get(key) or await self._read(key)
        if agent is None:
            self._looked.pop(key, None)
            self._begun.pop(key, None)
            await self._refuse_offers(key, None, None)
            return None
        try:
            return await self._step(agent)
        except ConflictError:
            self._agents.forget(key)
            return 0  # it changed since it was seen: look at what it is now

    async def _read(self, key: Key) -> Agent | None:
        found = await self._world.get(Ref(AGENT, *key))
        if found is None:
            return None
        agent = Agent.model_validate(found)
        self._agents.see(agent)
        return agent

    async def _step(self, agent: Agent) -> float | None:
        schedule = agent.spec.schedule
        if agent.metadata.deletion_timestamp is not None or schedule is None:
            await self._write(agent, None)
            await self._refuse_offers(_key_of(agent), None, None)
            return None
        now = self._clock()
        seen = await self._observe(agent, schedule)
        ticks = decide_ticks(agent, schedule, seen, now)
        begun = self._begun_of(agent)
        if await self._start_all(agent, schedule, ticks, begun):
            return RECORD_SECONDS
        ends = with_refusals(begun.ends_with(ticks.ends), begun.refused)
        state = with_receipts(ticks.state, ends, now)
        await self._write(agent, state)
        del self._begun[_key_of(agent)]
        await self._refuse_offers(_key_of(agent), schedule, state)
        for event in build_schedule_events(agent, state, now):
            with suppress(AlreadyExistsError):  # told before a crash
                await self._world.create(event)
        return ticks.wake

    def _begun_of(self, agent: Agent) -> Begun:
        key = _key_of(agent)
        known = self._begun.get(key)
        if known is None or known.uid != agent.metadata.uid:
            self._begun[key] = known = Begun(agent.metadata.uid)
        return known

    # ---- observe --------------------------------------------------------------------------------

    async def _observe(self, agent: Agent, schedule: Schedule) -> Seen:
        uid, state, key = agent.metadata.uid, agent.status.schedule, _key_of(agent)
        is_first = self._looked.get(key) != uid
        listed = await self._listed(agent) if is_first or (state and state.paused) else []
        self._looked[key] = uid
        live = self._runs.of(key)
        made = {each.spec.trigger.scheduled_time for each in listed if _is_made(each)}
        offers = self._runs.offers_of(key).values()
        return Seen(
            live=tuple(live),
            made=frozenset(each for each in (*made, *live.values()) if each is not None),
            results=await self._results(agent, state) if state else {},
            good_by_hand=max(filter(None, map(_good_by_hand, listed)), default=None),
            fired_by=self._fired_by(schedule),
            offers=frozenset(each for each in offers if each is not None),
        )

    def _fired_by(self, schedule: Schedule) -> TriggerKind:
        return schedule.trigger if schedule.trigger in self._triggers else "Builtin"

    async def _listed(self, agent: Agent) -> list[Execution]:
        """All its runs: at the first look, for what was made before a crash, and while it is
        paused, for a good one by hand."""
        selection = Selection(
            namespace=agent.metadata.namespace,
            fields={"spec.agentRef.name": agent.metadata.name},
        )
        found = self._world.list(EXECUTION, selection)
        return [Execution.model_validate(each) async for each in found]

    async def _results(self, agent: Agent, state: ScheduleStatus) -> dict[str, RunResult]:
        """How runs on record ended that are live no more."""
        live = self._runs.of(_key_of(agent))
        open_names = [
            each.execution_name
            for each in state.recent
            if each.execution_name and each.result is None and each.execution_name not in live
        ]
        results: dict[str, RunResult] = {}
        for name in open_names:
            found = await self._find(agent.metadata.namespace, name)
            result = result_of(found) if found else "Gone"
            if result is not None:
                results[name] = result
        return results

    # ---- apply ----------------------------------------------------------------------------------

    async def _start_all(
        self, agent: Agent, schedule: Schedule, ticks: Ticks, begun: Begun
    ) -> bool:
        """Whether anything was started now, or refused by the API server."""
        name_of = {end.execution_name: end for end in ticks.ends if end.execution_name}
        waiting = {name: end for name, end in name_of.items() if name not in begun.ends}
        for name, end in waiting.items():
            try:
                await self._start(agent, schedule, end, name)
            except (InvalidError, ForbiddenError) as error:
                begun.refused[name] = str(error)
            begun.ends[name] = end
        return bool(waiting)

    async def _start(self, agent: Agent, schedule: Schedule, end: End, name: str) -> None:
        execution = build_scheduled_execution(
            agent, schedule, self._fired_by(schedule), name, end.tick.scheduled
        )
        try:
            made = await self._world.create(execution)
        except AlreadyExistsError:
            await self._take(agent, end, name)
            return
        self._runs.see(Execution.model_validate(made))
        await self._stop_others(agent, end, name)

    async def _take(self, agent: Agent, end: End, name: str) -> None:
        """What is there already: made before a crash, or offered. Raises InvalidError when it is
        another's."""
        execution = await self._find(agent.metadata.namespace, name)
        if execution is None:
            return
        if execution.spec.trigger.scheduled_time != end.tick.scheduled:
            raise InvalidError(f"An Execution {name!r} was made for something else. Delete it.")
        if not execution.is_offer:
            return
        status = with_due(execution, end, self._clock())
        let_go = await self._world.patch_status(_status_of(EXECUTION, execution.metadata, status))
        self._runs.see(Execution.model_validate(let_go))
        await self._stop_others(agent, end, name)

    async def _stop_others(self, agent: Agent, end: End, name: str) -> None:
        message = f"Execution {name!r} of the same schedule took its place (overlap Replace)."
        for each in end.stops:
            await self._stop(agent.metadata.namespace, each, FinishedReason.CANCELLED, message)

    async def _refuse_offers(
        self, key: Key, schedule: Schedule | None, state: ScheduleStatus | None
    ) -> None:
        """After the receipts were written: what a crash leaves here is found again."""
        for name, time in self._runs.offers_of(key).items():
            why = refusal_of(time, schedule, state)
            if why is not None:
                await self._stop(key[0], name, FinishedReason.SKIPPED, why)

    async def _stop(self, namespace: str, name: str, reason: FinishedReason, message: str) -> None:
        """Its status is ours: there the stop is noted, as one that was asked for."""
        execution = await self._find(namespace, name)
        if execution is None or execution.is_finished or execution.status.cancellation:
            return
        cancellation = Cancellation(
            time=self._clock(), by=FIELD_MANAGER, reason=reason, message=message
        )
        status = execution.status.model_copy(update={"cancellation": cancellation})
        with suppress(NotFoundError):
            await self._world.patch_status(_status_of(EXECUTION, execution.metadata, status))

    async def _find(self, namespace: str, name: str) -> Execution | None:
        found = await self._world.get(Ref(EXECUTION, namespace, name))
        return Execution.model_validate(found) if found else None

    async def _write(self, agent: Agent, state: ScheduleStatus | None) -> None:
        if state == agent.status.schedule:
            return
        status = agent.status.model_copy(update={"schedule": state})
        try:
            written = await self._world.patch_status(_status_of(AGENT, agent.metadata, status))
        except NotFoundError:
            return
        self._agents.see(Agent.model_validate(written))


def _status_of(kind: Kind, meta: ObjectMeta, status: Part) -> JsonObject:
    """A status write that a change since is in the way of."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "resourceVersion": meta.resource_version,
        },
        "status": status.to_json(),
    }


def _version(agent: Agent) -> int:
    """Resource versions are compared as numbers, as Kubernetes 1.35 promises that they can be."""
    return int(agent.metadata.resource_version or 0)


def _key_of(agent: Agent) -> Key:
    return agent.metadata.namespace, agent.metadata.name


def _is_made(execution: Execution) -> bool:
    return execution.is_scheduled and not execution.is_offer


def _good_by_hand(execution: Execution) -> datetime | None:
    """When a run that no schedule made went well."""
    good = not execution.is_scheduled and result_of(execution) == "Succeeded"
    return execution.status.completion_time if good else None
