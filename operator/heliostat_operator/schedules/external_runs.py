"""External runs are Executions that a trigger outside of the operator offers for a time.

The schedule decides each time as ever. An offer for a time that runs is let go; every other one
ends as Skipped, also when it comes late.
"""

from datetime import datetime

from heliostat_core.conditions import ExecutionCondition, set_condition
from heliostat_core.executions import Execution, ExecutionStatus
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.status import Receipt, ScheduleStatus
from heliostat_core.schedules.timers import is_time_of
from heliostat_operator.schedules.tick_outcomes import End


def with_due(execution: Execution, end: End, now: datetime) -> ExecutionStatus:
    """The status of an offer that may run."""
    conditions = set_condition(
        execution.status.conditions,
        ExecutionCondition.DUE,
        "True",
        end.reason,
        end.message,
        generation=execution.metadata.generation,
        now=now,
    )
    return execution.status.model_copy(update={"conditions": conditions})


def refusal_of(
    time: datetime | None, schedule: Schedule | None, state: ScheduleStatus | None
) -> str | None:
    """Why no run comes of an offer for that time; None while it may be let go."""
    if schedule is None or state is None:
        return "The Agent has no schedule."
    if time is None:
        return "It names no time of the schedule."
    if time == state.queued_time:
        return None
    if time <= state.decided_time:
        return _words(time, state)
    return None if is_time_of(schedule, time) else "The schedule has no such time."


def _words(time: datetime, state: ScheduleStatus) -> str:
    found = next((each for each in state.recent if _is_of(each, time)), None)
    if found is None:
        return "Its time had been decided before it came."
    return f"{found.outcome}: {found.reason}. {found.message}".strip()[:1024]


def _is_of(receipt: Receipt, time: datetime) -> bool:
    return receipt.scheduled_time <= time <= (receipt.last_time or receipt.scheduled_time)
