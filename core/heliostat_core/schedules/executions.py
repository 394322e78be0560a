"""The Execution for one time of an Agent's schedule."""

from datetime import datetime, timedelta

from heliostat_core.agents import Agent
from heliostat_core.executions import AgentRef, ExecutionSpec, Trigger
from heliostat_core.names import AGENT_LABEL, label_value
from heliostat_core.schedules import Schedule
from heliostat_core.worlds import EXECUTION, JsonObject


def build_scheduled_execution(
    agent: Agent, schedule: Schedule, fired_by: str, name: str, scheduled: datetime
) -> JsonObject:
    """Its name follows from the Agent and the time: a repetition is a 409."""
    seconds = schedule.starting_deadline_seconds
    spec = ExecutionSpec(
        agent_ref=AgentRef(name=agent.metadata.name),
        trigger=Trigger(kind="Schedule", id=fired_by, scheduled_time=scheduled),
        deadline_time=scheduled + timedelta(seconds=schedule.jitter_seconds + seconds)
        if seconds
        else None,
    )
    return {
        "apiVersion": EXECUTION.api_version,
        "kind": EXECUTION.name,
        "metadata": {
            "name": name,
            "namespace": agent.metadata.namespace,
            "labels": {AGENT_LABEL: label_value(agent.metadata.name)},
        },
        "spec": spec.to_json(),
    }
