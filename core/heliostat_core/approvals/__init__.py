"""The Approval resource: an action that waits for a person, and what people decided."""

from heliostat_core.approvals.approval import (
    MOST_DECISIONS,
    MOST_QUORUM,
    OPEN,
    Action,
    Approval,
    ApprovalSpec,
    ApprovalState,
    ApprovalStatus,
    Claim,
    Decision,
    ExecutionRef,
    Fact,
    Receipt,
    Resolution,
)
from heliostat_core.approvals.decisions import (
    API_PREFIX,
    Outcome,
    Requester,
    decide,
    is_of_api,
)
from heliostat_core.approvals.reasons import ApprovalReason
from heliostat_core.approvals.transitions import (
    claim,
    leave,
    lose,
    receive,
    resolve,
    settle,
    withdraw,
)
from heliostat_policy.classes import ActionClass

__all__ = [
    "API_PREFIX",
    "MOST_DECISIONS",
    "MOST_QUORUM",
    "OPEN",
    "Action",
    "ActionClass",
    "Approval",
    "ApprovalReason",
    "ApprovalSpec",
    "ApprovalState",
    "ApprovalStatus",
    "Claim",
    "Decision",
    "ExecutionRef",
    "Fact",
    "Outcome",
    "Receipt",
    "Requester",
    "Resolution",
    "claim",
    "decide",
    "is_of_api",
    "leave",
    "lose",
    "receive",
    "resolve",
    "settle",
    "withdraw",
]
