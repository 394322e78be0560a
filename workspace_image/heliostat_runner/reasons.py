"""Why an attempt ended: the table that runner, operator and docs/runner.md share.

`ENDINGS` is the only place where a reason gets its exit code and its cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Who has to act; None in an `Ending` means that nobody has to."""

    AGENT = "agent"
    INFRASTRUCTURE = "infrastructure"
    LIMIT = "limit"
    CONFIGURATION = "configuration"
    APPROVAL = "approval"


class Reason(StrEnum):
    VERIFIED = "Verified"
    UNVERIFIED = "Unverified"
    AGENT_ERROR = "AgentError"
    EMPTY_RESULT = "EmptyResult"
    REFUSAL = "Refusal"
    COMMAND_FAILED = "CommandFailed"
    VERIFICATION_FAILED = "VerificationFailed"
    TURN_LIMIT_REACHED = "TurnLimitReached"
    COST_LIMIT_REACHED = "CostLimitReached"
    TOKEN_LIMIT_REACHED = "TokenLimitReached"
    TIMED_OUT = "TimedOut"
    STALLED = "Stalled"
    RUN_DOCUMENT_INVALID = "RunDocumentInvalid"
    RUNTIME_MISSING = "RuntimeMissing"
    KEY_REFUSED = "KeyRefused"
    MODEL_UNAVAILABLE = "ModelUnavailable"
    PROVIDER_FAILED = "ProviderFailed"
    AWAITING_APPROVAL = "AwaitingApproval"
    GUARD_BYPASSED = "GuardBypassed"
    TERMINATED = "Terminated"


@dataclass(frozen=True)
class Ending:
    exit_code: int
    cause: Cause | None


_SUCCEEDED = Ending(0, None)
_AGENT = Ending(10, Cause.AGENT)
_LIMIT = Ending(12, Cause.LIMIT)
_CONFIGURATION = Ending(14, Cause.CONFIGURATION)

ENDINGS: Mapping[Reason, Ending] = {
    Reason.VERIFIED: _SUCCEEDED,
    Reason.UNVERIFIED: _SUCCEEDED,
    Reason.AGENT_ERROR: _AGENT,
    Reason.EMPTY_RESULT: _AGENT,
    Reason.REFUSAL: _AGENT,
    Reason.COMMAND_FAILED: _AGENT,
    Reason.VERIFICATION_FAILED: Ending(11, Cause.AGENT),
    Reason.TURN_LIMIT_REACHED: _LIMIT,
    Reason.COST_LIMIT_REACHED: _LIMIT,
    Reason.TOKEN_LIMIT_REACHED: _LIMIT,
    Reason.TIMED_OUT: _LIMIT,
    Reason.STALLED: Ending(13, Cause.AGENT),
    Reason.RUN_DOCUMENT_INVALID: _CONFIGURATION,
    Reason.RUNTIME_MISSING: _CONFIGURATION,
    Reason.KEY_REFUSED: _CONFIGURATION,
    Reason.MODEL_UNAVAILABLE: _CONFIGURATION,
    Reason.PROVIDER_FAILED: Ending(15, Cause.INFRASTRUCTURE),
    Reason.AWAITING_APPROVAL: Ending(16, Cause.APPROVAL),
    Reason.GUARD_BYPASSED: Ending(17, Cause.AGENT),
    Reason.TERMINATED: Ending(143, Cause.INFRASTRUCTURE),
}


@dataclass(frozen=True)
class Verdict:
    """A reason and one sentence for people, with the remedy."""

    reason: Reason
    message: str
