"""The reconciler brings one Execution step by step as far as it can go now.

A step is: observe → decide → apply → one status write if it changed.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import BlockedBy, Execution, ExecutionStatus
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import (
    EXECUTION,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NamespaceTerminatingError,
    NotFoundError,
    Ref,
    UnavailableError,
    World,
    WorldError,
)
from heliostat_operator.model.effects import Effect, SnapshotAgent, StopAttempt
from heliostat_operator.model.keys import Key
from heliostat_operator.model.meters import Follower
from heliostat_operator.runs.admission import NAMESPACE_TERMINATING
from heliostat_operator.runs.caches import (
    FreshExecution,
    OwnWrites,
    PendingJobUids,
    TerminatingNamespaces,
)
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.effect_runner import Applied, EffectRunner, NameTakenError
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Frozen, Observation
from heliostat_operator.runs.observe import Observer
from heliostat_operator.runs.status import names_due, with_blocks
from heliostat_operator.settings import OperatorSettings
from heliostat_telemetry.lines import add_to_lines

# Steps that ask for another at once; a run passes through fewer, more would be a loop of our own.
_MOST_STEPS = 12
_TERMINATING_SECONDS = 30.0


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
        terminating: TerminatingNamespaces | None = None,
    ) -> None:
        self._terminating = terminating or TerminatingNamespaces(time.monotonic)
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
        """Returns in how many seconds to look again, or None for not before something changes.

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
        except NamespaceTerminatingError:
            return await self._leave(execution)
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
        # What stops waits for its pod, however dead its key is.
        stops = any(isinstance(each, StopAttempt) for each in decision.effects)
        progressed = bool(applied.revoked) and decision.again_after is not None and not stops
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
        """Returns in how many seconds this change has to be written; 0 for now."""
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
            if applied.marked is None:
                return execution
            if applied.marked.is_finished:
                self._pending_uids.forget((meta.namespace, meta.name))
            return applied.marked
        return await self._patch(meta, applied.resource_version, status)

    async def _leave(self, execution: Execution) -> _Step:
        """Gives up in a namespace that is being deleted: no further try, for this run or
        another of it. The deletion of the Execution itself wakes it."""
        self._terminating.note(execution.metadata.namespace)
        await self._write_block(execution, NAMESPACE_TERMINATING)
        return _Step(None, _TERMINATING_SECONDS)

    async def _tell(self, execution: Execution, error: WorldError) -> None:
        """What the API server refuses is for people to mend: its words stand in the status."""
        block = BlockedBy(reason=BlockedReason.REFUSED, message=str(error)[:1024])
        await self._write_block(execution, block)

    async def _write_block(self, execution: Execution, block: BlockedBy) -> None:
        meta = execution.metadata
        found = await self._world.get(Ref(EXECUTION, meta.namespace, meta.name))
        if found is None or execution.is_finished:
            return
        fresh = Execution.model_validate(found)
        status = with_blocks(fresh.status, block)
        if status == fresh.status:
            return
        written = await self._patch(meta, fresh.metadata.resource_version, status)
        if written is not None:
            self._limiter.see_execution(written)

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
