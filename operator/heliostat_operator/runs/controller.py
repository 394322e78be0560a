"""The controller of Executions wakes them by what happens, and gives free slots on."""

import time
from collections.abc import Callable, Sequence

from heliostat_core.executions import Execution
from heliostat_core.names import EXECUTION_ANNOTATION
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    JOB,
    POD,
    Change,
    Kind,
)
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.indexes import (
    KnownAgents,
    OpenAsks,
    RunIndex,
    ScheduledRuns,
    UnfinishedRuns,
)
from heliostat_operator.model.keys import Key
from heliostat_operator.network.network_policies import network_policies_of
from heliostat_operator.queues import Queues
from heliostat_operator.runs.caches import (
    FreshExecutions,
    OwnWrites,
)
from heliostat_operator.runs.concurrency import ConcurrencyLimiter, limiter_of
from heliostat_operator.runs.effect_runner import (
    EffectRunner,
    read_version,
)
from heliostat_operator.runs.observe import Observer, observer_of, terminating_of
from heliostat_operator.runs.pods import Pod
from heliostat_operator.runs.reconciler import ExecutionReconciler
from heliostat_telemetry.lines import begin_lines


class ExecutionController(Controller):
    """Wakes Executions by their own changes and by those of their Jobs and pods."""

    name = "execution"
    kinds = (EXECUTION, JOB, POD)

    def __init__(
        self,
        reconciler: ExecutionReconciler,
        observer: Observer,
        limiter: ConcurrencyLimiter,
        own_writes: OwnWrites,
        scheduled: ScheduledRuns,
        unfinished: UnfinishedRuns,
        asks: OpenAsks,
        queues: Queues,
        depth: int,
    ) -> None:
        super().__init__(depth)
        self._reconciler = reconciler
        self._observer = observer
        self._limiter = limiter
        self._own_writes = own_writes
        self._scheduled = scheduled
        self._indexes: tuple[RunIndex, ...] = (unfinished, scheduled)
        self._asks = asks
        self._queues = queues
        self._fresh = FreshExecutions(time.monotonic)
        self._overheard: dict[Key, list[str]] = {}  # versions seen while a look goes on
        self._leaving = set[Key]()  # runs that are stopped, whose pod has its grace

    # ---- wakes ----------------------------------------------------------------------------------

    def changed(self, kind: Kind, change: Change) -> None:
        """An Execution wakes itself, its asks, its schedule and its Agent; a Job or a pod its
        Execution."""
        if kind == EXECUTION:
            self._execution_changed(change)
            return
        meta = ObjectMeta.model_validate(change.object.get("metadata"))
        name = meta.annotations.get(EXECUTION_ANNOTATION)
        if not name:
            return
        key = (meta.namespace, name)
        if kind == POD:
            self._observer.see_pod(key, None if change.type == "DELETED" else meta.name)
        tells = self._pod_tells(change, key) if kind == POD else key not in self._leaving
        if tells and self._is_news(key, meta.resource_version):
            self._queues.add(self.name, key)

    def listed(self, kind: Kind, change: Change) -> None:
        """What is listed is looked at, ours or not."""
        self._own_writes.heard(read_version(change.object))
        self.changed(kind, change)

    def may_wait(self, kind: Kind, change: Change) -> bool:
        """The echo of what a schedule just made brings nothing new, and at a tick there are as many
        of them as times that are due."""
        is_untouched = change.type != "DELETED" and not change.object.get("status")
        return kind == EXECUTION and is_untouched and self._scheduled.is_live(change.key)

    def _execution_changed(self, change: Change) -> None:
        key, execution = change.key, Execution.model_validate(change.object)
        is_gone = change.type == "DELETED"
        agent = (key[0], execution.spec.agent_ref.name)
        if is_gone:
            self._forget(key)
        else:
            self._limiter.see_execution(execution)
            for each in self._indexes:
                each.see(execution)
        if is_gone or execution.is_finished or execution.is_offer:
            self._queues.add("schedule", agent, urgent=execution.is_offer)
        self._give_slots_on()
        for ask in self._asks.of(key):
            self._queues.add("approval", ask)
        is_news = self._is_news(key, execution.metadata.resource_version)
        if not is_gone and (is_news or execution.is_stopping):
            self._fresh.bring(key, execution)
        if is_news and not (is_gone and _is_let_go(execution)):
            self._queues.add(self.name, key)
        self._queues.add_rested("agent", agent)

    def _pod_tells(self, change: Change, key: Key) -> bool:
        """Whether a look is due. When the pod of a run that is stopped begins to leave, its end is
        what is waited for, and until then nothing that its Job says matters."""
        self._leaving.discard(key)
        request = self._limiter.request(key)
        if request is None or not request.stopping or change.type == "DELETED":
            return True
        pod = Pod.model_validate(change.object)
        if pod.metadata.deletion_timestamp is None or pod.is_over:
            return True
        self._leaving.add(key)
        return False

    def _forget(self, key: Key) -> None:
        self._limiter.forget_execution(key)
        for each in self._indexes:
            each.forget(key)
        self._fresh.forget(key)
        self._leaving.discard(key)
        self._observer.forget_execution(key)

    def _is_news(self, key: Key, version: str) -> bool:
        """Whether another wrote it. During a look that is not known yet: the watch may be faster
        than the answer to our own write, so the look's end tells."""
        if self._queues[self.name].works_on(key):
            self._overheard.setdefault(key, []).append(version)
            return False
        return not self._own_writes.heard(version)

    def begin_resync(self) -> Callable[[Listed], None]:
        """Drops what a full list no longer shows of what was known before: a watch can miss a
        deletion."""
        before = self._limiter.known()
        indexed = [(each, each.known()) for each in self._indexes]

        def end(listed: Listed) -> None:
            self._limiter.keep_only(before, listed[EXECUTION], listed[AGENT])
            for index, known in indexed:
                index.keep_only(known, listed[EXECUTION])

        return end

    def rank(self, key: Key) -> int:
        """What runs and ends goes before what begins, and that before what only waits on."""
        request = self._limiter.request(key)
        if request is None or not request.queues:
            return 0
        return 1 if request.is_new or self._limiter.is_granted(key) else 2

    # ---- work -----------------------------------------------------------------------------------

    async def reconcile(self, key: Key) -> float | None:
        """One look at an Execution, from what the watch has just brought where that serves."""
        begin_lines(execution="/".join(key))
        before = self._limiter.request(key)
        try:
            return await self._reconciler.reconcile(key, self._fresh.take(key))
        finally:
            self._give_slots_on()
            if before is not None and key not in self._limiter:
                self._queues.add_rested("agent", before.agent)  # it counts what is active
            overheard = [self._own_writes.heard(each) for each in self._overheard.pop(key, ())]
            if not all(overheard):
                self._queues.add(self.name, key)

    def _give_slots_on(self) -> None:
        if not self._limiter.take_freed():
            return
        for key in self._limiter.granted():
            self._queues.add(self.name, key)


def _is_let_go(execution: Execution) -> bool:
    """Whether its end was on record when it went, and it was deleted: nothing is left to do."""
    return execution.is_finished and execution.metadata.deletion_timestamp is not None


def build(context: Context) -> Sequence[Controller]:
    """The controller of Executions."""
    world, settings, clock = context.world, context.settings, context.clock
    limiter, observer, own_writes = limiter_of(context), observer_of(context), OwnWrites()
    runner = EffectRunner(
        world,
        context.gateway,
        context.signer,
        network_policies_of(context),
        settings,
        clock,
        context.shared(KnownAgents, KnownAgents),
    )
    return [
        ExecutionController(
            ExecutionReconciler(
                world,
                observer,
                runner,
                limiter,
                settings,
                clock,
                own_writes,
                context.followers,
                terminating_of(context),
            ),
            observer,
            limiter,
            own_writes,
            context.shared(ScheduledRuns, ScheduledRuns),
            context.shared(UnfinishedRuns, UnfinishedRuns),
            context.shared(OpenAsks, OpenAsks),
            context.queues,
            settings.workers,
        )
    ]
