"""Every change of a status is told once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from heliostat_cli.progress import Progress, render_line
from heliostat_cli.steps import Narrator
from heliostat_core.conditions import Condition
from heliostat_core.executions import Attempt, BlockedBy, Execution, ExecutionStatus


def test_phases_reasons_and_ended_attempts_come_once(
    make_execution: Callable[..., Execution],
    make_attempt: Callable[..., Attempt],
    succeeded: Execution,
    now: datetime,
) -> None:
    progress = Progress()
    waiting = make_execution(
        ExecutionStatus(
            phase="Pending", blocked_by=(BlockedBy(reason="AgentSuspended", message="suspended."),)
        )
    )
    running = make_execution(ExecutionStatus(phase="Running", attempts=(make_attempt(),)))
    told = [
        line
        for execution in (waiting, waiting, running, running, succeeded, succeeded)
        for line in progress.tell(execution, now)
    ]
    assert told == [
        "Pending",
        "  waits: AgentSuspended: suspended.",
        "Running (attempt 1)",
        "attempt 1 ended: Verified",
        "Succeeded",
    ]


def test_what_every_start_has_is_told_only_when_it_lasts(
    make_execution: Callable[..., Execution], now: datetime
) -> None:
    progress = Progress()
    starting = make_execution(
        ExecutionStatus(
            phase="Starting", blocked_by=(BlockedBy(reason="Starting", message="On its way."),)
        )
    )
    assert progress.tell(starting, now) == ["Starting"]
    assert progress.tell(starting, now + timedelta(seconds=4)) == []
    assert progress.tell(starting, now + timedelta(seconds=5)) == ["  waits: Starting: On its way."]


def test_the_line_at_the_bottom_has_steps_tokens_and_cost(
    succeeded: Execution, make_condition: Callable[..., Condition], now: datetime
) -> None:
    del make_condition
    assert render_line(succeeded, Narrator(steps=1), now) == (
        "Succeeded · 52s · 1 step · 47,380 tokens · $0.104282"
    )
