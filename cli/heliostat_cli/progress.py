"""What is new in an Execution's status: one line a change, and one line that says how far it is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from heliostat_cli.blocks import phase_of, render_block
from heliostat_cli.durations import format_seconds
from heliostat_cli.steps import Narrator, shorten
from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import Attempt, BlockedBy, Execution, Usage
from heliostat_core.money import format_micros

_FLEETING = frozenset(
    {BlockedReason.STARTING, BlockedReason.STOPPING, BlockedReason.POD_NOT_CREATED}
)
"""Part of every start and stop: worth a line only when they last."""
_LONG = timedelta(seconds=5)


@dataclass
class Progress:
    """Remembers what was told, so that every change is told once."""

    _told: set[str] = field(default_factory=set)
    _since: dict[str, datetime] = field(default_factory=dict)
    _phase: str = ""

    def tell(self, execution: Execution, now: datetime) -> list[str]:
        """Lines about what changed since the last call."""
        lines = [line for each in execution.status.attempts for line in self._ended(each)]
        phase = phase_of(execution)
        if phase != self._phase:
            self._phase = phase
            lines.append(_phase_line(execution, phase))
        if not execution.is_finished:
            for block in execution.status.blocked_by:
                lines += self._waits(block, now)
        return lines

    def _waits(self, block: BlockedBy, now: datetime) -> list[str]:
        key = f"{block.reason}/{block.message}"
        lasted = now - self._since.setdefault(key, now)
        if block.reason in _FLEETING and lasted < _LONG:
            return []
        return self._once(key, f"  waits: {render_block(block, now)}")

    def _ended(self, attempt: Attempt) -> list[str]:
        if not attempt.is_over:
            return []
        return self._once(f"ended {attempt.number}", _attempt_line(attempt))

    def _once(self, key: str, line: str) -> list[str]:
        if key in self._told:
            return []
        self._told.add(key)
        return [line]


def render_line(execution: Execution, narrator: Narrator, now: datetime) -> str:
    """The line that stays at the bottom while a run goes on."""
    status = execution.status
    facts = [phase_of(execution)]
    if status.start_time is not None:
        facts.append(format_seconds((now - status.start_time).total_seconds()))
    facts.append(count(narrator.steps, "step"))
    if status.usage is not None:
        facts.append(count(total_tokens(status.usage), "token"))
    facts.append(format_micros(status.cost_micros))
    return " · ".join(facts)


def count(number: int, noun: str) -> str:
    """`1 step`, `1,234 tokens`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def total_tokens(usage: Usage) -> int:
    return (
        usage.input_tokens
        + usage.output_tokens
        + usage.cache_read_tokens
        + usage.cache_write_tokens
    )


def _phase_line(execution: Execution, phase: str) -> str:
    attempt = execution.current_attempt
    if attempt is None or execution.is_finished:
        return phase
    return f"{phase} (attempt {attempt.number})"


def _attempt_line(attempt: Attempt) -> str:
    message = f": {shorten(attempt.message)}" if attempt.message else ""
    return f"attempt {attempt.number} ended: {attempt.reason}{message}"
