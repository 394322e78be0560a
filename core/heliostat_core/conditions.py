"""Conditions: their types and reasons are part of the API, each documented where it is defined.

The table in docs/conditions.md is generated from here.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from heliostat_core.resources import Generation, Instant, Part


class Documented(StrEnum):
    """An enum whose members carry a sentence for people."""

    description: str

    def __new__(cls, value: str, description: str = "") -> "Documented":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class AgentCondition(Documented):
    READY = "Ready", "True when an Execution of this Agent could run now."
    TRIGGERED = (
        "Triggered",
        "Of an Agent whose schedule a CronJob or Cloud Scheduler fires: True while that is set up "
        "as the schedule says. Whatever it does not start, the operator's timer does.",
    )


class ExecutionCondition(Documented):
    ADMITTED = (
        "Admitted",
        "True once the Execution passed the admission chain; False while it waits.",
    )
    DUE = (
        "Due",
        "True once the schedule lets a run start that a CronJob or Cloud Scheduler made; the "
        "reasons are those of its times.",
    )
    RUNNING = "Running", "True while an attempt's container runs."
    SUCCEEDED = "Succeeded", "Unknown while active, then True or False for ever."
    SETTLED = "Settled", "True once the cost is final: every model call of the run is booked."


class ReadyReason(Documented):
    """Reasons of an Agent's `Ready`."""

    READY = "Ready", "Secrets and model are there."
    SECRET_MISSING = (
        "SecretMissing",
        "A Secret or a key in it, named in secretRefs, does not exist; or a version of a secret of "
        "Secret Manager.",
    )
    SECRET_REFUSED = (
        "SecretRefused",
        "A secret of Secret Manager is not for agents of this namespace; its labels say for whom.",
    )
    SECRET_FORBIDDEN = (
        "SecretForbidden",
        "The operator may not read a secret of Secret Manager, or reads none at all.",
    )
    SECRET_MANAGER_UNREACHABLE = (
        "SecretManagerUnreachable",
        "Secret Manager does not answer, and what was read of it before is too old.",
    )
    MODEL_UNAVAILABLE = (
        "ModelUnavailable",
        "The gateway serves no such model; its message says why.",
    )
    GATEWAY_UNREACHABLE = "GatewayUnreachable", "The gateway does not answer, so nothing is known."
    SCHEDULE_INVALID = (
        "ScheduleInvalid",
        "No run of its schedule will ever start; the message says what to change.",
    )
    POLICY_INVALID = (
        "PolicyInvalid",
        "A rule of spec.approvals and one of its examples disagree; the message names both.",
    )
    UNATTENDED_UNDECIDED = (
        "UnattendedUndecided",
        "It has a schedule and spec.approvals, and does not say what an ask becomes when no person "
        "started the run: spec.approvals.unattended.",
    )
    NO_SECOND_APPROVER = (
        "NoSecondApprover",
        "Its asks need another person, and the embedded world is one person's.",
    )
    TRIGGER_MISSING = (
        "TriggerMissing",
        "The trigger of its schedule is not configured here; the operator's timer starts the runs.",
    )


class TriggeredReason(Documented):
    """Reasons of an Agent's `Triggered`."""

    SET_UP = "SetUp", "The CronJob or the job of Cloud Scheduler is as the schedule says."
    NOT_CONFIGURED = "NotConfigured", "This installation has no such trigger; see settings."
    REFUSED = "Refused", "The API server or Cloud Scheduler refuses it; its words follow."
    UNREACHABLE = "Unreachable", "Cloud Scheduler can't be reached; it is tried again."


class TickReason(Documented):
    """Why a time of a schedule ended as it did: `status.schedule.recent[].reason`."""

    ON_TIME = "OnTime", "Ran: an Execution was made."
    FILLED = (
        "Filled",
        "Ran: the CronJob or Cloud Scheduler had not made the Execution, or cannot say that time; "
        "the operator made it.",
    )
    CAUGHT_UP = "CaughtUp", "Late: made up for by `catchUp`."
    WAITED = "WaitedForRun", "Ran or Late: it waited for the run before, with overlap QueueOne."
    SUSPENDED = "ScheduleSuspended", "Skipped: `schedule.suspend` is true."
    AGENT_SUSPENDED = "AgentSuspended", "Skipped: `suspend` of the Agent is true."
    PAUSED = "SchedulePaused", "Skipped: the schedule stands still after failures."
    BLACKOUT = "Blackout", "Skipped: it falls into one of `blackouts`."
    OVERLAP = "Overlap", "Skipped: the run before was not finished, or another one waited for it."
    CHANGED = "ScheduleChanged", "Skipped: it had come and not run yet, and the times changed."
    NOT_CAUGHT_UP = "NotCaughtUp", "Missed: nobody could keep it, and `catchUp` leaves it out."
    DEADLINE_PASSED = "DeadlinePassed", "Missed: `startingDeadlineSeconds` went by."
    REFUSED = "Refused", "Missed: the API server refused the Execution; its words follow."


class BlockedReason(Documented):
    """Why an Execution does not run: `status.blockedBy[].reason`, in the order of the chain."""

    AGENT_NOT_FOUND = (
        "AgentNotFound",
        "No Agent of that name exists yet; it starts when one appears.",
    )
    AGENT_SUSPENDED = "AgentSuspended", "The Agent's `suspend` is true: new Executions wait."
    NOT_DUE = (
        "NotDue",
        "A run that a CronJob or Cloud Scheduler made waits until the schedule has decided its "
        "time.",
    )
    AGENT_PAUSED = (
        "AgentPaused",
        "The gateway refuses the Agent's model calls after a run that cost far more than is "
        "ordinary; an admin resumes it there.",
    )
    SCHEDULE_PAUSED = (
        "SchedulePaused",
        "A run of the schedule waits: the schedule stands still after failures.",
    )
    BLACKOUT = "Blackout", "A run of the schedule waits until the blackout is over."
    SECRET_REFUSED = (
        "SecretRefused",
        "A secret of Secret Manager is not for agents of this namespace; its labels say for whom.",
    )
    SECRET_MISSING = (
        "SecretMissing",
        "A version of a secret of Secret Manager does not exist, or holds no text.",
    )
    SECRET_FORBIDDEN = (
        "SecretForbidden",
        "The operator may not read a secret of Secret Manager, or reads none at all.",
    )
    SECRET_MANAGER_UNREACHABLE = (
        "SecretManagerUnreachable",
        "Secret Manager does not answer, and what was read of it before is too old.",
    )
    GATEWAY_UNREACHABLE = (
        "GatewayUnreachable",
        "The gateway has not confirmed that the last attempt's key is dead.",
    )
    AGENT_CONCURRENCY = "AgentConcurrency", "The Agent's maxConcurrentExecutions are running."
    NAMESPACE_CONCURRENCY = (
        "NamespaceConcurrency",
        "The namespace has as many Executions as it may have at once, running or with pods that "
        "can't start.",
    )
    TOTAL_CONCURRENCY = (
        "TotalConcurrency",
        "As many Executions run or start as may at once in all namespaces.",
    )
    BACKOFF = "Backoff", "The last attempt failed; the next one starts at the estimated time."
    CONFIGURATION = (
        "ConfigurationHeld",
        "The last attempt failed by configuration; it is tried again later.",
    )
    IMAGE_PULL_FAILED = "ImagePullFailed", "The image can't be pulled."
    UNSCHEDULABLE = "Unschedulable", "No node takes the pod; the scheduler's words follow."
    CONFIG_ERROR = (
        "ContainerConfigError",
        "The container can't be made: something it names is missing.",
    )
    INIT_CONTAINER_FAILED = (
        "InitContainerFailed",
        "An init container fails again and again, such as one that a webhook put into the pod.",
    )
    VOLUME_FAILED = "VolumeFailed", "A volume can't be bound or mounted."
    POD_NOT_CREATED = (
        "PodNotCreated",
        "The Job controller may not make the pod; its words follow.",
    )
    REFUSED = "Refused", "The API server refuses an object of the run; its words follow."
    JOB_SUSPENDED = (
        "JobSuspended",
        "The Job is suspended, by a queue such as Kueue or by hand; it takes no slot meanwhile.",
    )
    NAMESPACE_TERMINATING = (
        "NamespaceTerminating",
        "The namespace is being deleted: nothing can be started in it.",
    )
    STARTING = "Starting", "The pod is on its way."
    STOPPING = "Stopping", "The run is being stopped."


class AdmittedReason(Documented):
    """Reasons of `Admitted`; while False, those of status.blockedBy."""

    ADMITTED = "Admitted", "Passed the admission chain; the Agent's spec is frozen for this run."


class RunningReason(Documented):
    """Reasons of `Running`."""

    CONTAINER_RUNNING = "ContainerRunning", "The attempt's container runs."
    NOT_RUNNING = "NotRunning", "No container runs now."


class SettledReason(Documented):
    """Reasons of `Settled`."""

    SETTLED = "Settled", "The ledger has no open row of this run."
    OPEN_CALLS = "OpenCalls", "Model calls of this run are not booked yet; costMicros may rise."
    GATEWAY_UNREACHABLE = "GatewayUnreachable", "The ledger could not be asked yet."


class FinishedReason(Documented):
    """Reasons of `Succeeded` and of an attempt's end."""

    ACTIVE = "Active", "The run has not ended."
    VERIFIED = "Verified", "Success, and `verify` agreed."
    UNVERIFIED = "Unverified", "Success by the agent's own word; no `verify` was given."
    AGENT_ERROR = "AgentError", "Claude Code ended with an error of its own."
    EMPTY_RESULT = "EmptyResult", "The agent ended without a word."
    REFUSAL = "Refusal", "The model refused."
    COMMAND_FAILED = (
        "CommandFailed",
        "The command of runtime.command ended with another code than 0.",
    )
    VERIFICATION_FAILED = "VerificationFailed", "The agent said done, `verify` said no."
    STALLED = "Stalled", "No event for the stall limit, twice."
    TURN_LIMIT = "TurnLimitReached", "limits.maxTurns is used up."
    COST_LIMIT = (
        "CostLimitReached",
        "limits.maxCostMicros or a budget of the run is used up.",
    )
    TOKEN_LIMIT = "TokenLimitReached", "limits.maxTokens is used up."
    TIMED_OUT = "TimedOut", "limits.timeoutSeconds of running time are used up."
    START_TIMED_OUT = (
        "StartTimedOut",
        "An attempt's pod did not start within startTimeoutSeconds; the message says what kept it. "
        "Mend that, or raise startTimeoutSeconds.",
    )
    RUN_DOCUMENT_INVALID = "RunDocumentInvalid", "The runner could not read its run document."
    RUNTIME_MISSING = (
        "RuntimeMissing",
        "The image has no runner, no Claude Code or not that command.",
    )
    KEY_REFUSED = "KeyRefused", "The gateway refused the execution's key."
    MODEL_UNAVAILABLE = "ModelUnavailable", "The gateway serves no such model."
    PROVIDER_FAILED = "ProviderFailed", "The gateway or the provider did not answer."
    TERMINATED = (
        "Terminated",
        "The runner was told to leave and saved its session, and the pod does not say by whom.",
    )
    EVICTED = (
        "Evicted",
        "The pod was evicted: by a drain or another use of the eviction API, or by the kubelet of "
        "a node that is short of something.",
    )
    PREEMPTED = "Preempted", "A pod of higher priority took the place."
    POD_DELETED = "PodDeleted", "Somebody deleted the pod."
    NODE_LOST = "NodeLost", "The node is gone or does not answer."
    POD_LOST = "PodLost", "The pod is gone or over, and neither it nor its Job says why."
    OUT_OF_MEMORY = "OutOfMemory", "The container used more than its memory limit."
    OUT_OF_STORAGE = (
        "OutOfStorage",
        "The run wrote more than its limit of ephemeral storage, and the kubelet evicted it.",
    )
    INIT_CONTAINER_FAILED = (
        "InitContainerFailed",
        "An init container failed, such as one that a webhook put into the pod.",
    )
    KILLED = "Killed", "Something outside the container killed it, such as a node short of memory."
    START_FAILED = "StartFailed", "The container could not be started."
    EXITED = "Exited", "The container ended with an exit code and left no result."
    NO_RESULT = "NoResult", "The container ended well and left no result document."
    CANCELLED = "Cancelled", "spec.cancel was set."
    DELETED = "Deleted", "The Execution was deleted while it ran."
    SKIPPED = (
        "Skipped",
        "A CronJob or Cloud Scheduler made it, and the schedule leaves that time out; the message "
        "says why.",
    )
    AGENT_DELETED = "AgentDeleted", "The Agent was deleted before the Execution was admitted."
    DEADLINE_PASSED = (
        "DeadlinePassed",
        "spec.deadlineTime passed before the Execution was admitted.",
    )
    PROMPT_INVALID = "PromptInvalid", "The prompt has a placeholder that is no parameter."
    PROMPT_TOO_LONG = (
        "PromptTooLong",
        "Prompt, parameters, input and secrets together are more than a Secret can carry.",
    )
    INFRASTRUCTURE_LIMIT = (
        "InfrastructureRetriesExhausted",
        "The infrastructure broke an attempt and all ten further ones.",
    )


ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Part):
    """One observation about a resource, in Kubernetes' own shape."""

    type: Annotated[str, StringConstraints(max_length=64), Field(description="What is observed.")]
    status: Annotated[ConditionStatus, Field(description="True, False or Unknown.")]
    reason: Annotated[
        str,
        StringConstraints(max_length=64, pattern=r"^[A-Z][A-Za-z]*$"),
        Field(description="Why, as one word that programs may rely on."),
    ]
    message: Annotated[
        str, StringConstraints(max_length=4096), Field(description="Why, for people.")
    ] = ""
    observed_generation: Annotated[
        Generation, Field(description="The generation of the spec that was looked at.")
    ] = 0
    last_transition_time: Annotated[Instant, Field(description="When the status last changed.")]


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, if there."""
    return next((each for each in conditions if each.type == type_), None)


def is_true(conditions: Iterable[Condition], type_: str) -> bool:
    """Whether the condition of that type is True."""
    found = find_condition(conditions, type_)
    return found is not None and found.status == "True"


def set_condition(
    conditions: tuple[Condition, ...],
    type_: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with this one set; its transition time moves only when the status does."""
    old = find_condition(conditions, type_)
    since = old.last_transition_time if old and old.status == status else now
    new = Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message[:4096],
        observed_generation=generation,
        last_transition_time=since,
    )
    if old is None:
        return (*conditions, new)
    return tuple(new if each.type == type_ else each for each in conditions)
