"""Claims say which attempt may do what was granted, and what became of it.

A claim stands in the Execution's status first, then in the Approval's, and only then does an
attempt get a grant. What was claimed and not told of is never repeated by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.approvals import (
    Approval,
    ApprovalReason,
    ApprovalState,
    ApprovalStatus,
    Receipt,
    claim,
    leave,
    lose,
    receive,
    withdraw,
)
from heliostat_core.executions import Ask, AskState, Attempt, Execution, ExecutionStatus
from heliostat_operator.model.effects import Answers, Decided, Effect
from heliostat_operator.runs.ask_status import (
    moved_ask,
    with_answer,
    with_ask,
    with_waiting,
    write_approval,
)
from heliostat_operator.runs.asks import MOST_RUN_ASKS
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.diagnosis import diagnose
from heliostat_operator.runs.facts import Ended, Facts, may_act
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.results import PodReceipt
from heliostat_operator.runs.status import Stamp, with_blocks

GRANT_SECONDS = 600
NOTHING_DECIDED = Answers()


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
    answers: Answers = NOTHING_DECIDED
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
        ask = moved_ask(ask, AskState.WITHDRAWN, "GrantLost")
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
    return ClaimStep(status, write_approval(approval, written), _answers(status, grant))


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
        return with_ask(status, moved_ask(ask, AskState.DONE, "Received", text)), effects
    said_nothing = receipts is not None and not found
    if said_nothing or _was_never_given(approval) or _never_ran(attempt, facts):
        effects = _settled(approval, lambda of: _unused(of, stamp.now))
        return with_ask(status, moved_ask(ask, AskState.WITHDRAWN, "GrantUnused")), effects
    unknown = moved_ask(ask, AskState.OUTCOME_UNKNOWN, ApprovalReason.NO_RECEIPT)
    expires = approval.spec.expires_time if approval else stamp.now
    status = with_waiting(with_ask(status, unknown), unknown, expires, stamp)
    # Nobody is asked what came of it while a process of the attempt may still do it.
    return status, () if may_act(facts.pod) else _settled(approval, lose)


def _settled(
    approval: Approval | None, move: Callable[[Approval], ApprovalStatus | None]
) -> tuple[Effect, ...]:
    return write_approval(approval, move(approval)) if approval else ()


def _unused(approval: Approval, now: datetime) -> ApprovalStatus | None:
    """The claim may not have reached the Approval."""
    return leave(approval, now) or withdraw(approval, ApprovalReason.GRANT_UNUSED, now)


def _was_never_given(approval: Approval | None) -> bool:
    """The Approval says Claimed before any grant lies in a Secret."""
    return approval is not None and approval.state is ApprovalState.GRANTED


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


def receipts_of(ended: Ended | None) -> tuple[PodReceipt, ...] | None:
    """The pod's word about its grant; None where there is none."""
    return ended.result.receipts if ended and ended.result else None


def with_denials(message: str, ended: Ended) -> str:
    """How a run ended, with how many of its actions were denied."""
    denied = ended.result.denied if ended.result else 0
    if not denied:
        return message
    return f"{message} {denied} action{'s were' if denied > 1 else ' was'} denied."


def close_asks(before: Execution, decision: Decision, seen: Observation, stamp: Stamp) -> Decision:
    """A run that ends wants nothing any more; what it was allowed to do may have happened."""
    status = decision.status
    after = before.model_copy(update={"status": status})
    if not status.asks or before.is_finished or not after.is_finished:
        return decision
    effects: tuple[Effect, ...] = ()
    attempt = after.current_attempt
    if attempt is not None:
        found = diagnose(seen.facts)
        receipts = receipts_of(found if isinstance(found, Ended) else None)
        status, effects = settle_claim(status, attempt, receipts, seen.facts, seen.approval, stamp)
    asks = tuple(_closed(each) for each in status.asks or ())
    status = with_blocks(with_answer(status, stamp).model_copy(update={"asks": asks}))
    return Decision(status, (*decision.effects, *effects), decision.again_after)


def _closed(ask: Ask) -> Ask:
    if ask.state in (AskState.OPEN, AskState.GRANTED):
        return moved_ask(ask, AskState.WITHDRAWN, "ExecutionFinished")
    return ask
