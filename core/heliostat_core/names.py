"""Names, labels and finalizers: computed, never stored."""

import hashlib
from datetime import UTC, datetime

GROUP = "heliostat.dev"
FIELD_MANAGER = "heliostat-operator"

AGENT_LABEL = f"{GROUP}/agent"
EXECUTION_LABEL = f"{GROUP}/execution"
ATTEMPT_LABEL = f"{GROUP}/attempt"
EXECUTION_ANNOTATION = EXECUTION_LABEL
"""The whole name of the Execution; the label of that key may be a shortened one."""
EXECUTION_UID_ANNOTATION = f"{EXECUTION_LABEL}-uid"
"""On a pod: which Execution of that name it works for, also when its Job is gone."""
FINISHED_LABEL = f"{GROUP}/finished"
NETWORK_LABEL = f"{GROUP}/network"
CANARY_LABEL = f"{GROUP}/canary"
"""On what closes or opens the network of runs; its value is `runs`."""
NETWORK_OF_RUNS = "runs"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "heliostat"
JOB_NAME_LABEL = "batch.kubernetes.io/job-name"

RUN_FINALIZER = f"{GROUP}/run"
CLAIM_FINALIZER = f"{GROUP}/claim"
"""On an Approval that was granted: it must not go while its action may still happen."""

OWNER_ANNOTATION = f"{GROUP}/owner"
"""On an Agent or an Execution: the id of the person whose it is, on whom its calls are booked."""
BUDGETS_ANNOTATION = f"{GROUP}/budgets"
"""On an Agent: names of the gateway's budgets that its runs count on, with commas."""

RECORDED_ANNOTATION = f"{GROUP}/recorded"
"""On a finished Execution: when the api had all of it in its store (RFC 3339)."""

RESUMED_ANNOTATION = f"{GROUP}/schedule-resumed"
"""On an Agent: when somebody resumed its schedule (RFC 3339). A pause from before is over."""

CLOUD_FINALIZER = f"{GROUP}/cloud-scheduler"
"""On an Agent for which Google's Cloud Scheduler has a job."""

TEST_OF_ANNOTATION = f"{GROUP}/test-of"
"""On an Agent of the dashboard that is there for one test run, and on that run: what is tested."""

OFFERED_ANNOTATION = f"{GROUP}/offered-by"
"""On an Execution for a time of a schedule: which trigger outside of the operator made it. It runs
once the schedule has decided that time."""

AGENT_CONTAINER = "agent"
DEFAULT_CONTAINER_ANNOTATION = "kubectl.kubernetes.io/default-container"
"""Says on a pod whose log kubectl shows when there are several containers."""
RUN_DOCUMENT_KEY = "run.json"
EXECUTION_KEY_KEY = "key"

CRON_NAME = "heliostat-cron"
"""Begins the names of CronJobs; what all those of a namespace share has this very name."""

_LONGEST_CRON_JOB = 52
_LONGEST = 63  # of a label value, and so of every name that becomes one (a Job's does)


def child_name(base: str, suffix: str) -> str:
    """`base-suffix`; a base that makes it longer than 63 characters is cut and gets a hash."""
    name = f"{base}-{suffix}"
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(base.encode()).hexdigest()[:8]
    kept = base[: _LONGEST - len(suffix) - len(digest) - 2].rstrip("-.")
    return f"{kept}-{digest}-{suffix}"


def label_value(name: str) -> str:
    """A name as label value: itself, or shortened with a hash when it is over 63 characters."""
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - len(digest) - 1].rstrip('-.')}-{digest}"


def attempt_name(execution: str, number: int) -> str:
    """Name of the Job and of the Secret of one attempt."""
    return child_name(execution, str(number))


def scheduled_name(agent: str, scheduled: datetime) -> str:
    """Name of the Execution for one time of an Agent's schedule: whoever makes it, makes one."""
    return child_name(agent, scheduled.astimezone(UTC).strftime("%Y%m%dt%H%M%Sz"))


def cron_job_name(agent: str) -> str:
    """Name of the CronJob of an Agent's schedule; Kubernetes wants at most 52 characters."""
    name = f"{CRON_NAME}-{agent}"
    if len(name) <= _LONGEST_CRON_JOB:
        return name
    digest = hashlib.sha256(agent.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_CRON_JOB - len(digest) - 1].rstrip('-.')}-{digest}"


def snapshot_name(execution: str) -> str:
    """Name of the ControllerRevision that holds the Agent's spec as it was at admission."""
    return child_name(execution, "spec")


def claim_name(execution: str) -> str:
    """Name of the workspace's PersistentVolumeClaim."""
    return child_name(execution, "workspace")


GUARD_NAME = "heliostat-runs"
"""Name of the NetworkPolicy that closes the network of all runs of a namespace."""


def hosts_name(agent: str) -> str:
    """Name of what opens an Agent's own hosts to its runs."""
    return child_name(agent, "hosts")
