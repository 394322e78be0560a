"""What people see of a resource: pure, from the resource to its view."""

from dataclasses import dataclass
from datetime import UTC, datetime

from heliostat_api.base.views import (
    AgentView,
    AttemptView,
    BlockedView,
    ExecutionView,
    TotalsView,
    UsageView,
)
from heliostat_api.records.annotations import TEST_OF
from heliostat_api.records.schedules import say, view_missed, view_pause
from heliostat_core.agents import Agent
from heliostat_core.conditions import (
    AgentCondition,
    ExecutionCondition,
    find_condition,
)
from heliostat_core.executions import Attempt, Execution, Phase, Usage

_EPOCH = datetime.fromtimestamp(0, UTC)
_NO_TOTALS = TotalsView()


def view_execution(execution: Execution, *, is_owned: bool = True) -> ExecutionView:
    """The view of a run; what the operator has not said yet is empty."""
    meta, spec, status = execution.metadata, execution.spec, execution.status
    succeeded = find_condition(status.conditions, ExecutionCondition.SUCCEEDED)
    return ExecutionView(
        id=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        agent=spec.agent_ref.name,
        test_of=meta.annotations.get(TEST_OF),
        phase=status.phase or Phase.PENDING.value,
        reason=succeeded.reason if succeeded else "",
        message=succeeded.message if succeeded else "",
        trigger=spec.trigger.kind,
        scheduled_time=spec.trigger.scheduled_time,
        correlation_id=execution.correlation_id,
        created_time=meta.creation_timestamp or _EPOCH,
        start_time=status.start_time,
        completion_time=status.completion_time,
        duration_seconds=status.duration_seconds,
        model=status.model.name if status.model else None,
        cost_micros=status.cost_micros,
        usage=_view_usage(status.usage),
        result=status.result.text if status.result else None,
        blocked_by=tuple(
            BlockedView(
                reason=each.reason, message=each.message, estimated_time=each.estimated_time
            )
            for each in status.blocked_by
        ),
        attempts=tuple(_view_attempt(each) for each in status.attempts),
        is_finished=execution.is_finished,
        is_owned=is_owned,
    )


def _view_usage(usage: Usage | None) -> UsageView:
    return UsageView.model_validate(usage.model_dump()) if usage else UsageView()


def _view_attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        start_time=attempt.start_time,
        end_time=attempt.end_time,
        reason=attempt.reason,
        message=attempt.message,
        cause=attempt.cause,
        cost_micros=attempt.cost_micros,
    )


def view_agent(
    agent: Agent, totals: TotalsView = _NO_TOTALS, *, is_owned: bool = True
) -> AgentView:
    """The view of an Agent that was not made in the dashboard; active unless it is suspended."""
    meta = agent.metadata
    ready = readiness(agent)
    schedule = agent.status.schedule
    return AgentView(
        id=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        description=agent.spec.description,
        model=agent.spec.model.name,
        status="inactive" if agent.spec.suspend else "active",
        managed_by="kubectl",
        is_ready=ready.is_ready,
        ready_message=ready.message,
        ready_reason=ready.reason,
        active_executions=agent.status.active,
        created_time=meta.creation_timestamp or _EPOCH,
        resource=meta.name,
        totals=totals,
        is_owned=is_owned,
        schedule=say(agent.spec.schedule) if agent.spec.schedule else None,
        next_time=schedule.next if schedule else None,
        schedule_paused=view_pause(schedule),
        schedule_missed=view_missed(schedule),
        schedule_zone=agent.spec.schedule.time_zone if agent.spec.schedule else None,
    )


@dataclass(frozen=True)
class Readiness:
    """Whether an Agent could run now, None where nobody knows, and what the operator says of it."""

    is_ready: bool | None = None
    reason: str = ""
    message: str = ""


def readiness(agent: Agent) -> Readiness:
    """From its condition Ready."""
    ready = find_condition(agent.status.conditions, AgentCondition.READY)
    if ready is None:
        return Readiness()
    is_ready = None if ready.status == "Unknown" else ready.status == "True"
    return Readiness(is_ready, ready.reason, ready.message)
