"""Why an Execution does not run: the same words as in its status, with the time left."""

from collections.abc import Callable
from datetime import datetime, timedelta

from heliostat_cli.blocks import render_agent_why, render_why
from heliostat_core.agents import Agent, AgentStatus
from heliostat_core.conditions import Condition
from heliostat_core.executions import Attempt, BlockedBy, Execution, ExecutionStatus


def test_every_reason_is_told_with_its_time(
    make_execution: Callable[..., Execution],
    make_condition: Callable[..., Condition],
    now: datetime,
) -> None:
    status = ExecutionStatus(
        phase="Pending",
        conditions=(make_condition("Admitted", "False", "AgentConcurrency"),),
        blocked_by=(
            BlockedBy(
                reason="AgentConcurrency",
                message="2 of 2 run.",
                estimated_time=now + timedelta(seconds=35),
            ),
            BlockedBy(reason="TotalConcurrency", message="100 of 100 run."),
        ),
    )
    assert render_why(make_execution(status), now) == (
        "execution sales-1: Pending\n"
        "  AgentConcurrency: 2 of 2 run. Expected to go on in 35s (2026-08-20T16:00:35Z).\n"
        "  TotalConcurrency: 100 of 100 run."
    )


def test_a_new_execution_was_not_looked_at(
    make_execution: Callable[..., Execution], now: datetime
) -> None:
    assert render_why(make_execution(), now) == (
        "execution sales-1: Pending\n  The operator has not looked at it yet."
    )


def test_nothing_blocks_a_running_one(
    make_execution: Callable[..., Execution],
    make_condition: Callable[..., Condition],
    make_attempt: Callable[..., Attempt],
    now: datetime,
) -> None:
    status = ExecutionStatus(
        phase="Running",
        conditions=(make_condition("Running", "True", "ContainerRunning"),),
        attempts=(make_attempt(),),
    )
    assert render_why(make_execution(status), now) == (
        "execution sales-1: Running\n  Nothing blocks it: attempt 1 has been running for 52s."
    )


def test_an_ended_one_says_how(refused: Execution, now: datetime) -> None:
    assert render_why(refused, now) == (
        "execution sales-1: Failed\n"
        "  It ended at 2026-08-20T15:59:20Z. VerificationFailed: check: totals differ"
    )


def test_an_agent_says_whether_it_could_run(
    agent: Agent, make_condition: Callable[..., Condition], now: datetime
) -> None:
    missing = make_condition("Ready", "False", "SecretMissing", "Secret 'crm' does not exist.")
    waiting = agent.model_copy(update={"status": AgentStatus(conditions=(missing,))})
    assert render_agent_why(waiting, now) == (
        "agent sales: NotReady\n  SecretMissing: Secret 'crm' does not exist. (for 10s)"
    )
