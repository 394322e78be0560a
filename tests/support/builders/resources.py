"""Agents, Executions and attempts as models, each with a fixed clock and keyword overrides."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.conditions import (
    AdmittedReason,
    ConditionStatus,
    ExecutionCondition,
    FinishedReason,
    SettledReason,
    set_condition,
)
from heliostat_core.executions import (
    AgentRef,
    Attempt,
    Execution,
    ExecutionSpec,
    ExecutionStatus,
    Timeout,
)
from heliostat_core.names import RUN_FINALIZER, attempt_name
from heliostat_core.resources import ManagedFields, ObjectMeta
from heliostat_operator.model.effects import StartAttempt
from heliostat_operator.runs.observations import LimitUse, SlotStatus
from heliostat_operator.settings import OperatorSettings

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def make_uid(name: str) -> str:
    """The same uid for the same name, in the form that the API server gives."""
    return str(uuid5(NAMESPACE_URL, name))


def make_settings(
    max_concurrent_executions: int = 100,
    workspace_image: str = "heliostat-workspace:test",
    gateway_url: str = "http://gateway.test:8081",
    workers: int = 4,
    resync_seconds: float = 300,
    namespace: str = "heliostat-system",
    retry_first_seconds: float = 1,
    retry_longest_seconds: float = 60,
    api_url: str = "",
    recording_seconds: int = 86400,
    approvals_mode: Literal["Observe", "Enforce"] = "Observe",
) -> OperatorSettings:
    """Settings of a test; the environment of the test run does not show through."""
    return OperatorSettings(
        namespace=namespace,
        gateway_url=gateway_url,
        workspace_image=workspace_image,
        max_concurrent_executions=max_concurrent_executions,
        workers=workers,
        resync_seconds=resync_seconds,
        retry_first_seconds=retry_first_seconds,
        retry_longest_seconds=retry_longest_seconds,
        api_url=api_url,
        recording_seconds=recording_seconds,
        approvals_mode=approvals_mode,
    )


def make_spec(**fields: object) -> AgentSpec:
    """A spec as a person writes it: camelCase keywords beside the prompt."""
    return AgentSpec.model_validate({"prompt": "Count the sales.", **fields})


def make_agent(
    name: str = "sales",
    *,
    namespace: str = "default",
    uid: str | None = None,
    generation: int = 1,
    **fields: object,
) -> Agent:
    return Agent(
        metadata=ObjectMeta(
            name=name,
            namespace=namespace,
            uid=uid or make_uid(f"agent/{namespace}/{name}"),
            generation=generation,
            resource_version="1",
            creation_timestamp=NOW - seconds(3600),
        ),
        spec=make_spec(**fields),
    )


def make_execution(
    name: str = "sales-1",
    *,
    namespace: str = "default",
    agent: str = "sales",
    uid: str | None = None,
    status: ExecutionStatus | None = None,
    created: datetime = NOW,
    deleted: datetime | None = None,
    finalizers: tuple[str, ...] = (),
    labels: dict[str, str] | None = None,
    managed_fields: tuple[ManagedFields, ...] = (),
    generation: int = 1,
    **fields: object,
) -> Execution:
    spec = ExecutionSpec.model_validate(
        {"agentRef": AgentRef(name=agent).model_dump(by_alias=True), **fields}
    )
    return Execution(
        metadata=ObjectMeta(
            name=name,
            namespace=namespace,
            uid=uid or make_uid(f"execution/{namespace}/{name}"),
            resource_version="1",
            generation=generation,
            creation_timestamp=created,
            deletion_timestamp=deleted,
            finalizers=finalizers,
            labels=labels or {},
            managed_fields=managed_fields,
        ),
        spec=spec,
        status=status or ExecutionStatus(),
    )


def make_slots(
    *,
    granted: bool = True,
    agent: LimitUse | None = None,
    namespace: LimitUse | None = None,
    total: LimitUse | None = None,
    ahead: int = 0,
) -> SlotStatus:
    """How the limits stand; everything is free where nothing else is said."""
    return SlotStatus(
        granted,
        agent or LimitUse(0, 10),
        namespace or LimitUse(0, 75),
        total or LimitUse(0, 100),
        ahead,
    )


def make_attempt(
    number: int = 1,
    *,
    execution: str = "sales-1",
    created: datetime = NOW,
    job_uid: str | None = None,
    pod_name: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    reason: str | None = None,
    message: str = "",
    cause: str | None = None,
    session_id: str | None = None,
    key_revoked: bool = False,
) -> Attempt:
    return Attempt.model_validate(
        {
            "number": number,
            "job_name": attempt_name(execution, number),
            "created_time": created,
            "job_uid": job_uid,
            "pod_name": pod_name,
            "start_time": start,
            "end_time": end,
            "reason": reason,
            "message": message,
            "cause": cause,
            "session_id": session_id or make_uid(f"session/{execution}/{number}"),
            "key_expires_time": created + seconds(90000),
            "key_revoked": key_revoked,
        }
    )


def make_condition_status(
    *attempts: Attempt,
    succeeded: ConditionStatus = "Unknown",
    reason: str = FinishedReason.ACTIVE,
    settled: ConditionStatus | None = None,
    timeout_seconds: int = 3600,
    at: datetime = NOW,
) -> ExecutionStatus:
    """Status of an admitted Execution with these attempts."""
    conditions = set_condition(
        (), ExecutionCondition.SUCCEEDED, succeeded, reason, "", generation=1, now=at
    )
    conditions = set_condition(
        conditions,
        ExecutionCondition.ADMITTED,
        "True",
        AdmittedReason.ADMITTED,
        "",
        generation=1,
        now=at,
    )
    if settled is not None:
        conditions = set_condition(
            conditions,
            ExecutionCondition.SETTLED,
            settled,
            SettledReason.SETTLED,
            "",
            generation=1,
            now=at,
        )
    finished = succeeded != "Unknown"
    return ExecutionStatus(
        conditions=conditions,
        attempts=attempts,
        timeout=Timeout(effective_seconds=timeout_seconds, source="test"),
        completion_time=at if finished else None,
    )


def make_admitted(
    *attempts: Attempt, name: str = "sales-1", timeout_seconds: int = 3600, cancel: bool = False
) -> Execution:
    """An admitted Execution, held by our finalizer, with attempt 1 when none is given."""
    given = attempts or (make_attempt(execution=name),)
    return make_execution(
        name,
        status=make_condition_status(*given, timeout_seconds=timeout_seconds),
        finalizers=(RUN_FINALIZER,),
        cancel=cancel,
    )


def make_start(
    attempt: Attempt | None = None,
    spec: AgentSpec | None = None,
    timeout_seconds: int = 3600,
    resume_session: str | None = None,
) -> StartAttempt:
    return StartAttempt(
        attempt or make_attempt(), spec or make_spec(), timeout_seconds, resume_session
    )
