"""What a decision wants done. Each is idempotent: it may be repeated after any crash."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Attempt
from heliostat_operator.runs.charges import NOBODY, Charge


@dataclass(frozen=True)
class HoldExecution:
    """Put our finalizer and labels on the Execution."""


@dataclass(frozen=True)
class ReleaseExecution:
    """Take our finalizer off; mark the Execution, its Jobs and pods as finished."""


@dataclass(frozen=True)
class FreezeAgent:
    """Keep the Agent's spec as it is now, and who is charged, for all attempts of the run."""

    spec: AgentSpec
    agent_uid: str
    charge: Charge = NOBODY


@dataclass(frozen=True)
class StartAttempt:
    """Make the Secret, the claim where one is wanted, and the Job."""

    attempt: Attempt
    frozen: AgentSpec
    timeout_seconds: int
    resume_session: str | None
    charge: Charge = NOBODY
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    """Values of Secret Manager by variable; whoever prints an action sees stars."""


@dataclass(frozen=True)
class RevokeKey:
    """Have the gateway refuse an attempt's key and end its streams."""

    attempt: Attempt


@dataclass(frozen=True)
class StopAttempt:
    """Delete the pod directly with a short grace, then the Job."""

    job_name: str
    job_uid: str | None
    pod_name: str | None
    pod_uid: str | None
    grace_seconds: int


@dataclass(frozen=True)
class TellAgent:
    """An Event on the Agent, for what the Execution itself can't tell any more."""

    reason: str
    message: str


Action = (
    HoldExecution
    | ReleaseExecution
    | FreezeAgent
    | StartAttempt
    | RevokeKey
    | StopAttempt
    | TellAgent
)
