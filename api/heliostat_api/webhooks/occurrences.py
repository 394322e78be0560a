"""What webhooks are told of: read from a resource as it is, pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from heliostat_api.documents.port import Fields
from heliostat_api.records.annotations import TEST_OF
from heliostat_api.webhooks.records import EventName
from heliostat_core.agents import Agent
from heliostat_core.conditions import ExecutionCondition, find_condition
from heliostat_core.executions import Execution, Phase
from heliostat_core.schedules.status import Receipt, ScheduleStatus


@dataclass(frozen=True)
class Occurrence:
    """Something that happened once. `marks` are fields of the document that say: it is told."""

    event: EventName
    key: str
    time: datetime
    agent: str
    """Name of the Agent resource."""
    namespace: str
    told: dict[str, JsonValue]
    marks: Fields

    def body(self, agent_id: str) -> str:
        """What is sent: ids, names, reason and time, and nothing that a run wrote."""
        agent = {"id": agent_id, "name": self.agent, "namespace": self.namespace}
        said = {
            "type": self.event,
            "timestamp": self.time.isoformat().replace("+00:00", "Z"),
            "data": {"agent": agent, **self.told},
        }
        return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def failure_of(execution: Execution) -> Occurrence | None:
    """Of a run that ended badly; a person looks at their test runs themselves."""
    meta, status = execution.metadata, execution.status
    if status.phase != Phase.FAILED or not execution.is_finished or TEST_OF in meta.annotations:
        return None
    succeeded = find_condition(status.conditions, ExecutionCondition.SUCCEEDED)
    ended = status.completion_time or (succeeded.last_transition_time if succeeded else None)
    if ended is None:
        return None
    return Occurrence(
        event="execution.failed",
        key=f"execution.failed {meta.uid}",
        time=ended,
        agent=execution.spec.agent_ref.name,
        namespace=meta.namespace,
        told={
            "execution": {"id": meta.uid, "name": meta.name},
            "reason": succeeded.reason if succeeded else "",
        },
        marks={"toldFailed": True},
    )


def standstills_of(agent: Agent, known: Fields) -> Iterator[Occurrence]:
    """What became of its schedule since `known`, the agent's document."""
    status = agent.status.schedule
    if status is None or TEST_OF in agent.metadata.annotations:
        return
    if status.paused is not None and _is_after(status.paused.time, known.get("toldPaused")):
        yield _pause(agent, status)
    for receipt in reversed(status.recent):
        if receipt.outcome == "Missed" and _is_after(_last(receipt), known.get("toldMissed")):
            yield _miss(agent, receipt)


def _pause(agent: Agent, status: ScheduleStatus) -> Occurrence:
    assert status.paused is not None
    time = status.paused.time
    return Occurrence(
        event="schedule.paused",
        key=f"schedule.paused {agent.metadata.uid} {time.isoformat()}",
        time=time,
        agent=agent.metadata.name,
        namespace=agent.metadata.namespace,
        told={"reason": status.paused.reason},
        marks={"toldPaused": time},
    )


def _miss(agent: Agent, receipt: Receipt) -> Occurrence:
    last = _last(receipt)
    return Occurrence(
        event="schedule.missed",
        key=f"schedule.missed {agent.metadata.uid} {last.isoformat()}",
        time=receipt.time,
        agent=agent.metadata.name,
        namespace=agent.metadata.namespace,
        told={
            "scheduledTime": _text(receipt.scheduled_time),
            "lastTime": _text(last),
            "count": receipt.count,
            "reason": receipt.reason,
        },
        marks={"toldMissed": last},
    )


def _last(receipt: Receipt) -> datetime:
    return receipt.last_time or receipt.scheduled_time


def _is_after(time: datetime, told: object) -> bool:
    return not isinstance(told, datetime) or time > told


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
