"""Triggers of schedules outside of the operator: set up, kept in step, taken away again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from heliostat_core.agents import Agent
from heliostat_core.conditions import ConditionStatus, TriggeredReason
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.faults import never_comes
from heliostat_core.schedules.model import TriggerKind
from heliostat_core.schedules.timers import Timer, timer_of
from heliostat_core.worlds import AGENT, Ref, World
from heliostat_operator.model.keys import Key

_AGAIN = 30.0


@dataclass(frozen=True)
class Wanted:
    """What a trigger is to do for an Agent."""

    agent: Agent
    schedule: Schedule
    timer: Timer
    suspend: bool


@dataclass(frozen=True)
class Setup:
    """How the trigger of an Agent stands: its condition `Triggered`."""

    status: ConditionStatus
    reason: TriggeredReason
    message: str


class Trigger(Protocol):
    """One kind of trigger; each call may be repeated at any time."""

    @property
    def is_at_hand(self) -> bool:
        """Whether this installation has it."""

    async def keep(self, wanted: Wanted) -> Setup:
        """Makes it as wanted, or mends it."""

    async def remove(self, key: Key, agent: Agent | None) -> Setup | None:
        """Takes away what there is for an Agent, which may be gone; None when nothing is left."""


def wanted_of(agent: Agent, kind: TriggerKind, now: datetime) -> Wanted | None:
    """What a trigger of that kind is to do for an Agent; None for nothing."""
    schedule = agent.spec.schedule
    if agent.metadata.deletion_timestamp is not None or schedule is None:
        return None
    if schedule.trigger != kind or never_comes(schedule, now) is not None:
        return None
    timer = timer_of(schedule)
    return Wanted(agent, schedule, timer, is_suspended(agent, schedule)) if timer else None


def is_suspended(agent: Agent, schedule: Schedule) -> bool:
    """Whether no run of it will start before somebody does something."""
    state = agent.status.schedule
    is_paused = state is not None and state.paused is not None
    return agent.spec.suspend or schedule.suspend or is_paused


class TriggerReconciler:
    """Each Agent has the trigger that its schedule names, and no other."""

    def __init__(
        self,
        world: World,
        triggers: Mapping[TriggerKind, Trigger],
        clock: Callable[[], datetime],
    ) -> None:
        self._world = world
        self._triggers = triggers
        self._clock = clock
        self._setups: dict[Key, Setup] = {}

    @property
    def kinds(self) -> frozenset[TriggerKind]:
        """Those at hand."""
        return frozenset(kind for kind, each in self._triggers.items() if each.is_at_hand)

    def setup_of(self, key: Key) -> Setup | None:
        """How the trigger of an Agent stands; None without one."""
        return self._setups.get(key)

    async def reconcile(self, key: Key) -> float | None:
        """In how many seconds to look again, None for not before something changes."""
        found = await self._world.get(Ref(AGENT, *key))
        agent = Agent.model_validate(found) if found else None
        setups = [await self._settle(kind, key, agent) for kind in self._triggers]
        setup = next((each for each in setups if each is not None), None)
        if setup is None or agent is None:
            self._setups.pop(key, None)
            return None
        self._setups[key] = setup
        return None if setup.status == "True" else _AGAIN

    async def _settle(self, kind: TriggerKind, key: Key, agent: Agent | None) -> Setup | None:
        wanted = wanted_of(agent, kind, self._clock()) if agent else None
        trigger = self._triggers[kind]
        return await (trigger.keep(wanted) if wanted else trigger.remove(key, agent))
