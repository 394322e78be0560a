"""Everything about one object, for people."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from heliostat_cli.blocks import phase_of, render_block
from heliostat_cli.durations import format_age, format_instant, format_seconds, format_when
from heliostat_cli.summary import render_cost, render_tokens
from heliostat_cli.tables import MISSING, render_table
from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.conditions import Condition
from heliostat_core.executions import Attempt, Execution
from heliostat_core.money import format_micros

Rows = Sequence[tuple[str, str]]
_LONGEST_PROMPT = 12  # lines


def describe_execution(execution: Execution, world: str, now: datetime) -> str:
    return "\n".join(
        [
            _render(_execution_head(execution, world, now)),
            *_section("Result", execution.status.result.text if execution.status.result else ""),
            *_section("Blocked by", _blocks(execution, now)),
            *_section("Conditions", _conditions(execution.status.conditions, now)),
            *_section("Attempts", _attempts(execution.status.attempts)),
        ]
    )


def describe_agent(agent: Agent, world: str, now: datetime) -> str:
    return "\n".join(
        [
            _render(_agent_head(agent, world, now)),
            *_section("Prompt", _beginning(agent.spec.prompt)),
            *_section("Conditions", _conditions(agent.status.conditions, now)),
        ]
    )


def _execution_head(execution: Execution, world: str, now: datetime) -> Rows:
    meta, spec, status = execution.metadata, execution.spec, execution.status
    model = status.model
    cancelled = status.cancellation
    return [
        ("Name", meta.name),
        ("Namespace", meta.namespace),
        ("World", world),
        ("Agent", spec.agent_ref.name),
        ("Phase", phase_of(execution)),
        ("Trigger", " ".join(filter(None, (spec.trigger.kind, spec.trigger.id)))),
        ("Parameters", ", ".join(f"{each.name}={each.value}" for each in spec.parameters)),
        ("Created", _instant(meta.creation_timestamp, now)),
        ("Started", _instant(status.start_time, now)),
        ("Completed", _instant(status.completion_time, now)),
        ("Running time", _running_time(execution)),
        ("Cancelled", f"{cancelled.message} {format_instant(cancelled.time)}" if cancelled else ""),
        ("Model", f"{model.name} ({model.provider or 'no answer yet'})" if model else ""),
        ("Tokens", render_tokens(status.usage)),
        ("Cost", render_cost(execution)),
        ("Correlation", status.correlation_id),
    ]


def _agent_head(agent: Agent, world: str, now: datetime) -> Rows:
    meta, spec, status = agent.metadata, agent.spec, agent.status
    last = status.last_execution
    return [
        ("Name", meta.name),
        ("Namespace", meta.namespace),
        ("World", world),
        ("Description", spec.description),
        ("Suspended", "true: new Executions wait" if spec.suspend else ""),
        ("Model", spec.model.name),
        ("Runtime", " ".join(spec.runtime.command) if spec.runtime.command else "Claude Code"),
        ("Tools", ", ".join(spec.tools.allow)),
        ("Denied", ", ".join(spec.tools.deny)),
        ("Limits", _limits(spec)),
        ("Verify", _verify(spec)),
        ("Schedule", status.schedule.words if status.schedule else ""),
        ("Next", _next(agent, now)),
        ("Active", str(status.active)),
        ("Last", f"{last.name} {last.phase} ({format_age(last.time, now)} ago)" if last else ""),
        ("Cost", format_micros(status.cost_micros)),
        ("Created", _instant(meta.creation_timestamp, now)),
    ]


def _next(agent: Agent, now: datetime) -> str:
    schedule = agent.status.schedule
    return format_when(schedule.next, now) if schedule and schedule.next else ""


def _limits(spec: AgentSpec) -> str:
    limits = spec.limits
    tokens = [f"{limits.max_tokens:,} tokens"] if limits.max_tokens is not None else []
    money = format_micros(limits.max_cost_micros)
    time = format_seconds(limits.timeout_seconds)
    return ", ".join([time, f"{limits.max_turns} turns", *tokens, money])


def _verify(spec: AgentSpec) -> str:
    if spec.verify is None:
        return "no: success counts on the agent's word"
    if spec.verify.files:
        return f"files {', '.join(spec.verify.files)}"
    command = " ".join(spec.verify.command or ())
    first, *rest = command.splitlines()
    return f"{first} …" if rest else first


def _running_time(execution: Execution) -> str:
    status = execution.status
    if status.timeout is None:
        return ""
    used = format_seconds(status.duration_seconds or status.timeout.used_seconds)
    most = format_seconds(status.timeout.effective_seconds)
    return f"{used} of {most} ({status.timeout.source})"


def _instant(instant: datetime | None, now: datetime) -> str:
    return f"{format_instant(instant)} ({format_age(instant, now)} ago)" if instant else ""


def _blocks(execution: Execution, now: datetime) -> str:
    if execution.is_finished:
        return ""
    return "\n".join(render_block(each, now) for each in execution.status.blocked_by)


def _conditions(conditions: Sequence[Condition], now: datetime) -> str:
    rows = [
        (each.type, each.status, each.reason, format_age(each.last_transition_time, now))
        for each in conditions
    ]
    messages = [each.message for each in conditions]
    if not rows:
        return ""
    return render_table(
        ("TYPE", "STATUS", "REASON", "AGE", "MESSAGE"),
        [(*row, message) for row, message in zip(rows, messages, strict=True)],
    )


def _attempts(attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return ""
    header = ("NUMBER", "JOB", "POD", "NODE", "EXIT", "REASON", "CAUSE", "COST", "MESSAGE")
    return render_table(header, [_attempt(each) for each in attempts])


def _attempt(attempt: Attempt) -> tuple[str, ...]:
    return (
        str(attempt.number),
        attempt.job_name,
        attempt.pod_name or MISSING,
        attempt.node_name or MISSING,
        MISSING if attempt.exit_code is None else str(attempt.exit_code),
        attempt.reason or MISSING,
        attempt.cause or MISSING,
        format_micros(attempt.cost_micros),
        attempt.message,
    )


def _beginning(text: str) -> str:
    lines = text.strip().splitlines()
    cut = [f"… ({len(lines) - _LONGEST_PROMPT} more lines)"] if len(lines) > _LONGEST_PROMPT else []
    return "\n".join([*lines[:_LONGEST_PROMPT], *cut])


def _render(rows: Rows) -> str:
    width = max(len(name) for name, _ in rows) + 4
    return "\n".join(f"{name + ':':<{width}}{value}" for name, value in rows if value)


def _section(title: str, body: str) -> Iterator[str]:
    if body:
        yield f"{title}:"
        yield from (f"  {line}".rstrip() for line in body.splitlines())
