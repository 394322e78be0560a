"""One Agent's schedule, one step: observe → decide → apply → one status write if it changed."""

from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.model import TriggerKind
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import (
    AGENT,
    AlreadyExistsError,
    ConflictError,
    JsonObject,
    NotFoundError,
    Ref,
    World,
)
from heliostat_operator.builders.events import build_schedule_events
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import TickMeter, Unmetered
from heliostat_operator.schedules.observer import ScheduleObserver
from heliostat_operator.schedules.schedule_forecast import ScheduleForecast
from heliostat_operator.schedules.tick_history import receipts_of, with_receipts
from heliostat_operator.schedules.tick_starts import TickStarter, build_status
from heliostat_operator.schedules.ticks import Seen, Ticks, decide_ticks

RECORD_SECONDS = 0.2
"""After its start a run is put on record: others that are due at that time start first."""


@dataclass(frozen=True)
class Again:
    """In how many seconds to look again, and whether a time is due then: that goes first."""

    seconds: float
    is_due: bool = False


class ScheduleReconciler:
    """Starts what is due, and leaves a receipt of every time."""

    def __init__(
        self,
        world: World,
        agents: KnownAgents,
        runs: ScheduledRuns,
        clock: Callable[[], datetime],
        meter: TickMeter | None = None,
        triggers: Container[TriggerKind] = (),
    ) -> None:
        """`triggers` are those at hand beside the operator's own timer."""
        self._world = world
        self._agents = agents
        self._runs = runs
        self._clock = clock
        self._triggers = triggers
        self._meter = meter or Unmetered()
        self._observer = ScheduleObserver(world, runs)
        self._starter = TickStarter(world, runs, clock, self._meter)
        self._forecasts: dict[Key, ScheduleForecast] = {}

    async def reconcile(self, key: Key) -> Again | None:
        """When to look again, None for not before something changes."""
        agent = self._agents.get(key) or await self._read(key)
        if agent is None:
            self._observer.forget(key)
            self._starter.forget(key)
            self._runs.forget_results(key, self._runs.results(key))
            self._forecasts.pop(key, None)
            await self._starter.refuse_offers(key, None, None)
            return None
        try:
            return await self._step(key, agent)
        except ConflictError:
            self._agents.forget(key)
            return Again(0)  # it changed since it was seen: look at what it is now

    async def _step(self, key: Key, agent: Agent) -> Again | None:
        schedule = agent.spec.schedule
        if agent.metadata.deletion_timestamp is not None or schedule is None:
            await self._write(agent, None)
            self._forecasts.pop(key, None)
            await self._starter.refuse_offers(key, None, None)
            return None
        now = self._clock()
        forecast = self._forecast(key, agent, schedule)
        seen = await self._observe(agent, schedule)
        ticks = await self._decide(agent, schedule, seen, now, forecast)
        if await self._starter.start(agent, self._fired_by(schedule), ticks.ends):
            return Again(RECORD_SECONDS)
        ends = self._starter.begun(agent).with_ends(ticks.ends)
        receipts = receipts_of(ticks.state.recent, ends, now)
        state = with_receipts(ticks.state, receipts)
        await self._write(agent, state)
        self._starter.forget(key)
        self._runs.forget_results(key, seen.results or ())
        await self._starter.refuse_offers(key, schedule, state)
        for end in ends:
            self._meter.ended(end.outcome)
        await self._tell(build_schedule_events(agent, state, receipts, now))
        forecast.reckon(state.decided_time)
        return Again(ticks.wake, ticks.is_due_then)

    async def _read(self, key: Key) -> Agent | None:
        found = await self._world.get(Ref(AGENT, *key))
        if found is None:
            return None
        agent = Agent.model_validate(found)
        self._agents.see(agent)
        return agent

    def _forecast(self, key: Key, agent: Agent, schedule: Schedule) -> ScheduleForecast:
        known = self._forecasts.get(key)
        if known is None or not known.is_of(agent):
            self._forecasts[key] = known = ScheduleForecast(agent, schedule)
        return known

    async def _observe(self, agent: Agent, schedule: Schedule) -> Seen:
        seen = replace(await self._observer.observe(agent), fired_by=self._fired_by(schedule))
        return seen.with_made(self._starter.begun(agent).times)

    async def _decide(
        self,
        agent: Agent,
        schedule: Schedule,
        seen: Seen,
        now: datetime,
        forecast: ScheduleForecast,
    ) -> Ticks:
        ticks = decide_ticks(agent, schedule, seen, now, forecast)
        unsure = [end.tick.scheduled for end in ticks.ends if end.outcome != "Ran"]
        made = await self._observer.made_before(agent, unsure)
        if not made:
            return ticks
        return decide_ticks(agent, schedule, seen.with_made(made), now, forecast)

    def _fired_by(self, schedule: Schedule) -> TriggerKind:
        return schedule.trigger if schedule.trigger in self._triggers else "Builtin"

    async def _write(self, agent: Agent, state: ScheduleStatus | None) -> None:
        if state == agent.status.schedule:
            return
        status = agent.status.model_copy(update={"schedule": state})
        try:
            written = await self._world.patch_status(build_status(AGENT, agent.metadata, status))
        except NotFoundError:
            return
        self._agents.see(Agent.model_validate(written))

    async def _tell(self, events: Iterable[JsonObject]) -> None:
        for event in events:
            with suppress(AlreadyExistsError):  # told before a crash
                await self._world.create(event)
