"""Starts the runs of times that are due, and remembers them until they are on record."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason, TickReason
from heliostat_core.executions import Cancellation, Execution
from heliostat_core.names import FIELD_MANAGER
from heliostat_core.resources import ObjectMeta, Part
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.executions import build_scheduled_execution
from heliostat_core.schedules.model import TriggerKind
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import (
    EXECUTION,
    AlreadyExistsError,
    ForbiddenError,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    World,
)
from heliostat_operator.model.indexes import ScheduledRuns
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import TickMeter
from heliostat_operator.schedules.external_runs import refusal_of, with_due
from heliostat_operator.schedules.tick_history import with_refusals
from heliostat_operator.schedules.tick_outcomes import End


@dataclass
class Begun:
    """Runs of one Agent that were started and are not on record yet, as they were decided."""

    uid: str
    ends: dict[str, End] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def times(self) -> dict[datetime, datetime | None]:
        """The times that have a run, as `Seen.made` has them; how they ended is known here."""
        started = (end for name, end in self.ends.items() if name not in self.refused)
        return {end.tick.scheduled: None for end in started}

    def with_ends(self, ends: Sequence[End]) -> tuple[End, ...]:
        """What was started as it was then (it may be late by now, or of a schedule that was edited
        since), and the ends that are new."""
        new = (each for each in ends if not each.execution_name)
        ordered = sorted([*self.ends.values(), *new], key=lambda each: each.tick.scheduled)
        return with_refusals(ordered, self.refused)


class TickStarter:
    """The hand of the schedule: what it makes has a name that follows from the time."""

    def __init__(
        self,
        world: World,
        runs: ScheduledRuns,
        clock: Callable[[], datetime],
        meter: TickMeter,
    ) -> None:
        self._world = world
        self._runs = runs
        self._clock = clock
        self._meter = meter
        self._begun: dict[Key, Begun] = {}

    def begun(self, agent: Agent) -> Begun:
        """What was started of this Agent and is not on record."""
        key = (agent.metadata.namespace, agent.metadata.name)
        known = self._begun.get(key)
        if known is None or known.uid != agent.metadata.uid:
            self._begun[key] = known = Begun(agent.metadata.uid)
        return known

    def forget(self, key: Key) -> None:
        """It is on record, or the Agent is gone."""
        self._begun.pop(key, None)

    async def start(self, agent: Agent, fired_by: TriggerKind, ends: Sequence[End]) -> bool:
        """Whether anything was started now, or refused by the API server."""
        begun = self.begun(agent)
        name_of = {end.execution_name: end for end in ends if end.execution_name}
        waiting = {name: end for name, end in name_of.items() if name not in begun.ends}
        for name, end in waiting.items():
            try:
                await self._start(agent, fired_by, end, name)
            except (InvalidError, ForbiddenError) as error:
                begun.refused[name] = str(error)
            begun.ends[name] = end
        return bool(waiting)

    async def _start(self, agent: Agent, fired_by: TriggerKind, end: End, name: str) -> None:
        execution = build_scheduled_execution(agent, fired_by, name, end.tick.scheduled)
        try:
            await self._world.create(execution)
        except AlreadyExistsError:
            await self._take(agent, end, name)
            return
        await self._started(agent, end, name)

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
        await self._world.patch_status(build_status(EXECUTION, execution.metadata, status))
        await self._started(agent, end, name)

    async def _started(self, agent: Agent, end: End, name: str) -> None:
        now = self._clock()
        if end.reason != TickReason.WAITED:  # it was told to wait: nobody was late
            self._meter.started((now - end.tick.due).total_seconds())
        namespace = agent.metadata.namespace
        self._runs.started((namespace, agent.metadata.name), name, end.tick.scheduled, now)
        message = f"Execution {name!r} of the same schedule took its place (overlap Replace)."
        for each in end.stops:
            await self._stop(namespace, each, FinishedReason.CANCELLED, message)

    async def refuse_offers(
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
            await self._world.patch_status(build_status(EXECUTION, execution.metadata, status))

    async def _find(self, namespace: str, name: str) -> Execution | None:
        found = await self._world.get(Ref(EXECUTION, namespace, name))
        return Execution.model_validate(found) if found else None


def build_status(kind: Kind, meta: ObjectMeta, status: Part) -> JsonObject:
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
