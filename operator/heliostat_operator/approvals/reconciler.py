"""Brings one ask as far as it can go: observe, decide, tell, write."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from heliostat_core.approvals import Approval, ApprovalState, ApprovalStatus
from heliostat_core.executions import Execution
from heliostat_core.names import CLAIM_FINALIZER
from heliostat_core.worlds import (
    APPROVAL,
    EXECUTION,
    AlreadyExistsError,
    ConflictError,
    NamespaceTerminatingError,
    NotFoundError,
    Ref,
    World,
)
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.decisions import HELD, find_end, next_status
from heliostat_operator.approvals.messages import say_event
from heliostat_operator.builders.approval_objects import build_approval_status, build_hold
from heliostat_operator.builders.events import build_approval_events
from heliostat_operator.model.keys import Key

_WARNINGS = (ApprovalState.EXPIRED, ApprovalState.OUTCOME_UNKNOWN)


class ApprovalReconciler:
    """Keeps the status of asks true."""

    def __init__(
        self,
        world: World,
        authority_of: Callable[[str], Awaitable[Authority]],
        clock: Callable[[], datetime],
        resync_seconds: float,
    ) -> None:
        self._world = world
        self._authority_of = authority_of
        self._clock = clock
        self._resync = resync_seconds

    async def reconcile(self, key: Key) -> float | None:
        """In how many seconds to look again, or None for not by itself."""
        found = await self._world.get(Ref(APPROVAL, *key))
        if found is None:
            return None
        approval = Approval.model_validate(found)
        execution = await self._execution_of(approval)
        authority = await self._authority(approval, execution)
        now = self._clock().replace(microsecond=0)
        status = next_status(approval, execution, authority, now)
        with suppress(ConflictError, NotFoundError):  # its event wakes us again
            await self._apply(approval, execution, status, now)
        if status.state not in (None, ApprovalState.PENDING):
            return None
        left = (approval.spec.expires_time - now).total_seconds()
        return min(max(left, 0.0), self._resync)

    async def _authority(self, approval: Approval, execution: Execution | None) -> Authority:
        """It matters only to what waits for a decision, and takes a request to find out."""
        if approval.state is not ApprovalState.PENDING or find_end(execution) is not None:
            return Authority.API_SERVER
        return await self._authority_of(approval.metadata.namespace)

    async def _execution_of(self, approval: Approval) -> Execution | None:
        """The run that asks; another one of that name is none."""
        ref = approval.spec.execution_ref
        found = await self._world.get(Ref(EXECUTION, approval.metadata.namespace, ref.name))
        execution = Execution.model_validate(found) if found else None
        return execution if execution and execution.metadata.uid == ref.uid else None

    async def _apply(
        self,
        approval: Approval,
        execution: Execution | None,
        status: ApprovalStatus,
        now: datetime,
    ) -> None:
        """What holds an ask is there before the state that needs it, and goes after it."""
        if status.state in HELD:
            approval = await self._hold(approval, held=True)
        after = approval.model_copy(update={"status": status})
        if status != approval.status:
            if status.state != approval.status.state or not approval.status.message:
                await self._tell(after, execution, now)
            written = await self._world.patch_status(build_approval_status(approval, status))
            after = Approval.model_validate(written)
        if status.state not in HELD:
            await self._hold(after, held=False)

    async def _hold(self, approval: Approval, *, held: bool) -> Approval:
        if held == (CLAIM_FINALIZER in approval.metadata.finalizers):
            return approval
        return Approval.model_validate(
            await self._world.apply(build_hold(approval.metadata, held=held))
        )

    async def _tell(self, after: Approval, execution: Execution | None, now: datetime) -> None:
        """Events come before the status: told twice, a name is taken."""
        type_ = "Warning" if after.state in _WARNINGS else "Normal"
        for event in build_approval_events(after, execution, type_, say_event(after), now):
            with suppress(AlreadyExistsError, NamespaceTerminatingError):
                await self._world.create(event)
