"""Parks a run that asks: what people are asked, what it waits for, what follows from an answer."""

from datetime import datetime

from heliostat_core.approvals import Approval, ApprovalReason, ApprovalSpec, ApprovalState, lose
from heliostat_core.approvals import ExecutionRef as AskingRun
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Ask, AskState, Attempt, Execution, ExecutionStatus
from heliostat_operator.model.effects import DeleteSecret, Effect, MakeApproval, StopAttempt
from heliostat_operator.runs.ask_status import (
    moved_ask,
    with_answer,
    with_ask,
    with_waiting,
    write_approval,
)
from heliostat_operator.runs.asks import CheckedAsk
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Leftover
from heliostat_operator.runs.leftover_jobs import STOP_GRACE_SECONDS
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.status import Stamp, compute_finished, with_blocks

_SOON = 1.0
_WATCHED_SECONDS = 5.0
_LONGEST_LOOK = 300.0


# ---- asking --------------------------------------------------------------------------------------


def park(
    execution: Execution, status: ExecutionStatus, attempt: Attempt, asked: CheckedAsk, stamp: Stamp
) -> tuple[ExecutionStatus, tuple[Effect, ...]]:
    """Records what the attempt asked for, and has people asked."""
    known = status.asks or ()
    if any(each.digest == asked.digest and each.state is AskState.DONE for each in known):
        return status, ()  # the next attempt is told what came of it
    ask = Ask(
        name=asked.name,
        digest=asked.digest,
        tool_use_id=asked.tool_use_id,
        attempt=attempt.number,
    )
    if asked.refused:
        denied = moved_ask(ask, AskState.DENIED, "RefusedUnasked", asked.refused)
        return with_ask(status, denied), ()
    meta = execution.metadata
    spec = ApprovalSpec(
        execution_ref=AskingRun(name=meta.name, uid=meta.uid),
        action=asked.action,
        quorum=asked.quorum,
        expires_time=asked.expires_time,
        requester_may_approve=asked.requester_may_approve,
    )
    status = with_waiting(with_ask(status, ask), ask, asked.expires_time, stamp)
    return status, (MakeApproval(ask.name, spec),)


# ---- waiting and answers -------------------------------------------------------------------------


def decide_parked(
    execution: Execution, status: ExecutionStatus, last: Attempt, seen: Observation, stamp: Stamp
) -> Decision | None:
    """What is to be done before a run that asked may go on; None when it may.

    Nothing of the attempt that ended is left: what it was granted could else be done late.
    """
    ask = execution.unresolved_ask
    if ask is None and last.cause != "approval":
        return None
    clean = _remove(last, seen.left)
    decision = _follow(status, ask, seen.approval, seen.left, stamp) if ask else None
    if decision is not None:
        return Decision(
            decision.status, (*clean, *decision.effects), _sooner(decision.again_after, seen.left)
        )
    if seen.left.may_act or clean:
        return Decision(status, clean, _SOON if seen.left.may_act else 0)
    return None


def _sooner(again_after: float | None, left: Leftover) -> float | None:
    if left.is_gone or again_after is None:
        return again_after
    return min(again_after, _WATCHED_SECONDS)


def _remove(last: Attempt, left: Leftover) -> tuple[Effect, ...]:
    """Deletes what is there of the attempt. Its pod has ended, or its grant is lost anyway."""
    effects: list[Effect] = []
    meta = left.pod.metadata if left.pod else None
    leaves = meta is not None and meta.deletion_timestamp is not None
    if left.job_uid is not None or (meta is not None and not leaves):
        effects.append(
            StopAttempt(
                job_name=last.job_name,
                job_uid=left.job_uid,
                pod_name=meta.name if meta and not leaves else None,
                pod_uid=meta.uid if meta and not leaves else None,
                grace_seconds=STOP_GRACE_SECONDS,
            )
        )
    if left.has_secret:
        effects.append(DeleteSecret(last))
    return tuple(effects)


def _follow(
    status: ExecutionStatus, ask: Ask, approval: Approval | None, left: Leftover, stamp: Stamp
) -> Decision | None:
    """What follows from the Approval; None when its grant can be claimed."""
    if approval is None:
        return _gone(status, ask, stamp)
    ask = ask.model_copy(update={"uid": approval.metadata.uid})
    expires = approval.spec.expires_time
    match approval.state:
        case ApprovalState.PENDING:
            return _wait(status, moved_ask(ask, AskState.OPEN, ""), expires, stamp)
        case ApprovalState.GRANTED if ask.state is AskState.GRANTED:
            return None
        case ApprovalState.GRANTED:
            return _goes_on(status, moved_ask(ask, AskState.GRANTED, "Approved"), stamp)
        case ApprovalState.DENIED | ApprovalState.DONE | ApprovalState.WITHDRAWN:
            return _goes_on(status, _resolved(ask, approval), stamp)
        case ApprovalState.EXPIRED:
            return _expired(status, ask, stamp)
        case ApprovalState.CLAIMED:
            return _unknown(status, ask, approval, left, stamp)
        case ApprovalState.OUTCOME_UNKNOWN:
            return _wait_for_outcome(status, ask, expires, stamp)


def _resolved(ask: Ask, approval: Approval) -> Ask:
    reason = approval.status.reason
    if approval.state is ApprovalState.DENIED:
        return moved_ask(ask, AskState.DENIED, reason, _denial(approval))
    if approval.state is ApprovalState.DONE:
        return moved_ask(ask, AskState.DONE, reason, _receipt_text(approval))
    return moved_ask(ask, AskState.WITHDRAWN, reason)


def _wait(status: ExecutionStatus, ask: Ask, expires: datetime, stamp: Stamp) -> Decision:
    """The watch tells of a decision; the expiry is looked for as well."""
    left = (expires - stamp.now).total_seconds()
    again = min(max(left, _WATCHED_SECONDS), _LONGEST_LOOK)
    return Decision(with_waiting(with_ask(status, ask), ask, expires, stamp), again_after=again)


def _goes_on(status: ExecutionStatus, ask: Ask, stamp: Stamp) -> Decision:
    status = with_blocks(with_answer(with_ask(status, ask), stamp))
    return Decision(status, again_after=0)


def _expired(status: ExecutionStatus, ask: Ask, stamp: Stamp) -> Decision:
    ask = moved_ask(ask, AskState.EXPIRED, "Expired")
    words = (
        f"Nobody approved {ask.name!r} in time; the action did not take place. Run it again, or "
        "raise spec.approvals.expireSeconds of the Agent."
    )
    return _failed(with_ask(status, ask), FinishedReason.APPROVAL_EXPIRED, words, stamp)


def _wait_for_outcome(
    status: ExecutionStatus, ask: Ask, expires: datetime, stamp: Stamp
) -> Decision:
    ask = moved_ask(ask, AskState.OUTCOME_UNKNOWN, ApprovalReason.NO_RECEIPT)
    if stamp.now < expires:
        return _wait(status, ask, expires, stamp)
    words = (
        f"The action of {ask.name!r} was allowed, its pod went without a receipt, and nobody found "
        "out in time whether it took place. Find out before you run it again."
    )
    return _failed(with_ask(status, ask), FinishedReason.OUTCOME_UNKNOWN, words, stamp)


def _unknown(
    status: ExecutionStatus, ask: Ask, approval: Approval, left: Leftover, stamp: Stamp
) -> Decision:
    """Claimed, and the attempt that has it is over. Nobody is asked what came of it while a process
    of that attempt may still do it."""
    effects = () if left.may_act else write_approval(approval, lose(approval))
    waiting = _wait_for_outcome(status, ask, approval.spec.expires_time, stamp)
    return Decision(waiting.status, effects, waiting.again_after)


def _gone(status: ExecutionStatus, ask: Ask, stamp: Stamp) -> Decision:
    """The Approval was deleted, or is another run's. What nobody claimed is asked for again."""
    if ask.state is not AskState.OUTCOME_UNKNOWN:
        return _goes_on(status, moved_ask(ask, AskState.WITHDRAWN, "ApprovalDeleted"), stamp)
    words = (
        f"The action of {ask.name!r} was allowed, its pod went without a receipt, and its Approval "
        "was deleted, so that nobody can say whether it took place."
    )
    return _failed(status, FinishedReason.OUTCOME_UNKNOWN, words, stamp)


def _failed(status: ExecutionStatus, reason: FinishedReason, words: str, stamp: Stamp) -> Decision:
    return Decision(compute_finished(status, stamp, False, reason, words), again_after=0)


def _denial(approval: Approval) -> str:
    """What the person said who denied it."""
    if approval.status.reason == ApprovalReason.DID_NOT_HAPPEN:
        return "A person found out that it did not take place."
    said = [each.reason for each in approval.spec.decisions if each.decision == "Deny"]
    return next((each for each in said if each), "A person denied it.")


def _receipt_text(approval: Approval) -> str:
    receipt = approval.status.receipt
    return receipt.text if receipt else ""
