"""Parks a run that asks: what it waits for, what follows from an answer, what is claimed by whom.

A claim stands in the Execution's status first, then in the Approval's, and only then does an
attempt get a grant. What was claimed and not told of is never repeated by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.approvals import (
    Approval,
    ApprovalReason,
    ApprovalSpec,
    ApprovalState,
    ApprovalStatus,
    Receipt,
    claim,
    lose,
    receive,
)
from heliostat_core.approvals import ExecutionRef as AskingRun
from heliostat_core.conditions import (
    AwaitingReason,
    BlockedReason,
    ExecutionCondition,
    FinishedReason,
    find_condition,
)
from heliostat_core.executions import Ask, AskState, Attempt, BlockedBy, Execution, ExecutionStatus
from heliostat_operator.model.effects import (
    Answers,
    Decided,
    DeleteSecret,
    Effect,
    MakeApproval,
    StopAttempt,
    WriteApproval,
)
from heliostat_operator.runs.asks import MOST_RUN_ASKS, CheckedAsk
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Ended, Facts, Leftover
from heliostat_operator.runs.leftover_jobs import STOP_GRACE_SECONDS
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.results import PodReceipt
from heliostat_operator.runs.status import (
    Stamp,
    compute_finished,
    with_blocks,
    with_condition,
)

GRANT_SECONDS = 600
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
        denied = _moved(ask, AskState.DENIED, "TooManyOpenAsks", asked.refused)
        return with_ask(status, denied), ()
    meta = execution.metadata
    spec = ApprovalSpec(
        execution_ref=AskingRun(name=meta.name, uid=meta.uid),
        action=asked.action,
        quorum=asked.quorum,
        expires_time=asked.expires_time,
        requester_may_approve=asked.requester_may_approve,
    )
    status = _waiting(with_ask(status, ask), ask, asked.expires_time, stamp)
    return status, (MakeApproval(ask.name, spec),)


def with_ask(status: ExecutionStatus, ask: Ask) -> ExecutionStatus:
    """The ask put in its place, or at the end."""
    known = status.asks or ()
    if any(each.name == ask.name for each in known):
        asks = tuple(ask if each.name == ask.name else each for each in known)
    else:
        asks = (*known, ask)
    return status.model_copy(update={"asks": asks})


def _moved(ask: Ask, state: AskState, reason: str, message: str = "") -> Ask:
    return ask.model_copy(update={"state": state, "reason": reason[:64], "message": message[:1024]})


def _waiting(status: ExecutionStatus, ask: Ask, expires: datetime, stamp: Stamp) -> ExecutionStatus:
    """`AwaitingApproval`: True while people have something to say or to find out."""
    if ask.state is AskState.OUTCOME_UNKNOWN:
        reason = AwaitingReason.OUTCOME_UNKNOWN
        words = (
            f"Nobody knows whether the action of Approval {ask.name!r} took place: its pod is gone "
            "without a receipt. Find out, and say so with heliostat resolve; it is never repeated "
            "by itself."
        )
    else:
        reason = AwaitingReason.ASKED
        words = (
            f"Approval {ask.name!r} waits for a decision: heliostat approve or heliostat deny. "
            "Without one the run ends as ApprovalExpired."
        )
    status = with_condition(
        status, stamp, ExecutionCondition.AWAITING_APPROVAL, "True", reason, words
    )
    block = BlockedBy(reason=BlockedReason.AWAITING_APPROVAL, message=words, estimated_time=expires)
    return with_blocks(status, block)


def _answered(status: ExecutionStatus, stamp: Stamp) -> ExecutionStatus:
    if find_condition(status.conditions, ExecutionCondition.AWAITING_APPROVAL) is None:
        return status
    return with_condition(
        status, stamp, ExecutionCondition.AWAITING_APPROVAL, "False", AwaitingReason.ANSWERED
    )


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
    decision = _follow(status, ask, seen.approval, stamp) if ask else None
    if decision is not None:
        return Decision(
            decision.status, (*clean, *decision.effects), _sooner(decision.again_after, seen.left)
        )
    if not seen.left.is_gone:
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
    status: ExecutionStatus, ask: Ask, approval: Approval | None, stamp: Stamp
) -> Decision | None:
    """What follows from the Approval; None when its grant can be claimed."""
    if approval is None:
        return _gone(status, ask, stamp)
    ask = ask.model_copy(update={"uid": approval.metadata.uid})
    expires = approval.spec.expires_time
    match approval.state:
        case ApprovalState.PENDING:
            return _wait(status, ask, expires, stamp)
        case ApprovalState.GRANTED if ask.state is AskState.GRANTED:
            return None
        case ApprovalState.GRANTED:
            return _goes_on(status, _moved(ask, AskState.GRANTED, "Approved"), stamp)
        case ApprovalState.DENIED:
            denied = _moved(ask, AskState.DENIED, approval.status.reason, _denial(approval))
            return _goes_on(status, denied, stamp)
        case ApprovalState.DONE:
            done = _moved(ask, AskState.DONE, approval.status.reason, _receipt_text(approval))
            return _goes_on(status, done, stamp)
        case ApprovalState.WITHDRAWN:
            return _goes_on(status, _moved(ask, AskState.WITHDRAWN, approval.status.reason), stamp)
        case ApprovalState.EXPIRED:
            return _expired(status, ask, stamp)
        case ApprovalState.CLAIMED:
            return _unknown(status, ask, approval, stamp)
        case ApprovalState.OUTCOME_UNKNOWN:
            return _wait_for_outcome(status, ask, expires, stamp)


def _wait(status: ExecutionStatus, ask: Ask, expires: datetime, stamp: Stamp) -> Decision:
    """The watch tells of a decision; the expiry is looked for as well."""
    left = (expires - stamp.now).total_seconds()
    again = min(max(left, _WATCHED_SECONDS), _LONGEST_LOOK)
    return Decision(_waiting(with_ask(status, ask), ask, expires, stamp), again_after=again)


def _goes_on(status: ExecutionStatus, ask: Ask, stamp: Stamp) -> Decision:
    status = with_blocks(_answered(with_ask(status, ask), stamp))
    return Decision(status, again_after=0)


def _expired(status: ExecutionStatus, ask: Ask, stamp: Stamp) -> Decision:
    ask = _moved(ask, AskState.EXPIRED, "Expired")
    words = (
        f"Nobody approved {ask.name!r} in time; the action did not take place. Run it again, or "
        "raise spec.approvals.expireSeconds of the Agent."
    )
    return _failed(with_ask(status, ask), FinishedReason.APPROVAL_EXPIRED, words, stamp)


def _wait_for_outcome(
    status: ExecutionStatus, ask: Ask, expires: datetime, stamp: Stamp
) -> Decision:
    ask = _moved(ask, AskState.OUTCOME_UNKNOWN, ApprovalReason.NO_RECEIPT)
    if stamp.now < expires:
        return _wait(status, ask, expires, stamp)
    words = (
        f"The action of {ask.name!r} was allowed, its pod went without a receipt, and nobody found "
        "out in time whether it took place. Find out before you run it again."
    )
    return _failed(with_ask(status, ask), FinishedReason.OUTCOME_UNKNOWN, words, stamp)


def _unknown(status: ExecutionStatus, ask: Ask, approval: Approval, stamp: Stamp) -> Decision:
    """Claimed, and no attempt of which we know has it: whatever that was, it is not repeated."""
    lost = lose(approval)
    effects = _write(approval, lost)
    waiting = _wait_for_outcome(status, ask, approval.spec.expires_time, stamp)
    return Decision(waiting.status, effects, waiting.again_after)


def _gone(status: ExecutionStatus, ask: Ask, stamp: Stamp) -> Decision:
    """The Approval was deleted, or is another run's. What nobody claimed is asked for again."""
    if ask.state is not AskState.OUTCOME_UNKNOWN:
        return _goes_on(status, _moved(ask, AskState.WITHDRAWN, "ApprovalDeleted"), stamp)
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


def _write(approval: Approval, status: ApprovalStatus | None) -> tuple[Effect, ...]:
    if status is None or status == approval.status:
        return ()
    meta = approval.metadata
    return (WriteApproval(meta.name, meta.resource_version, status),)


# ---- claims --------------------------------------------------------------------------------------


def with_claim(status: ExecutionStatus, number: int) -> ExecutionStatus:
    """The next attempt claims what was granted; its record and the claim are one write."""
    granted = next((each for each in status.asks or () if each.state is AskState.GRANTED), None)
    if granted is None:
        return status
    return with_ask(status, granted.model_copy(update={"claimed_by": number}))


@dataclass(frozen=True)
class ClaimStep:
    """What goes before the start of an attempt: the claim, and what its guard is told.

    `lost` is set when the attempt must not start: nobody could say what came of its grant.
    """

    status: ExecutionStatus
    effects: tuple[Effect, ...] = ()
    answers: Answers = Answers()
    lost: Ask | None = None


def decide_claim(
    status: ExecutionStatus, attempt: Attempt, approval: Approval | None, stamp: Stamp
) -> ClaimStep:
    """Claims for the attempt that is about to start."""
    ask = claimed_ask(status, attempt.number)
    if ask is None:
        return ClaimStep(status, answers=_answers(status, None))
    if approval is None:
        return ClaimStep(status, lost=ask)
    written = claim(approval, attempt.number, stamp.now)
    if written is None:  # never claimed by this attempt, so that it was never given the grant
        ask = _moved(ask, AskState.WITHDRAWN, "GrantLost")
        status = with_ask(status, ask)
        return ClaimStep(status, answers=_answers(status, None))
    grant = Decided(
        uid=approval.metadata.uid,
        name=ask.name,
        digest=ask.digest,
        tool_use_id=ask.tool_use_id,
        decision="Approve",
        expires=attempt.created_time + timedelta(seconds=GRANT_SECONDS),
    )
    status = with_ask(status, ask.model_copy(update={"uid": approval.metadata.uid}))
    return ClaimStep(status, _write(approval, written), _answers(status, grant))


def claimed_ask(status: ExecutionStatus, number: int) -> Ask | None:
    """The ask that the attempt of that number has claimed, and that nothing is known of yet."""
    return next(
        (
            each
            for each in status.asks or ()
            if each.state is AskState.GRANTED and each.claimed_by == number
        ),
        None,
    )


def _answers(status: ExecutionStatus, grant: Decided | None) -> Answers:
    told = [_told(each) for each in status.asks or ()]
    decided = [each for each in told if each is not None]
    asked = sum(each.cause == "approval" for each in status.attempts)
    return Answers(
        (*decided, *((grant,) if grant else ())), asks_left=max(0, MOST_RUN_ASKS - asked)
    )


def _told(ask: Ask) -> Decided | None:
    """What every further attempt is told of an ask. Of one that did not happen it is told nothing:
    it may be asked for again."""
    is_denied = ask.state is AskState.DENIED and ask.reason != ApprovalReason.DID_NOT_HAPPEN
    if not is_denied and ask.state is not AskState.DONE:
        return None
    return Decided(
        uid=ask.uid or "",
        name=ask.name,
        digest=ask.digest,
        tool_use_id=ask.tool_use_id,
        decision="Deny" if is_denied else "Done",
        reason=ask.message if is_denied else "",
        receipt="" if is_denied else ask.message,
    )


# ---- ends ----------------------------------------------------------------------------------------


def settle_claim(
    status: ExecutionStatus,
    attempt: Attempt,
    receipts: tuple[PodReceipt, ...] | None,
    facts: Facts,
    approval: Approval | None,
    stamp: Stamp,
) -> tuple[ExecutionStatus, tuple[Effect, ...]]:
    """What became of the grant of an attempt that is over. `receipts` are None when the pod left no
    word: then nobody knows."""
    ask = claimed_ask(status, attempt.number)
    if ask is None:
        return status, ()
    found = [each for each in receipts or () if each.digest == ask.digest]
    if found and found[-1].outcome != "Committed":
        text = found[-1].text[:1024]
        receipt = Receipt(time=stamp.now, source="Pod", text=text)
        effects = _settled(approval, lambda of: receive(of, receipt))
        return with_ask(status, _moved(ask, AskState.DONE, "Received", text)), effects
    if (receipts is not None and not found) or _never_ran(attempt, facts):
        effects = _settled(approval, lambda of: _unused(of, stamp.now))
        return with_ask(status, _moved(ask, AskState.WITHDRAWN, "GrantUnused")), effects
    unknown = _moved(ask, AskState.OUTCOME_UNKNOWN, ApprovalReason.NO_RECEIPT)
    expires = approval.spec.expires_time if approval else stamp.now
    return _waiting(with_ask(status, unknown), unknown, expires, stamp), _settled(approval, lose)


def _settled(
    approval: Approval | None, move: Callable[[Approval], ApprovalStatus | None]
) -> tuple[Effect, ...]:
    return _write(approval, move(approval)) if approval else ()


def _unused(approval: Approval, now: datetime) -> ApprovalStatus | None:
    """The grant was never used, by the word of the pod or because it never ran. It is not given to
    another attempt: the action may be asked for again, and a person sees that."""
    if approval.state not in (ApprovalState.CLAIMED, ApprovalState.GRANTED):
        return None
    return approval.status.model_copy(
        update={
            "state": ApprovalState.WITHDRAWN,
            "reason": "GrantUnused",
            "message": "The attempt that claimed it ended without doing it.",
            "decided_time": now,
        }
    )


def _never_ran(attempt: Attempt, facts: Facts) -> bool:
    """Whether no container of the attempt ever started: no node had its pod, or the kubelet says
    that it could not start it."""
    pod = facts.pod
    if pod is None or attempt.start_time is not None or pod.container.running is not None:
        return False
    ended = pod.container.terminated
    if ended is not None:
        return ended.started_at is None
    return pod.is_over and not pod.spec.node_name


def close_asks(
    before: Execution, decision: Decision, ended: Ended | None, seen: Observation, stamp: Stamp
) -> Decision:
    """A run that ends wants nothing any more; what it was allowed to do may have happened."""
    status = decision.status
    after = before.model_copy(update={"status": status})
    if not status.asks or before.is_finished or not after.is_finished:
        return decision
    effects: tuple[Effect, ...] = ()
    attempt = after.current_attempt
    if attempt is not None:
        receipts = ended.result.receipts if ended and ended.result else None
        status, effects = settle_claim(status, attempt, receipts, seen.facts, seen.approval, stamp)
    asks = tuple(_closed(each) for each in status.asks or ())
    status = with_blocks(_answered(status, stamp).model_copy(update={"asks": asks}))
    return Decision(status, (*decision.effects, *effects), decision.again_after)


def _closed(ask: Ask) -> Ask:
    if ask.state in (AskState.OPEN, AskState.GRANTED):
        return _moved(ask, AskState.WITHDRAWN, "ExecutionFinished")
    return ask
