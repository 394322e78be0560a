"""One soak, from the first Execution to the last that is done."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from heliostat_core.worlds import (
    EXECUTION,
    JOB,
    POD,
    AlreadyExistsError,
    Kind,
    Selection,
    UnavailableError,
    World,
    WorldError,
)
from soak.hands import Hands
from soak.memory import Meter
from soak.place import NAMESPACE, Place
from soak.restarts import Part, plan_restarts
from soak.seen import Run, Seen
from soak.stories import STORIES, Story, stories
from support.objects import make_execution, uid_of

_PROGRESS_SECONDS = 10
_NUDGE_SECONDS = 20
_MEASURED_RUNS = 1000


@dataclass(frozen=True)
class Options:
    """How many runs, how many at once, and what ends it early.

    After `seconds` no run is begun any more; when nothing has moved for `stuck_seconds`, the rest
    is stuck.
    """

    runs: int = 10_000
    seconds: float = 7200
    seed: int = 1
    at_once: int = 80
    stuck_seconds: float = 180
    stories: tuple[Story, ...] = STORIES
    measures: bool = True
    """Whether the operator is a process of this machine, whose memory can be read."""

    @property
    def must_measure(self) -> bool:
        """A short soak has too few samples at the two points that are compared."""
        return self.measures and self.runs >= _MEASURED_RUNS


@dataclass
class Record:
    """What happened."""

    options: Options
    seen: Seen = field(default_factory=Seen)
    made: set[str] = field(default_factory=set)
    """Names of the Executions that the API server took."""
    meter: Meter = field(default_factory=Meter)
    restarts: Counter[Part] = field(default_factory=Counter)
    ended_by_itself: int = 0
    seconds: float = 0

    @property
    def runs(self) -> list[Run]:
        return list(self.seen.runs.values())

    @property
    def done(self) -> int:
        return len(self.seen.done)


@dataclass(frozen=True)
class Course:
    """Makes runs, breaks what the plan says, and watches, until nothing is left to be done."""

    place: Place
    world: World
    hands: Hands
    record: Record
    say: Callable[[str], None]

    async def run(self) -> None:
        began = time.monotonic()
        beside = (
            *(self._watch(kind) for kind in (EXECUTION, JOB, POD)),
            self._keep_operator(),
            self._measure(),
            self._tell(began),
        )
        async with asyncio.TaskGroup() as group:
            breaks = group.create_task(self._break())
            works = [breaks, *(group.create_task(work) for work in beside)]
            await self._make_runs(began + self.record.options.seconds)
            await self._wait_for_the_rest(breaks)
            for each in works:
                each.cancel()
        self.record.seconds = time.monotonic() - began

    # ---- runs -----------------------------------------------------------------------------------

    async def _make_runs(self, deadline: float) -> None:
        """One after the other, but never more at once than the options say."""
        options, record = self.record.options, self.record
        for number, story in enumerate(stories(options.runs, options.seed, options.stories)):
            while len(record.made) - record.done >= options.at_once:
                await asyncio.sleep(0.05)
            if time.monotonic() > deadline:
                self.say(f"{options.seconds:.0f} s are over: no further run")
                return
            await self._make(f"{story.name}-{number}", story.name)

    async def _make(self, name: str, story: str) -> None:
        """Asks again while the API server is away; what it took without an answer is watched."""
        execution = {**make_execution(NAMESPACE, name), "spec": {"agentRef": {"name": story}}}
        while name not in self.record.made:
            try:
                made = await self.world.create(execution)
                self.record.seen.made(name, uid_of(made), story)
                self.record.made.add(name)
            except AlreadyExistsError:
                self.record.made.add(name)
            except UnavailableError:
                await asyncio.sleep(0.2)

    async def _wait_for_the_rest(self, breaks: asyncio.Task[None]) -> None:
        """Until all are done and all is broken that the plan says, or nothing has moved for long.

        The last runs may be quicker than what is broken in their course.
        """
        record, before, moved = self.record, -1, time.monotonic()
        nudged = moved
        while record.done < len(record.made) or not (breaks.done() or self._is_cut_short):
            now = time.monotonic()
            if record.done != before:
                before, moved = record.done, now
            if now - moved > record.options.stuck_seconds:
                return
            if now - max(moved, nudged) > _NUDGE_SECONDS:
                nudged = now
                await asyncio.to_thread(self._nudge)
                with suppress(WorldError):
                    # What went between a list and the watch after it was told to nobody.
                    await self._look_anew(EXECUTION)
            await asyncio.sleep(0.1)

    @property
    def _is_cut_short(self) -> bool:
        """Time was over before all were made: the plan is not carried out to its end."""
        return len(self.record.made) < self.record.options.runs

    def _nudge(self) -> None:
        """Touches pods that live: kwok, killed between two looks, may wait for a change of them.

        Not those that have ended: the operator must have heard of them without help.
        """
        mark = f"soak/nudged={time.monotonic_ns()}"
        alive = "--field-selector=status.phase!=Succeeded,status.phase!=Failed"
        self.place.kubectl.run("-n", NAMESPACE, "annotate", "pods", alive, "--overwrite", mark)

    # ---- looking --------------------------------------------------------------------------------

    async def _watch(self, kind: Kind) -> None:
        while True:
            try:
                await self._look_anew(kind)
                async for change in self.world.watch(kind, Selection(namespace=NAMESPACE)):
                    self.record.seen.see(kind, change)
                    if kind == POD:
                        self.hands.see_pod(change)
            except WorldError:
                await asyncio.sleep(0.2)

    async def _look_anew(self, kind: Kind) -> None:
        """A watch that begins brings what is there, and does not tell what went before it."""
        seen = self.record.seen
        if kind == POD:
            seen.forget_live_pods()
        if kind == EXECUTION:
            known = set(seen.runs)
            found = self.world.list(EXECUTION, Selection(namespace=NAMESPACE))
            seen.compare(known, {uid_of(each) async for each in found})

    async def _measure(self) -> None:
        while True:
            self.record.meter.add(self.record.done, self.place.measure_operator())
            await asyncio.sleep(1)

    async def _tell(self, began: float) -> None:
        record = self.record
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            seconds = time.monotonic() - began
            self.say(
                f"{seconds:6.0f} s  {record.done} of {record.options.runs} done, "
                f"{len(record.made) - record.done} on the way, {record.done / seconds:.1f}/s, "
                f"{record.meter.words}"
            )

    # ---- breaking -------------------------------------------------------------------------------

    async def _break(self) -> None:
        record = self.record
        for restart in plan_restarts(record.options.runs):
            if restart.part in self.place.parts:
                while record.done < restart.at:
                    await asyncio.sleep(0.05)
                await self.place.restart(restart.part, record.restarts[restart.part])
                record.restarts[restart.part] += 1

    async def _keep_operator(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            if self.place.revive_operator():
                self.record.ended_by_itself += 1
                self.say("the operator ended by itself; it is started again")
