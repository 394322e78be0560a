"""Steps of a status that are about asks, and the write of an Approval's."""

from datetime import datetime

from heliostat_core.approvals import Approval, ApprovalStatus
from heliostat_core.conditions import (
    AwaitingReason,
    BlockedReason,
    ExecutionCondition,
    find_condition,
)
from heliostat_core.executions import Ask, AskState, BlockedBy, ExecutionStatus
from heliostat_operator.model.effects import Effect, WriteApproval
from heliostat_operator.runs.status import Stamp, with_blocks, with_condition


def with_ask(status: ExecutionStatus, ask: Ask) -> ExecutionStatus:
    """The ask put in its place, or at the end."""
    known = status.asks or ()
    if any(each.name == ask.name for each in known):
        asks = tuple(ask if each.name == ask.name else each for each in known)
    else:
        asks = (*known, ask)
    return status.model_copy(update={"asks": asks})


def moved_ask(ask: Ask, state: AskState, reason: str, message: str = "") -> Ask:
    """The ask in another state, with what the agent is told of it."""
    return ask.model_copy(update={"state": state, "reason": reason[:64], "message": message[:1024]})


def with_waiting(
    status: ExecutionStatus, ask: Ask, expires: datetime, stamp: Stamp
) -> ExecutionStatus:
    """`AwaitingApproval`: True while people have something to say or to find out."""
    if ask.state is AskState.OUTCOME_UNKNOWN:
        reason = AwaitingReason.OUTCOME_UNKNOWN
        words = (
            f"Nobody knows whether the action of Approval {ask.name!r} took place: its pod is gone "
            "without a receipt. Find out, and say so in spec.resolution of the Approval; it is "
            "never repeated by itself."
        )
    else:
        reason = AwaitingReason.ASKED
        words = (
            f"Approval {ask.name!r} waits for a decision; its Event says how to decide. Without "
            "one the run ends as ApprovalExpired."
        )
    status = with_condition(
        status, stamp, ExecutionCondition.AWAITING_APPROVAL, "True", reason, words
    )
    block = BlockedBy(reason=BlockedReason.AWAITING_APPROVAL, message=words, estimated_time=expires)
    return with_blocks(status, block)


def with_answer(status: ExecutionStatus, stamp: Stamp) -> ExecutionStatus:
    """`AwaitingApproval`: False, where it was ever True."""
    if find_condition(status.conditions, ExecutionCondition.AWAITING_APPROVAL) is None:
        return status
    return with_condition(
        status, stamp, ExecutionCondition.AWAITING_APPROVAL, "False", AwaitingReason.ANSWERED
    )


def write_approval(approval: Approval, status: ApprovalStatus | None) -> tuple[Effect, ...]:
    """The effect that writes it, none where nothing changes."""
    if status is None or status == approval.status:
        return ()
    return (WriteApproval(approval, status),)
