"""The end of a run, as `heliostat run` tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heliostat_cli.blocks import phase_of
from heliostat_cli.durations import format_seconds
from heliostat_cli.progress import count, total_tokens
from heliostat_cli.remedies import remedy_for
from heliostat_cli.steps import Narrator
from heliostat_core.conditions import ExecutionCondition, find_condition
from heliostat_core.executions import Execution, ExecutionStatus, Usage
from heliostat_core.money import format_micros

_INDENT = " " * 12
_MOST_FILES = 20


@dataclass(frozen=True)
class Workspace:
    """Where a run worked, as far as this machine can see it; files are relative to the folder."""

    folder: Path
    files: tuple[str, ...] = ()


def render_summary(
    execution: Execution, narrator: Narrator, workspace: Workspace | None = None
) -> str:
    """How it ended, what it said, what it made, what it took."""
    status = execution.status
    found = find_condition(status.conditions, ExecutionCondition.SUCCEEDED)
    rows = [
        (
            "execution",
            f"{execution.metadata.name}: {phase_of(execution)} ({execution.finished_reason})",
        ),
        ("because", found.message if found else ""),
        ("result", _result(status)),
        ("files", _files(workspace)),
        ("steps", _steps(narrator)),
        ("attempts", _attempts(execution)),
        ("tokens", render_tokens(status.usage)),
        ("cost", render_cost(execution)),
        ("workspace", str(workspace.folder) if workspace else ""),
        ("transcript", _transcript(execution, workspace)),
        ("remedy", "" if phase_of(execution) == "Succeeded" else remedy_for(execution)),
    ]
    return render_rows(rows)


def render_rows(rows: Sequence[tuple[str, str]]) -> str:
    """`name   value`, further lines of a value under it; rows without a value are left out."""
    return "\n".join(
        f"{name:<{len(_INDENT)}}" + value.replace("\n", f"\n{_INDENT}")
        for name, value in rows
        if value
    )


def render_tokens(usage: Usage | None) -> str:
    """Tokens by kind, as the ledger counted them."""
    if usage is None:
        return ""
    kinds = (
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cache read", usage.cache_read_tokens),
        ("cache write", usage.cache_write_tokens),
    )
    told = ", ".join(f"{number:,} {name}" for name, number in kinds)
    return f"{total_tokens(usage):,} ({told}) in {count(usage.requests, 'model call')}"


def render_cost(execution: Execution) -> str:
    """Exact; says so when model calls are not booked yet."""
    cost = format_micros(execution.status.cost_micros)
    return cost if execution.is_settled else f"{cost} so far: not every model call is booked yet"


def _result(status: ExecutionStatus) -> str:
    if status.result is None:
        return ""
    return status.result.text.strip() + (" (cut)" if status.result.truncated else "")


def _files(workspace: Workspace | None) -> str:
    if workspace is None:
        return ""
    shown = workspace.files[:_MOST_FILES]
    more = len(workspace.files) - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])])


def _steps(narrator: Narrator) -> str:
    if not narrator.steps:
        return ""
    tools = ", ".join(f"{name} {number}" for name, number in narrator.tools.items())
    return f"{narrator.steps} ({tools})"


def _attempts(execution: Execution) -> str:
    attempts = execution.status.attempts
    if not attempts:
        return ""
    seconds = execution.status.duration_seconds or 0
    again = sum(each.second_attempts for each in attempts)
    told = f"{len(attempts)}, running for {format_seconds(seconds)}"
    return f"{told}, {count(again, 'model call')} made again" if again else told


def _transcript(execution: Execution, workspace: Workspace | None) -> str:
    found = execution.status.transcript_ref
    if found is None:
        return ""
    if workspace is not None and found.path:
        return str(workspace.folder / found.path)
    return f"heliostat logs {execution.metadata.name}"
