"""Conditions of Agents and times of schedules, and their reasons."""

from heliostat_core.conditions.documented import Documented


class AgentCondition(Documented):
    READY = "Ready", "True when an Execution of this Agent could run now."
    TRIGGERED = (
        "Triggered",
        "Of an Agent whose schedule a CronJob or Cloud Scheduler fires: True while that is set up "
        "as the schedule says. Whatever it does not start, the operator's timer does.",
    )


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
