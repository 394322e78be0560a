"""The controller of Executions brings each one step at a time as far as it can go.

A step is: observe → decide → apply → one status write if it changed.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import BlockedBy, Execution, ExecutionStatus
from heliostat_core.names import EXECUTION_ANNOTATION
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    JOB,
    POD,
    Change,
    ConflictError,
    ForbiddenError,
    InvalidError,
    Kind,
    NotFoundError,
    Ref,
    UnavailableError,
    World,
    WorldError,
)
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.effects import Effect, SnapshotAgent
from heliostat_operator.model.indexes import ScheduledRuns, UnfinishedRuns
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import Follower
from heliostat_operator.network.network_policies import network_policies_of
from heliostat_operator.queues import Queues
from heliostat_operator.runs.caches import (
    FreshExecution,
    FreshExecutions,
    OwnWrites,
    PendingJobUids,
)
from heliostat_operator.runs.concurrency import ConcurrencyLimiter, limiter_of
from heliostat_operator.runs.effect_runner import (
    Applied,
    EffectRunner,
    NameTakenError,
    read_version,
)
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Frozen, Observation
from heliostat_operator.runs.observe import Observer, observer_of
from heliostat_operator.runs.status import names_due, with_blocks
from heliostat_operator.settings import OperatorSettings
from heliostat_telemetry.lines import add_to_lines, begin_lines

# Steps that ask for another at once; a run passes through fewer, more would be a loop of our own.
_MOST_STEPS = 12


@dataclass(frozen=True)
class _Step:
    """What a step leaves: the Execution (None when it is gone), and when to look again.

    `recorded` is what is frozen when the step recorded a new attempt.
    """

    execution: Execution | None
    again_after: float | None
    recorded: Frozen | None = None


class ExecutionReconciler:
    """Brings one Execution as far as it can go now."""

    def __init__(
        self,
        world: World,
        observer: Observer,
        effect_runner: EffectRunner,
        limiter: ConcurrencyLimiter,
        settings: OperatorSettings,
        clock: Callable[[], datetime],
        own_writes: OwnWrites | None = None,
        followers: Sequence[Follower] = (),
    ) -> None:
        self._world = world
        self._observer = observer
        self._effect_runner = effect_runner
        self._limiter = limiter
        self._settings = settings
        self._clock = clock
        self._own_writes = own_writes or OwnWrites()
        self._followers = followers
        self._pending_uids = PendingJobUids()

    async def reconcile(self, key: Key, arrival: FreshExecution | None = None) -> float | None:
        """In how many seconds to look again, or None for not before something changes.

        `arrival` is the Execution as the watch has just brought it; without one it is read.
        """
        try:
            delay = await self._reconcile(key, arrival)
        except UnavailableError:
            raise  # the admission may have arrived: its slot stays held until we know
        except Exception:
            self._limiter.release(key)
            raise
        self._limiter.release(key)
        return delay

    async def _reconcile(self, key: Key, arrival: FreshExecution | None) -> float | None:
        execution = arrival.execution if arrival else await self._read(key)
        arrived = arrival.at if arrival else None
        recorded: Frozen | None = None
        for _ in range(_MOST_STEPS):
            if execution is None:
                self._limiter.forget_execution(key)
                self._pending_uids.forget(key)
                return None
            try:
                step = await self._step(execution, arrived, recorded)
            except ConflictError:
                return 0  # it changed since it was read: look again at what it is now
            if step.again_after is None or step.again_after > 0:
                return step.again_after
            execution, recorded = step.execution, step.recorded
        return 1.0

    async def _read(self, key: Key) -> Execution | None:
        found = await self._world.get(Ref(EXECUTION, *key))
        return Execution.model_validate(found) if found is not None else None

    async def _step(
        self, execution: Execution, arrived: float | None, recorded: Frozen | None
    ) -> _Step:
        add_to_lines(correlationId=execution.correlation_id)
        known = self._pending_uids.recall(execution)
        seen = await self._observer.observe(known, arrived=arrived, recorded=recorded)
        decision = decide(known, seen, self._clock(), self._settings)
        try:
            applied = await self._apply(execution, decision.effects)
        except (NameTakenError, InvalidError, ForbiddenError) as error:
            await self._tell(execution, error)
            raise
        status = applied.in_status(decision.status)
        wait = self._names_wait(execution, status)
        if wait > 0:
            self._pending_uids.keep(execution, status)
            again = wait if decision.again_after is None else min(wait, decision.again_after)
            return _Step(execution, again)
        written = await self._write(execution, status, applied)
        if written is not None:
            self._limiter.see_execution(written)
            self._tell_followers(execution, written)
        progressed = bool(applied.revoked) and decision.again_after is not None
        again_after = 0 if progressed else decision.again_after
        if len(status.attempts) > len(execution.status.attempts):
            return _Step(written, again_after, _frozen(decision.effects, seen))
        return _Step(written, again_after)

    def _tell_followers(self, before: Execution, after: Execution) -> None:
        if after.status == before.status:
            return
        for follower in self._followers:
            follower(before, after)

    async def _apply(self, execution: Execution, effects: tuple[Effect, ...]) -> Applied:
        applied = await self._effect_runner.apply(execution, effects)
        for version in applied.versions:
            self._own_writes.expect(version)
        return applied

    def _names_wait(self, execution: Execution, status: ExecutionStatus) -> float:
        """In how many seconds this change has to be written; 0 for now."""
        if status == execution.status:
            return 0
        due = names_due(execution.status, status)
        return (due - self._clock()).total_seconds() if due else 0

    async def _write(
        self, execution: Execution, status: ExecutionStatus, applied: Applied
    ) -> Execution | None:
        """The Execution after the write, or None when it is gone."""
        meta = execution.metadata
        if status == execution.status:
            if applied.resource_version == meta.resource_version:
                return execution
            return await self._read((meta.namespace, meta.name))
        return await self._patch(meta, applied.resource_version, status)

    async def _tell(self, execution: Execution, error: WorldError) -> None:
        """What the API server refuses is for people to mend: its words stand in the status."""
        meta = execution.metadata
        found = await self._world.get(Ref(EXECUTION, meta.namespace, meta.name))
        if found is None or execution.is_finished:
            return
        fresh = Execution.model_validate(found)
        block = BlockedBy(reason=BlockedReason.REFUSED, message=str(error)[:1024])
        status = with_blocks(fresh.status, block)
        if status != fresh.status:
            await self._patch(meta, fresh.metadata.resource_version, status)

    async def _patch(
        self, meta: ObjectMeta, resource_version: str, status: ExecutionStatus
    ) -> Execution | None:
        try:
            patched = await self._world.patch_status(
                {
                    "apiVersion": EXECUTION.api_version,
                    "kind": EXECUTION.name,
                    "metadata": {
                        "name": meta.name,
                        "namespace": meta.namespace,
                        "resourceVersion": resource_version,
                    },
                    "status": status.to_json(),
                }
            )
        except NotFoundError:
            return None
        written = Execution.model_validate(patched)
        self._own_writes.expect(written.metadata.resource_version)
        return written


def _frozen(effects: tuple[Effect, ...], seen: Observation) -> Frozen | None:
    """What the attempts of the run have in common, as it was just frozen or read."""
    for each in effects:
        if isinstance(each, SnapshotAgent):
            return Frozen(each.spec, each.charge)
    return Frozen(seen.frozen, seen.charge) if seen.frozen else None


class RunIndex(Protocol):
    """Is told of every unfinished run that the watch shows."""

    def see(self, execution: Execution) -> None: ...

    def forget(self, key: Key) -> None: ...

    def known(self) -> frozenset[Key]: ...

    def keep_only(self, before: frozenset[Key], executions: Iterable[Key]) -> None: ...


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
        queues: Queues,
        clock: Callable[[], datetime],
        depth: int,
    ) -> None:
        super().__init__(depth)
        self._reconciler = reconciler
        self._observer = observer
        self._limiter = limiter
        self._own_writes = own_writes
        self._scheduled = scheduled
        self._indexes: tuple[RunIndex, ...] = (unfinished, scheduled)
        self._queues = queues
        self._clock = clock
        self._fresh = FreshExecutions(time.monotonic)
        self._overheard: dict[Key, list[str]] = {}  # versions seen while a look goes on

    # ---- wakes ----------------------------------------------------------------------------------

    def changed(self, kind: Kind, change: Change) -> None:
        """An Execution wakes itself, its schedule and its Agent; a Job or a pod its Execution."""
        if kind == EXECUTION:
            self._execution_changed(change)
            return
        meta = ObjectMeta.model_validate(change.object.get("metadata"))
        name = meta.annotations.get(EXECUTION_ANNOTATION)
        if name and self._is_news((meta.namespace, name), meta.resource_version):
            self._queues.add(self.name, (meta.namespace, name))

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
        was_known, is_gone = key in self._limiter, change.type == "DELETED"
        agent = (key[0], execution.spec.agent_ref.name)
        if is_gone:
            self._forget(key)
        else:
            self._limiter.see_execution(execution)
            for each in self._indexes:
                each.see(execution)
        if is_gone or execution.is_finished or execution.is_offer:
            self._queues.add("schedule", agent, urgent=execution.is_offer)
        if was_known and key not in self._limiter:
            self._give_slot_on()
        if self._is_news(key, execution.metadata.resource_version):
            if not is_gone:
                self._fresh.bring(key, execution)
            self._queues.add(self.name, key)
        self._queues.add_rested("agent", agent)

    def _forget(self, key: Key) -> None:
        self._limiter.forget_execution(key)
        for each in self._indexes:
            each.forget(key)
        self._fresh.forget(key)
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

    # ---- work -----------------------------------------------------------------------------------

    async def reconcile(self, key: Key) -> float | None:
        """One look at an Execution, from what the watch has just brought where that serves."""
        begin_lines(execution="/".join(key))
        was_known = key in self._limiter
        try:
            delay = await self._reconciler.reconcile(key, self._fresh.take(key))
            if was_known and key not in self._limiter:
                self._give_slot_on()
            return delay
        finally:
            overheard = [self._own_writes.heard(each) for each in self._overheard.pop(key, ())]
            if not all(overheard):
                self._queues.add(self.name, key)

    def _give_slot_on(self) -> None:
        for key in self._limiter.granted(self._clock()):
            self._queues.add(self.name, key)


def build(context: Context) -> Sequence[Controller]:
    """The controller of Executions."""
    world, settings, clock = context.world, context.settings, context.clock
    limiter, observer, own_writes = limiter_of(context), observer_of(context), OwnWrites()
    runner = EffectRunner(
        world, context.gateway, context.signer, network_policies_of(context), settings, clock
    )
    return [
        ExecutionController(
            ExecutionReconciler(
                world, observer, runner, limiter, settings, clock, own_writes, context.followers
            ),
            observer,
            limiter,
            own_writes,
            context.shared(ScheduledRuns, ScheduledRuns),
            context.shared(UnfinishedRuns, UnfinishedRuns),
            context.queues,
            clock,
            settings.workers,
        )
    ]
