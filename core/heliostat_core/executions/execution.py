"""The Execution resource: one run of an Agent, and the record that it leaves."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.conditions import (
    Condition,
    ExecutionCondition,
    FinishedReason,
    find_condition,
    is_true,
)
from heliostat_core.executions.asks import MOST_ASKS, Ask
from heliostat_core.executions.spec import (
    SCHEDULED,
    ExecutionSpec,
)
from heliostat_core.names import OFFERED_ANNOTATION
from heliostat_core.resources import (
    Count,
    Generation,
    Instant,
    Line,
    Micros,
    ObjectMeta,
    ObjectName,
    Part,
    ShortText,
    Tokens,
    keyed_by,
    rules,
)

STOPS = (FinishedReason.CANCELLED, FinishedReason.DELETED, FinishedReason.SKIPPED)
"""Reasons of runs that did not fail: somebody stopped them."""

CauseClass = Literal["agent", "infrastructure", "limit", "configuration", "approval"]


class Phase(StrEnum):
    """A view for people, derived from conditions and never read back."""

    PENDING = "Pending"
    STARTING = "Starting"
    RUNNING = "Running"
    RETRYING = "Retrying"
    AWAITING_APPROVAL = "AwaitingApproval"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


class Usage(Part):
    """Tokens by kind, from the gateway's ledger."""

    requests: Annotated[Count, Field(description="Model calls.")] = 0
    input_tokens: Annotated[Tokens, Field(description="Input that was not in the cache.")] = 0
    output_tokens: Annotated[Tokens, Field(description="Output, thinking included.")] = 0
    cache_read_tokens: Annotated[Tokens, Field(description="Input read from the cache.")] = 0
    cache_write_tokens: Annotated[Tokens, Field(description="Input written to the cache.")] = 0


class Attempt(Part):
    """The record of one attempt: one Job, one pod, one execution key."""

    number: Annotated[int, Field(ge=1, le=1000, description="Counts from 1.")]
    job_name: Annotated[ObjectName, Field(description="Name of its Job and Secret.")]
    job_uid: Annotated[
        Line | None,
        Field(description="Its Job; set when the pod runs, or some seconds after the start."),
    ] = None
    pod_name: Annotated[Line | None, Field(description="Its pod.")] = None
    node_name: Annotated[Line | None, Field(description="The node it ran on.")] = None
    created_time: Annotated[Instant, Field(description="When the attempt was decided.")]
    start_time: Annotated[Instant | None, Field(description="When the container started.")] = None
    end_time: Annotated[Instant | None, Field(description="When the attempt ended.")] = None
    exit_code: Annotated[
        int | None, Field(ge=-1, le=255, description="Exit code of the container.")
    ] = None
    reason: Annotated[Line | None, Field(description="How it ended.")] = None
    message: Annotated[ShortText, Field(description="How it ended, and the remedy.")] = ""
    cause: Annotated[
        CauseClass | None,
        Field(
            description="Whose failure: the agent's, the infrastructure's, a limit's or the "
            "configuration's; `approval` is none, the attempt ended to ask a person."
        ),
    ] = None
    cost_micros: Annotated[Micros, Field(description="Micro-dollars of this attempt.")] = 0
    session_id: Annotated[Line | None, Field(description="Claude Code's session.")] = None
    resumed: Annotated[
        bool, Field(description="Whether it went on in the session of the attempt before.")
    ] = False
    second_attempts: Annotated[
        Count, Field(description="Model calls that Claude Code itself made again.")
    ] = 0
    key_expires_time: Annotated[Instant, Field(description="When its execution key expires.")]
    key_revoked: Annotated[
        bool, Field(description="Whether the gateway confirmed that its key is dead.")
    ] = False

    # Written only where it is true: in an upgrade this operator meets the CRDs of the release
    # before, whose API server refuses a whole status for one field that it does not know.
    job_deleted: Annotated[
        bool | None,
        Field(
            description="True if its Job is deleted: when the agent had ended, a sidecar went on, "
            "or the Job was suspended."
        ),
    ] = None

    @property
    def is_over(self) -> bool:
        return self.end_time is not None


class BlockedBy(Part):
    """One reason why the Execution does not run now."""

    reason: Annotated[
        str,
        StringConstraints(max_length=64),
        Field(description="Why, as one word that programs may rely on."),
    ]
    message: Annotated[ShortText, Field(description="For people, with the remedy.")] = ""
    estimated_time: Annotated[
        Instant | None, Field(description="When it may go on, where that is known.")
    ] = None


class AgentSeen(Part):
    """The Agent as it was when the Execution first saw it, and at admission."""

    uid: Annotated[Line, Field(description="Uid of the Agent.")]
    generation: Annotated[Generation, Field(description="Generation of its spec.")]


class Timeout(Part):
    """The one clock of the run."""

    effective_seconds: Annotated[
        int, Field(ge=1, le=604800, description="Seconds of running that all attempts share.")
    ]
    source: Annotated[Line, Field(description="Where the value comes from, for example agent.")]
    used_seconds: Annotated[Count, Field(description="Seconds that ended attempts used of it.")] = 0


class Cancellation(Part):
    """Why and by whom the run is stopped."""

    time: Annotated[Instant, Field(description="When the stop was noticed.")]
    by: Annotated[Line, Field(description="Field manager that asked for it.")] = ""
    reason: Annotated[Line, Field(description="Why the run is stopped.")]
    message: Annotated[ShortText, Field(description="The same, for people.")] = ""


class ModelUsed(Part):
    """Who answered."""

    name: Annotated[Line, Field(description="Name of the model that was asked for.")]
    provider: Annotated[Line, Field(description="Provider that answered.")] = ""


class Result(Part):
    """What the agent said at the end."""

    text: Annotated[
        str, StringConstraints(max_length=4096), Field(description="The agent's last words.")
    ] = ""
    truncated: Annotated[bool, Field(description="Whether the text was cut.")] = False


class TranscriptRef(Part):
    """Where the events of the run are."""

    pod_name: Annotated[Line, Field(description="Pod whose log holds the events.")] = ""
    path: Annotated[Line, Field(description="File in the workspace with all of it.")] = ""
    marker: Annotated[
        Line, Field(description="Last line of the log; without it the log is not whole.")
    ] = ""
    lines: Annotated[Count, Field(description="Events in the file.")] = 0
    cut: Annotated[bool, Field(description="Whether the log holds less than the file.")] = False


class ExecutionStatus(Part):
    """What the operator observed; only the operator writes it."""

    observed_generation: Annotated[
        Generation, Field(description="The generation of the spec that this status is about.")
    ] = 0
    phase: Annotated[
        str | None,
        StringConstraints(max_length=32),
        Field(description="For people; programs read conditions."),
    ] = None
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            description="Due, Admitted, Running, AwaitingApproval, Succeeded, Settled.",
            json_schema_extra=keyed_by("type"),
        ),
    ] = ()
    blocked_by: Annotated[
        tuple[BlockedBy, ...],
        Field(max_length=16, description="Why it does not run now, most important first."),
    ] = ()
    attempts: Annotated[
        tuple[Attempt, ...],
        Field(
            max_length=200,
            description="One record an attempt.",
            json_schema_extra=keyed_by("number"),
        ),
    ] = ()
    next_attempt_time: Annotated[
        Instant | None, Field(description="When the next attempt may start.")
    ] = None
    # Written only where there are some, as job_deleted is.
    asks: Annotated[
        tuple[Ask, ...] | None,
        Field(
            max_length=MOST_ASKS,
            description="What the run asked people for, in order.",
            json_schema_extra=keyed_by("name"),
        ),
    ] = None
    agent: Annotated[AgentSeen | None, Field(description="The Agent that was seen.")] = None
    correlation_id: Annotated[Line, Field(description="The one in force.")] = ""
    timeout: Annotated[Timeout | None, Field(description="The run's one clock.")] = None
    cancellation: Annotated[
        Cancellation | None, Field(description="Why and by whom the run is stopped.")
    ] = None
    start_time: Annotated[Instant | None, Field(description="First start of a container.")] = None
    completion_time: Annotated[Instant | None, Field(description="When the run ended.")] = None
    duration_seconds: Annotated[
        Count | None, Field(description="Seconds that the agent ran, all attempts together.")
    ] = None
    model: Annotated[ModelUsed | None, Field(description="Who answered.")] = None
    usage: Annotated[Usage | None, Field(description="Tokens by kind.")] = None
    cost_micros: Annotated[
        Micros, Field(description="Micro-dollars, from the gateway's ledger.")
    ] = 0
    result: Annotated[Result | None, Field(description="What the agent said at the end.")] = None
    transcript_ref: Annotated[TranscriptRef | None, Field(description="Where the events are.")] = (
        None
    )


class Execution(Part):
    """One run of an Agent."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.spec.cancel) || !self.spec.cancel || "
                "(has(oldSelf.spec.cancel) && oldSelf.spec.cancel) || "
                "!has(self.status) || !has(self.status.completionTime)",
                "must stay false: the run has ended, and nothing of it is left to stop; delete the "
                "Execution to remove its record",
            ),
            field_path=".spec.cancel",
        )
    )

    api_version: str = "heliostat.dev/v1alpha1"
    kind: Literal["Execution"] = "Execution"
    metadata: ObjectMeta
    spec: ExecutionSpec
    status: ExecutionStatus = ExecutionStatus()

    @property
    def is_finished(self) -> bool:
        """Ended for ever: Succeeded is True or False."""
        found = find_condition(self.status.conditions, ExecutionCondition.SUCCEEDED)
        return found is not None and found.status != "Unknown"

    @property
    def is_scheduled(self) -> bool:
        return self.spec.trigger.kind == SCHEDULED

    @property
    def is_offer(self) -> bool:
        """Made by a trigger outside of the operator for a time that the schedule has not let run,
        or not yet."""
        return (
            self.is_scheduled
            and OFFERED_ANNOTATION in self.metadata.annotations
            and not self.is_finished
            and not is_true(self.status.conditions, ExecutionCondition.DUE)
        )

    @property
    def is_admitted(self) -> bool:
        return is_true(self.status.conditions, ExecutionCondition.ADMITTED)

    @property
    def is_stopping(self) -> bool:
        """Nothing of it starts any more: that is asked for, or on record."""
        is_asked = self.spec.cancel or self.metadata.deletion_timestamp is not None
        return is_asked or self.status.cancellation is not None

    @property
    def is_settled(self) -> bool:
        return is_true(self.status.conditions, ExecutionCondition.SETTLED)

    @property
    def unresolved_ask(self) -> Ask | None:
        """The first ask of which something is still open; the run does not go on beyond it."""
        return next((each for each in self.status.asks or () if each.is_unresolved), None)

    @property
    def finished_reason(self) -> str:
        """Reason of Succeeded."""
        found = find_condition(self.status.conditions, ExecutionCondition.SUCCEEDED)
        return found.reason if found else FinishedReason.ACTIVE

    @property
    def current_attempt(self) -> Attempt | None:
        """The last attempt, over or not."""
        return self.status.attempts[-1] if self.status.attempts else None

    @property
    def correlation_id(self) -> str:
        return self.spec.correlation_id or self.metadata.uid


def compute_phase(execution: Execution) -> Phase:
    """What people read in the column, from conditions alone."""
    status = execution.status
    if execution.is_finished:
        if is_true(status.conditions, ExecutionCondition.SUCCEEDED):
            return Phase.SUCCEEDED
        if execution.finished_reason == FinishedReason.SKIPPED:
            return Phase.SKIPPED
        return Phase.CANCELLED if execution.finished_reason in STOPS else Phase.FAILED
    if status.cancellation is not None:
        return Phase.STOPPING
    if is_true(status.conditions, ExecutionCondition.RUNNING):
        return Phase.RUNNING
    if not execution.is_admitted:
        return Phase.PENDING
    if is_true(status.conditions, ExecutionCondition.AWAITING_APPROVAL):
        return Phase.AWAITING_APPROVAL
    current = execution.current_attempt
    return Phase.RETRYING if current is None or current.is_over else Phase.STARTING
