"""What webhooks are told of: read from a resource as it is, pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from heliostat_api.documents.port import Fields
from heliostat_api.records.annotations import TEST_OF
from heliostat_api.webhooks.records import EventName
from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval, ApprovalState
from heliostat_core.conditions import ExecutionCondition, find_condition
from heliostat_core.executions import Execution, Phase
from heliostat_core.resources import instant_text
from heliostat_core.schedules.status import Receipt, ScheduleStatus

BETWEEN_MESSAGES: Final = timedelta(minutes=5)
"""Between two messages about asks of one agent to one channel."""
_IS_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")


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
    page: str
    """The path of the page that shows it."""
    words: tuple[str, ...] = ()
    """What a line of text tells of it: names and classes, no sentence, for nobody asked for it in
    a language."""

    def body(self, agent_id: str) -> str:
        """What is sent: ids, names, reason and time, and nothing that a run wrote."""
        agent = {"id": agent_id, "name": self.agent, "namespace": self.namespace}
        said = {
            "type": self.event,
            "timestamp": instant_text(self.time),
            "data": {"agent": agent, **self.told},
        }
        return json.dumps(said, separators=(",", ":"), ensure_ascii=False)

    def line(self, public_url: str) -> str:
        """The same as a message to a channel."""
        link = f"{public_url.rstrip('/')}{self.page}" if public_url else ""
        parts = (self.event, self.agent, *self.words, link)
        text = " · ".join(_escaped(each) for each in parts if each)
        return json.dumps({"text": text}, separators=(",", ":"), ensure_ascii=False)


def asked_of(approval: Approval, agent: str) -> Occurrence | None:
    """Of an ask that waits for a person; `agent` is the name of the run's Agent. What would be done
    is not in it: channels are read by many."""
    meta, spec = approval.metadata, approval.spec
    if approval.state is not ApprovalState.PENDING or meta.creation_timestamp is None:
        return None
    class_, host = spec.action.class_.value, _host_of(approval)
    return Occurrence(
        event="approval.asked",
        key=f"approval.asked {meta.uid}",
        time=meta.creation_timestamp,
        agent=agent,
        namespace=meta.namespace,
        told={
            "approval": {"id": meta.uid, "name": meta.name},
            "execution": {"id": spec.execution_ref.uid, "name": spec.execution_ref.name},
            "class": class_,
            "host": host,
            "expiresTime": instant_text(spec.expires_time),
        },
        marks={"toldAsked": True},
        page=f"/approvals/{meta.uid}",
        words=(class_, host),
    )


def next_message(last: datetime | None, now: datetime) -> datetime | None:
    """When the next message of a group is due: at once, or so long after the last one; None where
    one is on its way already, for it leads to all that waits."""
    if last is None or now >= last + BETWEEN_MESSAGES:
        return now
    return None if last > now else last + BETWEEN_MESSAGES


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
        page=f"/executions/{meta.uid}",
        words=(meta.name, succeeded.reason if succeeded else ""),
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
        page="/agents",
        words=(status.paused.reason,),
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
            "scheduledTime": instant_text(receipt.scheduled_time),
            "lastTime": instant_text(last),
            "count": receipt.count,
            "reason": receipt.reason,
        },
        marks={"toldMissed": last},
        page="/agents",
        words=(instant_text(receipt.scheduled_time), receipt.reason),
    )


def _host_of(approval: Approval) -> str:
    """Empty where there is none, or what is called so is none."""
    facts = (each.value for each in approval.spec.action.facts if each.name == "host")
    host = next(facts, "")
    return host if _IS_HOST.fullmatch(host) else ""


def _escaped(text: str) -> str:
    """The three letters that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _last(receipt: Receipt) -> datetime:
    return receipt.last_time or receipt.scheduled_time


def _is_after(time: datetime, told: object) -> bool:
    return not isinstance(told, datetime) or time > told
