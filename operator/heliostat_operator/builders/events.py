"""Kubernetes Events: for people, never as state."""

from collections.abc import Sequence
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution
from heliostat_core.names import FIELD_MANAGER, child_name
from heliostat_core.resources import ObjectMeta, instant_text
from heliostat_core.schedules.status import Receipt, ScheduleStatus
from heliostat_core.worlds import AGENT, APPROVAL, EVENT, EXECUTION, JsonObject, Kind

_MOST_TOLD = 500  # at once, after an outage in which ends went to and fro


def build_agent_event(
    agent: Agent, execution: Execution, reason: str, message: str, now: datetime
) -> JsonObject:
    """An Event on the Agent about one Execution; its name makes a repetition a 409."""
    name = child_name(execution.metadata.name, execution.metadata.uid[:13])
    return _event(agent, name, "Normal", reason, message, now)


def build_approval_events(
    approval: Approval, execution: Execution | None, type_: str, message: str, now: datetime
) -> tuple[JsonObject, ...]:
    """Events on an ask and on the run that asks, about the state that the ask is in now."""
    meta, state = approval.metadata, approval.state
    suffix = f"{state.lower()}-{meta.uid[:8]}"
    subjects = [(APPROVAL, meta, suffix)]
    if execution is not None:
        subjects.append((EXECUTION, execution.metadata, f"{suffix}-run"))
    return tuple(
        _event_on(kind, each, child_name(meta.name, end), type_, f"Approval{state}", message, now)
        for kind, each, end in subjects
    )


def build_left_job_event(agent: Agent, job: str, why: str, now: datetime) -> JsonObject:
    """A Warning that somebody has to delete a job of Cloud Scheduler."""
    name = child_name(agent.metadata.name, f"{now:%Y%m%dt%H%M%Sz}-left")
    message = f"Job {job} is left behind, delete it: {why}"
    return _event(agent, name, "Warning", "CloudSchedulerJobLeft", message[:1024], now)


def build_schedule_events(
    agent: Agent, state: ScheduleStatus, receipts: Sequence[Receipt], now: datetime
) -> tuple[JsonObject, ...]:
    """Events on the Agent about what its schedule's new state says and the old one did not, and
    all new receipts, kept in the state or not.

    A run in time needs none: its Execution tells of itself.
    """
    old = agent.status.schedule
    told = {_told_of(each) for each in old.recent} if old else set()
    news = [each for each in receipts if _told_of(each) not in told and each.outcome != "Ran"]
    events = [_receipt_event(agent, each, now) for each in reversed(news[:_MOST_TOLD])]
    was_paused = old is not None and old.paused is not None
    if state.paused and not was_paused:
        events.append(_pause_event(agent, "SchedulePaused", state.paused.message, now))
    if was_paused and not state.paused:
        events.append(_pause_event(agent, "ScheduleResumed", "The schedule goes on.", now))
    return tuple(events)


def _told_of(receipt: Receipt) -> tuple[datetime, str]:
    return receipt.scheduled_time, receipt.outcome


def _receipt_event(agent: Agent, receipt: Receipt, now: datetime) -> JsonObject:
    """Of several in a row that end alike, the first is told."""
    stamp = f"{receipt.scheduled_time:%Y%m%dt%H%M%Sz}-{receipt.outcome.lower()}"
    run = f"Execution {receipt.execution_name}" if receipt.execution_name else "No run"
    message = (
        f"{run} for {instant_text(receipt.scheduled_time)}: {receipt.reason}. {receipt.message}"
    )
    type_ = "Warning" if receipt.outcome == "Missed" else "Normal"
    name = child_name(agent.metadata.name, stamp)
    return _event(agent, name, type_, f"Schedule{receipt.outcome}", message.strip()[:1024], now)


def _pause_event(agent: Agent, reason: str, message: str, now: datetime) -> JsonObject:
    name = child_name(agent.metadata.name, f"{now:%Y%m%dt%H%M%Sz}-{reason.lower()}")
    type_ = "Warning" if reason == "SchedulePaused" else "Normal"
    return _event(agent, name, type_, reason, message, now)


def _event(
    agent: Agent, name: str, type_: str, reason: str, message: str, now: datetime
) -> JsonObject:
    return _event_on(AGENT, agent.metadata, name, type_, reason, message, now)


def _event_on(
    kind: Kind,
    subject: ObjectMeta,
    name: str,
    type_: str,
    reason: str,
    message: str,
    now: datetime,
) -> JsonObject:
    instant = instant_text(now)
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.name,
        "metadata": {"name": name, "namespace": subject.namespace},
        "involvedObject": {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
        },
        "type": type_,
        "reason": reason,
        "message": message,
        "source": {"component": FIELD_MANAGER},
        "firstTimestamp": instant,
        "lastTimestamp": instant,
        "count": 1,
    }
