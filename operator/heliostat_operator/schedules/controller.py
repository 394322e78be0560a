"""The controllers of schedules: one keeps their times, one their triggers outside of the operator.

Both live on the keys of Agents that others put into their queues.
"""

from collections.abc import Callable, Sequence

from heliostat_core.worlds import AGENT, Change, Kind
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.model.keys import Key
from heliostat_operator.queues import Queues
from heliostat_operator.schedules.reconcile import ScheduleReconciler
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_telemetry.lines import begin_lines


class ScheduleController(Controller):
    """Starts what is due. What has a time to keep goes before the work of all others."""

    name = "schedule"
    waits_for_schedules = False

    def __init__(self, reconciler: ScheduleReconciler, queues: Queues, depth: int) -> None:
        super().__init__(depth)
        self._reconciler = reconciler
        self._queues = queues

    def changed(self, kind: Kind, change: Change) -> None:
        """It watches nothing itself."""

    async def reconcile(self, key: Key) -> float | None:
        """One look at the schedule of an Agent."""
        begin_lines(agent="/".join(key))
        again = await self._reconciler.reconcile(key)
        if again is not None:
            self._queues[self.name].add_later(key, again.seconds, urgent=again.is_due)
        return None

    def begin_resync(self) -> Callable[[Listed], None]:
        """Every Agent is looked at."""
        return lambda listed: wake_all(self._queues, self.name, listed)


class TriggerController(Controller):
    """Keeps what fires schedules outside of the operator in step."""

    name = "trigger"

    def __init__(self, reconciler: TriggerReconciler, queues: Queues, depth: int) -> None:
        super().__init__(depth)
        self._reconciler = reconciler
        self._queues = queues

    def changed(self, kind: Kind, change: Change) -> None:
        """It watches nothing itself."""

    async def reconcile(self, key: Key) -> float | None:
        """One look at the triggers of an Agent; the Agent's status tells of what changed."""
        begin_lines(agent="/".join(key))
        before = self._reconciler.setup_of(key)
        delay = await self._reconciler.reconcile(key)
        if self._reconciler.setup_of(key) != before:
            self._queues.add_rested("agent", key)
        return delay

    def begin_resync(self) -> Callable[[Listed], None]:
        """Every Agent is looked at."""
        return lambda listed: wake_all(self._queues, self.name, listed)


def wake_all(queues: Queues, name: str, listed: Listed) -> None:
    """Puts every Agent into a queue."""
    for key in listed[AGENT]:
        queues.add(name, key)


def build(context: Context) -> Sequence[Controller]:
    """The controller of times; that of triggers where the engine was given any."""
    queues, depth = context.queues, context.settings.workers
    triggers = context.find(TriggerReconciler)
    reconciler = ScheduleReconciler(
        context.world,
        context.shared(KnownAgents, KnownAgents),
        context.shared(ScheduledRuns, ScheduledRuns),
        context.clock,
        context.meter.schedules,
        triggers.kinds if triggers else (),
    )
    times = ScheduleController(reconciler, queues, depth)
    if triggers is None:
        return [times]
    return [times, TriggerController(triggers, queues, max(1, depth // 4))]
