"""What becomes of an ask: pure, from what people said, its run, and the time."""

from datetime import datetime

from heliostat_core.approvals import (
    Approval,
    ApprovalReason,
    ApprovalState,
    ApprovalStatus,
    Requester,
    decide,
    lose,
    resolve,
    settle,
    withdraw,
)
from heliostat_core.executions import Execution
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.messages import say_state

HELD = (ApprovalState.GRANTED, ApprovalState.CLAIMED)
"""States with a finalizer: the action may still happen."""


def next_status(
    approval: Approval, execution: Execution | None, authority: Authority, now: datetime
) -> ApprovalStatus:
    """The status that an ask should have; `execution` is None when its run is gone."""
    approval = _believed(approval, authority)
    status = _move(approval, execution, now) or approval.status
    message = say_state(approval.model_copy(update={"status": status}))
    return status.model_copy(update={"message": message})


def _believed(approval: Approval, authority: Authority) -> Approval:
    """What was said while anybody could say it in any name counts no more later."""
    if authority is not Authority.API or approval.state is not ApprovalState.PENDING:
        return approval
    status = approval.status.model_copy(update={"api_only": True})
    return approval.model_copy(update={"status": status})


def _move(approval: Approval, execution: Execution | None, now: datetime) -> ApprovalStatus | None:
    end = find_end(execution)
    match approval.state:
        case ApprovalState.PENDING | ApprovalState.GRANTED if end is not None:
            return withdraw(approval, end, now)
        case ApprovalState.PENDING:
            requester = execution.spec.requested_by if execution else ""
            return settle(approval, decide(approval, Requester(requester or None), now), now)
        case ApprovalState.CLAIMED if execution is None or execution.is_finished:
            return lose(approval)
        case ApprovalState.OUTCOME_UNKNOWN:
            return resolve(approval, now)
    return None


def find_end(execution: Execution | None) -> ApprovalReason | None:
    """Why a run needs no answer any more; None while it waits for one."""
    if execution is None or execution.metadata.deletion_timestamp is not None:
        return ApprovalReason.EXECUTION_DELETED
    if execution.spec.cancel:
        return ApprovalReason.EXECUTION_CANCELLED
    if execution.is_finished or execution.status.cancellation is not None:
        return ApprovalReason.EXECUTION_FINISHED
    return None
