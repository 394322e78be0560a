"""What clients see of asks: the shapes of REST and of the stream."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from heliostat_api.base.views import View


class FactView(View):
    """One thing that is true of an action, as data. `isCut`: the value goes on."""

    name: str
    value: str
    is_cut: bool = False


class DecisionView(View):
    """One person's word. `by` is the name that the API server knows, or `heliostat:` with the id
    of a person of this api."""

    by: str
    decision: Literal["Approve", "Deny"]
    reason: str
    time: datetime | None


class ActionReceiptView(View):
    """What came of an action, and whose word that is: Pod, Broker or Person."""

    time: datetime
    source: str
    text: str


class ApprovalView(View):
    """One action that waits for a person, or waited. `execution` is the uid of the run that asks.

    Whoever decides sends the `digest` that they were shown; what is not `isComplete` can only be
    denied. Lists and reports cut long facts: `GET /api/approvals/{ask_id}` has all of them.
    `isOpen`: it is not known yet what becomes of it. `costMicros` is what the run had cost when
    this was seen. One with `approvers` may be decided by the approvers of its namespace, too.
    """

    id: str
    namespace: str
    name: str
    execution: str
    execution_name: str
    agent: str
    agent_id: str
    correlation_id: str
    requested_by: str
    state: str
    reason: str
    message: str
    tool: str
    action_class: str
    target: str
    digest: str
    is_complete: bool
    facts: tuple[FactView, ...]
    quorum: int
    counted: int
    requester_may_approve: bool
    decisions: tuple[DecisionView, ...]
    created_time: datetime
    expires_time: datetime
    decided_time: datetime | None
    claimed_attempt: int | None
    receipt: ActionReceiptView | None
    cost_micros: int
    is_open: bool
    approvers: bool
    is_owned: bool = True


class ApprovalReportView(ApprovalView):
    """Payload of the reports of an ask, with the names of the earlier platform beside ours."""

    ask_id: str = Field(alias="ask_id")
    risk_level: Literal["RED"] = Field("RED", alias="risk_level")
    decision: Literal["approve", "deny"] | None
    result: str
