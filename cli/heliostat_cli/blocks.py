"""Why an Execution does not run, and when it may: one answer for `why` and for following."""

from datetime import datetime

from heliostat_cli.durations import format_age, format_instant, format_when
from heliostat_core.agents import Agent
from heliostat_core.conditions import AgentCondition, ExecutionCondition, find_condition
from heliostat_core.executions import BlockedBy, Execution, compute_phase
from heliostat_core.schedules.fires import blackout_at
from heliostat_core.schedules.status import Receipt


def render_block(block: BlockedBy, now: datetime) -> str:
    """`Reason: message Expected to go on in 35s (instant).`"""
    told = f"{block.reason}: {block.message}" if block.message else block.reason
    if block.estimated_time is None:
        return told
    return f"{told} Expected to go on {format_when(block.estimated_time, now)}."


def render_why(execution: Execution, now: datetime) -> str:
    """The whole answer: phase, then every reason, most important first."""
    name = execution.metadata.name
    lines = [f"execution {name}: {phase_of(execution)}"]
    if execution.is_finished:
        return "\n".join([*lines, *_ended(execution)])
    if execution.status.blocked_by:
        lines += [f"  {render_block(each, now)}" for each in execution.status.blocked_by]
    elif not execution.status.conditions:
        lines.append("  The operator has not looked at it yet.")
    else:
        lines.append(f"  {_running(execution, now)}")
    return "\n".join(lines)


def phase_of(execution: Execution) -> str:
    """The phase that status shows, or the one that follows from no conditions at all."""
    return execution.status.phase or compute_phase(execution)


def render_agent_why(agent: Agent, now: datetime) -> str:
    """Whether an Execution of the Agent could run now."""
    name = agent.metadata.name
    ready = find_condition(agent.status.conditions, AgentCondition.READY)
    if ready is None:
        return f"agent {name}: Unknown\n  The operator has not looked at it yet."
    words = {"True": "Ready", "False": "NotReady", "Unknown": "Unknown"}[ready.status]
    lines = [f"agent {name}: {words}"]
    if agent.spec.suspend:
        lines.append("  AgentSuspended: spec.suspend is true, so new Executions wait.")
    since = format_age(ready.last_transition_time, now)
    lines.append(f"  {ready.reason}: {ready.message or 'nothing is missing'} (for {since})")
    return "\n".join([*lines, *_schedule_lines(agent, now)])


def _schedule_lines(agent: Agent, now: datetime) -> list[str]:
    """Why its schedule does not start it, or when it will, and what became of the last time."""
    schedule, status = agent.spec.schedule, agent.status.schedule
    if schedule is None or status is None:
        return []
    lines = []
    if schedule.suspend:
        lines.append("  ScheduleSuspended: spec.schedule.suspend is true: its times are skipped.")
    if status.paused:
        lines.append(f"  SchedulePaused: {status.paused.message}")
    blackout = blackout_at(schedule, now)
    if blackout:
        lines.append(f"  Blackout: {blackout.reason or 'no run of the schedule starts now'}.")
    if status.next:
        lines.append(f"  Its schedule starts it next {format_when(status.next, now)}.")
    if status.recent:
        lines.append(f"  Its last time: {render_receipt(status.recent[0])}")
    return lines


def render_receipt(receipt: Receipt) -> str:
    """`2026-11-21T08:00:00Z Skipped (Overlap). ...`; of several in a row how many."""
    many = f", {receipt.count} times" if receipt.count > 1 else ""
    told = f"{format_instant(receipt.scheduled_time)} {receipt.outcome} ({receipt.reason}{many})"
    run = f" {receipt.execution_name}" if receipt.execution_name else ""
    return f"{told}{run}. {receipt.message}".rstrip(". ") + "."


def _ended(execution: Execution) -> list[str]:
    found = find_condition(execution.status.conditions, ExecutionCondition.SUCCEEDED)
    if found is None:
        return []
    ended = execution.status.completion_time or found.last_transition_time
    message = f": {found.message}" if found.message else ""
    return [f"  It ended at {format_instant(ended)}. {found.reason}{message}"]


def _running(execution: Execution, now: datetime) -> str:
    attempt = execution.current_attempt
    if attempt is None or attempt.start_time is None:
        return "Nothing blocks it: it is about to start."
    since = format_age(attempt.start_time, now)
    return f"Nothing blocks it: attempt {attempt.number} has been running for {since}."
