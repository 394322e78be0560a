"""What keeps a waiting run of a schedule, and no other, from starting: pure."""

from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.schedules.fires import end_of_blackouts
from heliostat_core.schedules.status import SchedulePause


def schedule_pause(execution: Execution, agent: Agent | None) -> SchedulePause | None:
    """Why its schedule stands still, where it does."""
    if agent is None or not execution.is_scheduled or agent.status.schedule is None:
        return None
    return agent.status.schedule.paused


def end_of_blackout(execution: Execution, agent: Agent | None, now: datetime) -> datetime | None:
    """When the blackouts that hold now are over; None where none holds."""
    schedule = agent.spec.schedule if agent else None
    if schedule is None or not execution.is_scheduled:
        return None
    return end_of_blackouts(schedule, now)


def is_held_by_schedule(execution: Execution, agent: Agent | None, now: datetime) -> bool:
    """Whether it takes nobody's seat."""
    return (
        execution.is_offer
        or schedule_pause(execution, agent) is not None
        or end_of_blackout(execution, agent, now) is not None
    )
