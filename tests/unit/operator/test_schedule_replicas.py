"""Operators that die, stand still or take over in the middle of a look: each time of a schedule
still ends in exactly one way, and has exactly one run if it ran.

Looks are led step by step: before each call to the world, and while a create is on its way.
"""

from collections.abc import AsyncIterator, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.schedules.fires import fires_after
from heliostat_core.schedules.status import Receipt, ScheduleStatus
from heliostat_core.worlds import (
    AGENT,
    EVERYTHING,
    EXECUTION,
    Change,
    JsonObject,
    Kind,
    Ref,
    Selection,
    WorldError,
)
from heliostat_operator.leases import LeadershipLostError
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.schedules.reconcile import Again, ScheduleReconciler
from support.builders.resources import NOW, make_agent, make_condition_status
from support.memory_world import MemoryWorld

KEY = ("default", "sales")
HOUR = timedelta(hours=1)
CREATED = NOW - HOUR
MOST_LOOKS = 20


class Pause:
    """Where a look stands still until it is led on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class Leader:
    """Whose writes are let through."""

    name: int = 0


@dataclass
class SteppedWorld:
    """The world as one operator has it: fenced by the Lease, and every call takes its time."""

    world: MemoryWorld
    leader: Leader
    owner: int

    name = "stepped"

    async def get(self, ref: Ref) -> JsonObject | None:
        await Pause()
        return await self.world.get(ref)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        await Pause()
        async for each in self.world.list(kind, selection):
            yield each

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        return self.world.watch(kind, selection)

    async def create(self, obj: JsonObject) -> JsonObject:
        await self._check()
        await Pause()  # it is on its way, whoever leads when it arrives
        return await self.world.create(obj)

    async def apply(self, obj: JsonObject) -> JsonObject:
        await self._check()
        return await self.world.apply(obj)

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        await self._check()
        return await self.world.patch_status(obj)

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        await self._check()
        return await self.world.delete(ref, uid=uid, grace_seconds=grace_seconds)

    async def _check(self) -> None:
        await Pause()
        if self.leader.name != self.owner:
            raise LeadershipLostError("Another replica leads")


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Operator:
    """One process: what it knows came by its watch or by its own writes."""

    world: MemoryWorld
    leader: Leader
    name: int
    clock: Clock
    agents: KnownAgents = field(default_factory=KnownAgents)
    runs: ScheduledRuns = field(default_factory=ScheduledRuns)
    heard: int = 0
    look: Coroutine[None, None, Again | None] | None = None

    def __post_init__(self) -> None:
        stepped = SteppedWorld(self.world, self.leader, self.name)
        self.reconciler = ScheduleReconciler(stepped, self.agents, self.runs, self.clock)

    def hear(self) -> None:
        """The watch brings what happened since."""
        for kind, change in self.world.changes[self.heard :]:
            if kind == AGENT:
                self.agents.see(Agent.model_validate(change.object))
            elif kind == EXECUTION:
                self.runs.see(Execution.model_validate(change.object))
        self.heard = len(self.world.changes)

    def step(self) -> None:
        """To the next call of its look, or to the look's end."""
        if self.look is None:
            self.look = self.reconciler.reconcile(KEY)
        try:
            self.look.send(None)
        except (StopIteration, WorldError, LeadershipLostError):
            self.look = None

    def finish_look(self) -> None:
        self.step()
        while self.look is not None:
            self.step()

    def die(self) -> None:
        if self.look is not None:
            self.look.close()


class Replicas(RuleBasedStateMachine):
    """One Agent with an hourly schedule; one operator leads, others stand still as they lost it."""

    def __init__(self) -> None:
        super().__init__()
        self.world, self.leader, self.clock = MemoryWorld(), Leader(), Clock(CREATED)
        self.stopped: list[Operator] = []

    @initialize(overlap=st.sampled_from(["Allow", "Skip", "QueueOne"]))
    def begin(self, overlap: str) -> None:
        schedule = {"frequency": "hourly", "overlap": overlap, "catchUp": "All", "maxCatchUp": 100}
        document = {**make_agent(schedule=schedule).to_json()}
        document.pop("status")
        self.world.put(document)
        self.operator = self._new()

    def _new(self) -> Operator:
        self.leader.name += 1
        made = Operator(self.world, self.leader, self.leader.name, self.clock)
        made.hear()  # who begins to lead lists everything first
        return made

    @rule(minutes=st.sampled_from([1, 20, 60]))
    def pass_time(self, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)

    @rule(count=st.integers(1, 4))
    def work(self, count: int) -> None:
        for _ in range(count):
            self.operator.step()

    @rule()
    def look(self) -> None:
        self.operator.finish_look()

    @rule()
    def hear(self) -> None:
        self.operator.hear()

    @rule()
    def restart(self) -> None:
        self.operator.die()
        self.operator = self._new()

    @rule()
    def take_over(self) -> None:
        self.stopped.append(self.operator)
        self.operator = self._new()

    @precondition(lambda self: self.stopped)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """One that stood still does not know yet that it leads no more."""
        number = data.draw(st.integers(0, len(self.stopped) - 1))
        self.stopped.pop(number).finish_look()

    @rule(data=st.data())
    def a_run_ends(self, data: st.DataObject) -> None:
        live = [each for each in self.executions() if not each.is_finished]
        if live:
            run = data.draw(st.sampled_from(live))
            at = self.clock.now
            status = make_condition_status(succeeded="True", reason=FinishedReason.VERIFIED, at=at)
            document = self.world.objects[Ref(EXECUTION, "default", run.metadata.name)]
            self.world.put({**document, "status": status.to_json()})

    @invariant()
    def no_time_ends_twice(self) -> None:
        times = [time for each in self.receipts() for time in self.times_of(each)]
        assert len(times) == len(set(times)), times

    def teardown(self) -> None:
        if self.leader.name == 0:
            return
        for each in self.stopped:
            each.finish_look()
        self.operator.die()
        self.operator = self._new()
        for _ in range(MOST_LOOKS):
            self.operator.finish_look()
            self.operator.hear()
        self.each_time_has_its_end_and_each_run_its_time()

    def each_time_has_its_end_and_each_run_its_time(self) -> None:
        state = self.state()
        assert state is not None
        ended = [time for each in self.receipts() for time in self.times_of(each)]
        waiting = [state.queued_time] if state.queued_time else []
        assert sorted([*ended, *waiting]) == self.fires_until(self.clock.now)
        ran = {each.execution_name: each.scheduled_time for each in self.receipts()}
        ran.pop(None, None)
        made = {each.metadata.name: each.spec.trigger.scheduled_time for each in self.executions()}
        assert ran == made

    def state(self) -> ScheduleStatus | None:
        return Agent.model_validate(self.world.objects[Ref(AGENT, *KEY)]).status.schedule

    def receipts(self) -> tuple[Receipt, ...]:
        state = self.state() if self.leader.name else None
        return state.recent if state else ()

    def executions(self) -> list[Execution]:
        found = self.world.objects.items()
        return [Execution.model_validate(each) for ref, each in found if ref.kind == EXECUTION]

    def fires_until(self, last: datetime, after: datetime = CREATED) -> list[datetime]:
        schedule = make_agent(schedule={"frequency": "hourly"}).spec.schedule
        assert schedule is not None
        ahead = takewhile(lambda fire: fire.time <= last, fires_after(schedule, after))
        return [fire.time for fire in ahead]

    def times_of(self, receipt: Receipt) -> list[datetime]:
        """Of several in a row that say the same there is one receipt."""
        first = receipt.scheduled_time
        return self.fires_until(receipt.last_time or first, first - timedelta(seconds=1))


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
