"""Kubernetes Events: for people, never as state."""

from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import FIELD_MANAGER, child_name
from heliostat_core.worlds import AGENT, EVENT, JsonObject


def build_agent_event(
    agent: Agent, execution: Execution, reason: str, message: str, now: datetime
) -> JsonObject:
    """An Event on the Agent about one Execution; its name makes a repetition a 409."""
    instant = now.isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.name,
        "metadata": {
            "name": child_name(execution.metadata.name, execution.metadata.uid[:13]),
            "namespace": agent.metadata.namespace,
        },
        "involvedObject": {
            "apiVersion": AGENT.api_version,
            "kind": AGENT.name,
            "namespace": agent.metadata.namespace,
            "name": agent.metadata.name,
            "uid": agent.metadata.uid,
        },
        "type": "Normal",
        "reason": reason,
        "message": message,
        "source": {"component": FIELD_MANAGER},
        "firstTimestamp": instant,
        "lastTimestamp": instant,
        "count": 1,
    }
