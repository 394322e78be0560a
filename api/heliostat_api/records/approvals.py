"""Records of asks: what is kept of an Approval beyond the resource, and what is told: pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from heliostat_api.base.ask_views import (
    ActionReceiptView,
    ApprovalReportView,
    ApprovalView,
    DecisionView,
    FactView,
)
from heliostat_api.documents.port import OWNER, Document, Fields
from heliostat_api.documents.values import count_in, map_in, text_in
from heliostat_api.documents.writes import size_of
from heliostat_api.events.log import Report, ReportType
from heliostat_api.people.topics import is_nobodys, topic_of_approvers, topics_of_owner_field
from heliostat_api.people.visibility import UNOWNED
from heliostat_api.records.fields import LIVE, REVISION, SPEC, VIEW
from heliostat_api.records.subjects import (
    MOST_RECORD_BYTES,
    Subject,
    as_json,
    revision_in,
    revision_of,
)
from heliostat_core.approvals import OPEN, Approval, ApprovalState
from heliostat_core.approvals.approval import Fact
from heliostat_core.approvals.decisions import read_written

APPROVERS: Final = "approvers"
"""Field: the namespace whose approvers may decide, too; empty where only the owner may."""
SHORT_FACT: Final = 256
"""Characters of a fact in lists and reports: an ask may have 64 KiB of them."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_GRANTED: Final = (
    ApprovalState.GRANTED,
    ApprovalState.CLAIMED,
    ApprovalState.DONE,
    ApprovalState.OUTCOME_UNKNOWN,
)
_REPORTS: Final[Mapping[str, ReportType]] = {
    ApprovalState.DONE: ReportType.APPROVAL_EXECUTED,
    ApprovalState.OUTCOME_UNKNOWN: ReportType.APPROVAL_OUTCOME_UNKNOWN,
}


def subject_of_approval(approval: Approval, run: Document, now: datetime) -> Subject:
    """The record of an ask as it is now. `run` is the record of the run that asks: whose that is,
    the ask is."""
    meta, owner = approval.metadata, str(run.fields[OWNER])
    view = view_resource(approval, run)
    subject = Subject(
        path=f"approvals/{meta.uid}",
        revision=revision_of(meta),
        fields={
            OWNER: owner,
            UNOWNED: is_nobodys(owner),
            APPROVERS: view.namespace if view.approvers else "",
            "execution": view.execution,
            "agentId": view.agent_id,
            "agentName": view.agent,
            "namespace": view.namespace,
            "name": view.name,
            "createdAt": view.created_time,
            REVISION: revision_of(meta),
            LIVE: True,
            **_state_of(view),
        },
        report=report_of(view, now),
        audiences=_audiences(owner, view),
    )
    if size_of(subject.path, subject.fields) <= MOST_RECORD_BYTES:
        return subject
    return Subject(
        subject.path,
        subject.revision,
        {**subject.fields, **_state_of(shortened(view))},
        subject.report,
        subject.audiences,
    )


def subject_of_gone_ask(document: Document, now: datetime) -> Subject:
    """The last record of an ask whose resource was deleted, from the one before.

    What was still to be decided is withdrawn; what may have happened stays unknown.
    """
    view = view_approval(document)
    revision = revision_in(document) + (document.fields.get(LIVE) is True)
    if view.is_open:
        view = view.model_copy(update=_gone(view.state))
    fields: Fields = {**_state_of(view), LIVE: False, REVISION: revision}
    audiences = _audiences(str(document.fields[OWNER]), view)
    return Subject(document.path, revision, fields, report_of(view, now), audiences)


def _gone(state: str) -> Mapping[str, object]:
    may_have_happened = state in (ApprovalState.CLAIMED, ApprovalState.OUTCOME_UNKNOWN)
    ends_as = ApprovalState.OUTCOME_UNKNOWN if may_have_happened else ApprovalState.WITHDRAWN
    message = "The Approval was deleted before its end was seen."
    return {"state": ends_as.value, "reason": "Deleted", "message": message, "is_open": False}


def _audiences(owner: str, view: ApprovalView) -> tuple[str, ...]:
    approvers = (topic_of_approvers(view.namespace),) if view.approvers else ()
    return (*topics_of_owner_field(owner), *approvers)


def _state_of(view: ApprovalView) -> Fields:
    """Fields that a deletion changes too."""
    return {"state": view.state, "isOpen": view.is_open, VIEW: as_json(view)}


def view_approval(document: Document) -> ApprovalView:
    """What was recorded, with its facts whole. Whose it is, the document says: that may move."""
    is_owned = not is_nobodys(text_in(document.fields, OWNER))
    return ApprovalView.model_validate(
        {**map_in(document.fields, VIEW), "isOwned": is_owned},
    )


def shortened(view: ApprovalView) -> ApprovalView:
    """As lists and reports have it."""
    return view.model_copy(update={"facts": tuple(map(_shortened, view.facts))})


def _shortened(fact: FactView) -> FactView:
    if len(fact.value) <= SHORT_FACT:
        return fact
    return FactView(name=fact.name, value=fact.value[:SHORT_FACT], is_cut=True)


def report_of(view: ApprovalView, now: datetime) -> Report:
    """What a change of an ask means to a screen."""
    payload = ApprovalReportView(
        **shortened(view).model_dump(exclude={"result"}),
        ask_id=view.id,
        risk_level="RED",
        decision=_decision_of(view),
        result=view.state,
    )
    return Report(_type_of(view), now, as_json(payload), view.correlation_id, view.execution)


def _type_of(view: ApprovalView) -> ReportType:
    if view.state == ApprovalState.PENDING and not view.decisions:
        return ReportType.APPROVAL_ASKED
    return _REPORTS.get(view.state, ReportType.APPROVAL_DECIDED)


def _decision_of(view: ApprovalView) -> Literal["approve", "deny"] | None:
    """Of all together: one no refuses, and yes is said once enough said it."""
    if any(each.decision == "Deny" for each in view.decisions):
        return "deny"
    return "approve" if view.state in _GRANTED else None


def view_resource(approval: Approval, run: Document) -> ApprovalView:
    """What people see of an Approval; what the operator has not said yet is empty."""
    meta, spec, status = approval.metadata, approval.spec, approval.status
    owner, order = str(run.fields[OWNER]), map_in(run.fields, SPEC)
    written, state = read_written(meta.managed_fields), approval.state
    return ApprovalView(
        id=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        execution=spec.execution_ref.uid,
        execution_name=spec.execution_ref.name,
        agent=text_in(run.fields, "agentName"),
        agent_id=text_in(run.fields, "agentId"),
        correlation_id=text_in(run.fields, "correlationId"),
        requested_by=text_in(order, "requestedBy"),
        state=state.value,
        reason=status.reason,
        message=status.message,
        tool=spec.action.tool,
        action_class=spec.action.class_.value,
        target=spec.action.target,
        digest=spec.action.digest,
        is_complete=spec.action.complete,
        facts=view_facts(spec.action.facts),
        quorum=spec.quorum,
        counted=len(status.counted),
        requester_may_approve=spec.requester_may_approve,
        decisions=tuple(
            DecisionView(
                by=each.by,
                decision=each.decision,
                reason=each.reason,
                time=written[each.by].time if each.by in written else None,
            )
            for each in spec.decisions
        ),
        created_time=meta.creation_timestamp or _EPOCH,
        expires_time=spec.expires_time,
        decided_time=status.decided_time,
        claimed_attempt=status.claim.attempt if status.claim else None,
        receipt=_view_receipt(approval),
        cost_micros=count_in(run.fields, "costMicros"),
        is_open=state in (*OPEN, ApprovalState.OUTCOME_UNKNOWN),
        approvers=needs_others(approval) or is_nobodys(owner),
        is_owned=not is_nobodys(owner),
    )


def needs_others(approval: Approval) -> bool:
    """Whether the owner alone can't grant it."""
    return approval.spec.quorum > 1 or not approval.spec.requester_may_approve


def view_facts(facts: Sequence[Fact]) -> tuple[FactView, ...]:
    """All of them, whole."""
    return tuple(FactView(name=each.name, value=each.value) for each in facts)


def _view_receipt(approval: Approval) -> ActionReceiptView | None:
    receipt = approval.status.receipt
    if receipt is None:
        return None
    return ActionReceiptView(time=receipt.time, source=receipt.source, text=receipt.text)
