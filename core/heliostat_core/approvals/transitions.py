"""The state machine of an ask: each function gives the status that follows, or None where the ask
is in no state for it. To do the same once more changes nothing.

    Pending -> Granted -> Claimed -> Done
    Pending -> Denied | Expired | Withdrawn, Granted -> Withdrawn
    Claimed -> Withdrawn, when it certainly was not done
    Claimed -> OutcomeUnknown -> Done | Denied, by a person's word

The action may happen only between Claimed and Done: who holds a claim writes it down before
anything else sees the grant.
"""

from datetime import datetime

from heliostat_core.approvals.approval import (
    Approval,
    ApprovalState,
    ApprovalStatus,
    Claim,
    Receipt,
)
from heliostat_core.approvals.decisions import Outcome
from heliostat_core.approvals.reasons import ApprovalReason


def settle(approval: Approval, outcome: Outcome, now: datetime) -> ApprovalStatus | None:
    """A pending ask becomes what `decide` says."""
    if approval.state is not ApprovalState.PENDING:
        return None
    decided_time = None if outcome.state is ApprovalState.PENDING else now
    return _moved(
        approval, outcome.state, outcome.reason, counted=outcome.counted, decided_time=decided_time
    )


def withdraw(approval: Approval, reason: ApprovalReason, now: datetime) -> ApprovalStatus | None:
    """The run needs no answer any more, and nothing was done."""
    match approval.state:
        case ApprovalState.PENDING | ApprovalState.GRANTED:
            return _moved(approval, ApprovalState.WITHDRAWN, reason, decided_time=now)
        case ApprovalState.WITHDRAWN:
            return approval.status
    return None


def claim(approval: Approval, attempt: int, now: datetime) -> ApprovalStatus | None:
    """Of a granted ask: that attempt, and no other, may do the action."""
    held = approval.status.claim
    match approval.state:
        case ApprovalState.GRANTED:
            held = Claim(attempt=attempt, time=now)
            return _moved(approval, ApprovalState.CLAIMED, ApprovalReason.CLAIMED, claim=held)
        case ApprovalState.CLAIMED if held is not None and held.attempt == attempt:
            return approval.status
    return None


def receive(approval: Approval, receipt: Receipt) -> ApprovalStatus | None:
    """The action was done. A receipt may come late; it does not overrule a person's word."""
    match approval.state:
        case ApprovalState.CLAIMED | ApprovalState.OUTCOME_UNKNOWN:
            return _moved(approval, ApprovalState.DONE, ApprovalReason.RECEIVED, receipt=receipt)
        case ApprovalState.DONE:
            return approval.status
    return None


def lose(approval: Approval) -> ApprovalStatus | None:
    """Who claimed it is gone and left no receipt: it may have happened, and is never repeated."""
    match approval.state:
        case ApprovalState.CLAIMED:
            return _moved(approval, ApprovalState.OUTCOME_UNKNOWN, ApprovalReason.NO_RECEIPT)
        case ApprovalState.OUTCOME_UNKNOWN:
            return approval.status
    return None


def leave(approval: Approval, now: datetime) -> ApprovalStatus | None:
    """Who claimed it has ended and certainly did not do it. No other attempt gets the grant: what
    is asked for again is seen by a person again."""
    match approval.state:
        case ApprovalState.CLAIMED:
            reason = ApprovalReason.GRANT_UNUSED
            return _moved(approval, ApprovalState.WITHDRAWN, reason, decided_time=now)
        case ApprovalState.WITHDRAWN:
            return approval.status
    return None


def resolve(approval: Approval, now: datetime) -> ApprovalStatus | None:
    """A person found out what became of it: `spec.resolution`."""
    said = approval.spec.resolution
    if approval.state is not ApprovalState.OUTCOME_UNKNOWN or said is None:
        return None
    if said.outcome == "Happened":
        receipt = Receipt(time=now, source="Person", text=said.reason)
        return _moved(approval, ApprovalState.DONE, ApprovalReason.HAPPENED, receipt=receipt)
    return _moved(approval, ApprovalState.DENIED, ApprovalReason.DID_NOT_HAPPEN)


def _moved(
    approval: Approval, state: ApprovalState, reason: ApprovalReason, **changes: object
) -> ApprovalStatus:
    """The status in another state; what was said of an earlier one is left out."""
    update = {"state": state, "reason": reason, "message": "", **changes}
    return approval.status.model_copy(update=update)
