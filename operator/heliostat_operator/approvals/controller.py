"""The controller of asks wakes them by what people decide, and by the end of their runs."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from heliostat_core.approvals import OPEN, Approval, ApprovalState
from heliostat_core.names import CLAIM_FINALIZER
from heliostat_core.worlds import APPROVAL, Change, Kind, WorldError
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.policy_check import find_authority
from heliostat_operator.approvals.reconciler import ApprovalReconciler
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.indexes import OpenAsks
from heliostat_operator.model.keys import Key
from heliostat_operator.queues import Queues
from heliostat_telemetry.lines import begin_lines


class ApprovalController(Controller):
    """Its keys are asks. Their runs wake them, too: the controller of Executions sees to it."""

    name = "approval"
    kinds = (APPROVAL,)

    def __init__(
        self,
        reconciler: ApprovalReconciler,
        authority_of: Callable[[str], Awaitable[Authority]],
        asks: OpenAsks,
        queues: Queues,
        namespace: str,
        depth: int,
    ) -> None:
        """`namespace` is the operator's own."""
        super().__init__(depth)
        self._authority_of = authority_of
        self._namespace = namespace
        self._reconciler = reconciler
        self._asks = asks
        self._queues = queues

    def changed(self, kind: Kind, change: Change) -> None:  # noqa: ARG002 - it watches one kind
        """An ask wakes itself."""
        if change.type == "DELETED":
            self._asks.forget(change.key)
            return
        approval = Approval.model_validate(change.object)
        self._asks.see(approval)
        if not _is_over(approval):
            self._queues.add(self.name, change.key)

    async def reconcile(self, key: Key) -> float | None:
        """One look at an ask."""
        begin_lines(approval="/".join(key))
        return await self._reconciler.reconcile(key)

    async def begin(self) -> None:
        """Says at once, in the log, if the admission policy is not in force."""
        with suppress(WorldError):
            await self._authority_of(self._namespace)

    def begin_resync(self) -> Callable[[Listed], None]:
        """Those that a full list no longer shows are not kept."""
        before = self._asks.known()

        def end(listed: Listed) -> None:
            self._asks.keep_only(before, listed[APPROVAL])

        return end


def _is_over(approval: Approval) -> bool:
    """Whether an ask has ended and all of that is written: thousands may be kept with their runs,
    and each resync brings them."""
    may_change = approval.state in (*OPEN, ApprovalState.OUTCOME_UNKNOWN)
    is_held = CLAIM_FINALIZER in approval.metadata.finalizers
    return not may_change and not is_held and bool(approval.status.message)


def build(context: Context) -> Sequence[Controller]:
    """The controller of asks."""
    settings, authority_of = context.settings, partial(find_authority, context)
    reconciler = ApprovalReconciler(
        context.world, authority_of, context.clock, settings.resync_seconds
    )
    return [
        ApprovalController(
            reconciler,
            authority_of,
            context.shared(OpenAsks, OpenAsks),
            context.queues,
            settings.namespace,
            max(1, settings.workers // 4),
        )
    ]
