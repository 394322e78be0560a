"""Why an ask is in its state: `status.reason`, part of the API as the reasons of conditions are."""

from heliostat_core.conditions import Documented


class ApprovalReason(Documented):
    """Reasons of an Approval's state. The table in docs/conditions.md is generated from here."""

    NOBODY_DECIDED = "NobodyDecided", "Pending: nobody has decided yet."
    QUORUM_MISSING = "QuorumMissing", "Pending: more persons must say yes."
    NO_DECISION_COUNTS = (
        "NoDecisionCounts",
        "Pending: whoever said yes may not decide on this ask; the message says why.",
    )
    INCOMPLETE_ACTION = (
        "IncompleteAction",
        "Pending: the whole action could not be shown, so that it can only be denied.",
    )
    REQUESTER_UNKNOWN = (
        "RequesterUnknown",
        "Pending: another person than the requester must decide, and `spec.requestedBy` of the "
        "Execution is empty. It can only be denied.",
    )
    APPROVED = "Approved", "Granted: enough persons said yes in time."
    CLAIMED = "Claimed", "Claimed: one attempt of the run holds it and may do the action."
    RECEIVED = "Received", "Done: a receipt says that the action was done."
    HAPPENED = "Happened", "Done: a person found out that the action took place."
    NO_RECEIPT = (
        "NoReceipt",
        "OutcomeUnknown: the attempt that held it is gone and left no receipt.",
    )
    GRANT_UNUSED = (
        "GrantUnused",
        "Withdrawn: the attempt that held it ended without doing it; it may be asked for again.",
    )
    DENIED = "Denied", "Denied: a person said no."
    DID_NOT_HAPPEN = (
        "DidNotHappen",
        "Denied: a person found out that the action did not take place; it may be asked for again.",
    )
    EXPIRED = "Expired", "Expired: not enough persons said yes before `expiresTime`."
    EXECUTION_CANCELLED = "ExecutionCancelled", "Withdrawn: the run was cancelled."
    EXECUTION_DELETED = "ExecutionDeleted", "Withdrawn: the run was deleted."
    EXECUTION_FINISHED = "ExecutionFinished", "Withdrawn: the run ended without the answer."
