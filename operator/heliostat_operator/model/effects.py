"""Effects are what a decision wants done; each may be repeated after any crash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import SecretStr

from heliostat_core.agents import AgentSpec
from heliostat_core.approvals import Approval, ApprovalSpec, ApprovalStatus
from heliostat_core.executions import Attempt


@dataclass(frozen=True)
class Charge:
    """The person, empty for none, and the gateway's budgets that all attempts of a run count on."""

    user: str = ""
    budgets: tuple[str, ...] = ()


NOBODY = Charge()


@dataclass(frozen=True)
class HoldExecution:
    """Puts our finalizer and labels on the Execution."""


@dataclass(frozen=True)
class ReleaseExecution:
    """Takes our finalizer off; marks the Execution as finished, and Jobs and pods of those
    attempts."""

    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class SnapshotAgent:
    """Keeps the Agent's spec as it is now, and who is charged, for all attempts of the run."""

    spec: AgentSpec
    agent_uid: str
    charge: Charge = NOBODY


@dataclass(frozen=True)
class Decided:
    """What the guard of an attempt is told of an ask. At most one of an attempt is `Approve`."""

    uid: str
    name: str
    digest: str
    tool_use_id: str
    decision: Literal["Approve", "Deny", "Done"]
    reason: str = ""
    receipt: str = ""
    expires: datetime | None = None


@dataclass(frozen=True)
class Answers:
    """What an attempt's guard knows of the run's asks: the answers, and how many are left."""

    decided: tuple[Decided, ...] = ()
    asks_left: int = 0


@dataclass(frozen=True)
class StartAttempt:
    """Makes the Secret, the claim where one is wanted, and the Job."""

    attempt: Attempt
    frozen: AgentSpec
    timeout_seconds: int
    resume_session: str | None
    charge: Charge = NOBODY
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    """Values of Secret Manager by variable; printed, an effect shows stars in their place."""
    answers: Answers = Answers()


@dataclass(frozen=True)
class RevokeKey:
    """Has the gateway refuse an attempt's key and end its streams."""

    attempt: Attempt


@dataclass(frozen=True)
class StopAttempt:
    """Deletes the pod directly with a short grace, then the Job."""

    job_name: str
    job_uid: str | None
    pod_name: str | None
    pod_uid: str | None
    grace_seconds: int


@dataclass(frozen=True)
class DeleteSecret:
    """Deletes the Secret of an attempt that is over."""

    attempt: Attempt


@dataclass(frozen=True)
class MakeApproval:
    """Asks people for an action of the run; an Approval of that name for the very same action may
    be there already."""

    name: str
    spec: ApprovalSpec


@dataclass(frozen=True)
class WriteApproval:
    """Writes how far an Approval is, if it is still as it was read."""

    approval: Approval
    status: ApprovalStatus


@dataclass(frozen=True)
class TellAgent:
    """Writes an Event on the Agent, for what the Execution itself can't tell any more."""

    reason: str
    message: str


Effect = (
    HoldExecution
    | ReleaseExecution
    | SnapshotAgent
    | StartAttempt
    | RevokeKey
    | StopAttempt
    | DeleteSecret
    | MakeApproval
    | WriteApproval
    | TellAgent
)
