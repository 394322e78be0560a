"""Conditions of Executions, why they wait and how they end."""

from heliostat_core.conditions.documented import Documented


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
    AWAITING_APPROVAL = (
        "AwaitingApproval",
        "Of a run that asked for an action: True while it waits for a person, without a pod.",
    )
    SUCCEEDED = "Succeeded", "Unknown while active, then True or False for ever."
    SETTLED = "Settled", "True once the cost is final: every model call of the run is booked."


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
    AWAITING_APPROVAL = (
        "AwaitingApproval",
        "A person has to decide on an action of the run; without an answer it ends at the "
        "estimated time.",
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


class AwaitingReason(Documented):
    """Reasons of `AwaitingApproval`."""

    ASKED = "Asked", "True: the run waits for a decision on what it asked for."
    OUTCOME_UNKNOWN = (
        "OutcomeUnknown",
        "True: an action was allowed and its pod is gone without saying what came of it; a person "
        "has to find out.",
    )
    ANSWERED = "Answered", "False: the last ask was answered, or the run has ended."


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
    AWAITING_APPROVAL = (
        "AwaitingApproval",
        "Of an attempt: it ended to ask a person for an action. The run goes on when somebody has "
        "decided.",
    )
    APPROVAL_EXPIRED = (
        "ApprovalExpired",
        "Nobody approved in time what the run asked for; it did not happen.",
    )
    OUTCOME_UNKNOWN = (
        "OutcomeUnknown",
        "An action was allowed, its pod went without saying what came of it, and no person found "
        "out in time.",
    )
    GUARD_BYPASSED = (
        "GuardBypassed",
        "Something other than the guard's own word came from the pod: an ask that does not agree "
        "with its digest, or a tool that ran unasked.",
    )
    ASK_INVALID = (
        "AskInvalid",
        "The runner asked for an approval in a way that can't be followed; the message says what "
        "is wrong.",
    )
    ASK_LIMIT = "AskLimitReached", "The run asked for more approvals than one run may."
    INFRASTRUCTURE_LIMIT = (
        "InfrastructureRetriesExhausted",
        "The infrastructure broke an attempt and all ten further ones.",
    )
