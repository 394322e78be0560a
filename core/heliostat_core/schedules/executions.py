"""Executions for the times of an Agent's schedule, alike whoever makes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from heliostat_core.agents import Agent
from heliostat_core.executions import SCHEDULED, AgentRef, ExecutionSpec, Trigger
from heliostat_core.names import AGENT_LABEL, label_value
from heliostat_core.worlds import EXECUTION, JsonObject


def build_scheduled_execution(
    agent: Agent,
    fired_by: str,
    name: str,
    scheduled: datetime,
    annotations: Mapping[str, str] | None = None,
    correlation: str = "",
) -> JsonObject:
    """Its name follows from the Agent and the time: a repetition is a 409."""
    seconds = agent.spec.schedule.latest_start_seconds if agent.spec.schedule else None
    spec = ExecutionSpec(
        agent_ref=AgentRef(name=agent.metadata.name),
        trigger=Trigger(kind=SCHEDULED, id=fired_by, scheduled_time=scheduled),
        correlation_id=correlation,
        deadline_time=None if seconds is None else scheduled + timedelta(seconds=seconds),
    )
    return build_agents_execution(agent, name, spec, annotations)


def build_agents_execution(
    agent: Agent, name: str, spec: ExecutionSpec, annotations: Mapping[str, str] | None = None
) -> JsonObject:
    """A run beside its Agent, found by the Agent's label."""
    return {
        "apiVersion": EXECUTION.api_version,
        "kind": EXECUTION.name,
        "metadata": {
            "name": name,
            "namespace": agent.metadata.namespace,
            "labels": {AGENT_LABEL: label_value(agent.metadata.name)},
            **({"annotations": dict(annotations)} if annotations else {}),
        },
        "spec": spec.to_json(),
    }
