"""One Execution, one step at a time: observe → decide → apply → one status write if it changed."""

from collections.abc import Callable
from datetime import datetime

from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import BlockedBy, Execution, ExecutionStatus
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import (
    EXECUTION,
    ConflictError,
    ForbiddenError,
    InvalidError,
    JsonObject,
    NotFoundError,
    Ref,
    UnavailableError,
    World,
    WorldError,
)
from heliostat_operator.effects import Applier, Effects, NameTakenError
from heliostat_operator.lifecycle import decide
from heliostat_operator.observe import Observer
from heliostat_operator.seats import Board, Key
from heliostat_operator.settings import OperatorSettings
from heliostat_operator.status import with_blocks

# Steps that ask for another at once; a run passes through fewer, more would be a loop of our own.
_MOST_STEPS = 12


class ExecutionReconciler:
    """Brings one Execution as far as it can go now."""

    def __init__(
        self,
        world: World,
        observer: Observer,
        applier: Applier,
        board: Board,
        settings: OperatorSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._world = world
        self._observer = observer
        self._applier = applier
        self._board = board
        self._settings = settings
        self._clock = clock

    async def reconcile(self, key: Key) -> float | None:
        """In how many seconds to look again, or None for not before something changes."""
        try:
            delay = await self._reconcile(key)
        except UnavailableError:
            raise  # the admission may have arrived: its seat stays held until we know
        except Exception:
            self._board.let_go(key)
            raise
        self._board.let_go(key)
        return delay

    async def _reconcile(self, key: Key) -> float | None:
        found = await self._world.get(Ref(EXECUTION, *key))
        for _ in range(_MOST_STEPS):
            if found is None:
                self._board.forget_execution(key)
                return None
            execution = Execution.model_validate(found)
            try:
                found, again_after = await self._step(execution)
            except ConflictError:
                return 0  # it changed since it was read: look again at what it is now
            if again_after is None or again_after > 0:
                return again_after
        return 1.0

    async def _step(self, execution: Execution) -> tuple[JsonObject | None, float | None]:
        seen = await self._observer.observe(execution)
        decision = decide(execution, seen, self._clock(), self._settings)
        try:
            effects = await self._applier.apply(execution, decision.actions)
        except (NameTakenError, InvalidError, ForbiddenError) as error:
            await self._tell(execution, error)
            raise
        status = effects.in_status(decision.status)
        written = await self._write(execution, status, effects)
        if written is not None:
            self._board.see_execution(Execution.model_validate(written))
        progressed = bool(effects.revoked) and decision.again_after is not None
        return written, 0 if progressed else decision.again_after

    async def _write(
        self, execution: Execution, status: ExecutionStatus, effects: Effects
    ) -> JsonObject | None:
        """The Execution after the write, or None when it is gone."""
        meta = execution.metadata
        if status == execution.status:
            if effects.resource_version == meta.resource_version:
                return execution.to_json()
            return await self._world.get(Ref(EXECUTION, meta.namespace, meta.name))
        return await self._patch(meta, effects.resource_version, status)

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
    ) -> JsonObject | None:
        try:
            return await self._world.patch_status(
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
