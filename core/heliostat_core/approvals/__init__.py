"""The Approval resource: an action that waits for a person, and what people decided."""

from heliostat_core.approvals.approval import (
    MOST_DECISIONS,
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
    said_times,
)
from heliostat_policy.classes import ActionClass

__all__ = [
    "API_PREFIX",
    "MOST_DECISIONS",
    "OPEN",
    "Action",
    "ActionClass",
    "Approval",
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
    "decide",
    "said_times",
]
