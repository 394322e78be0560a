"""What a run reached with one write of its status."""

import logging

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution, ExecutionStatus
from heliostat_operator.observability.run_events import (
    Admitted,
    AttemptEnded,
    Finished,
    Settled,
    Started,
    log_run_events,
    run_events,
)
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)


def execution(status: ExecutionStatus | None = None) -> Execution:
    return make_execution(status=status, created=NOW - seconds(7))


WAITS = execution()
ADMITTED = execution(make_condition_status(make_attempt()))
RUNS = execution(
    make_condition_status(make_attempt(start=NOW + seconds(3))).model_copy(
        update={"start_time": NOW + seconds(3)}
    )
)
OVER = make_attempt(
    start=NOW + seconds(3), end=NOW + seconds(10), reason="AgentError", cause="agent"
)
ENDED = execution(
    make_condition_status(
        OVER, succeeded="False", reason=FinishedReason.AGENT_ERROR, settled="False"
    ).model_copy(update={"start_time": NOW + seconds(3), "duration_seconds": 7})
)
SETTLED = execution(
    make_condition_status(
        OVER, succeeded="False", reason=FinishedReason.AGENT_ERROR, settled="True"
    ).model_copy(
        update={"start_time": NOW + seconds(3), "duration_seconds": 7, "cost_micros": 1200}
    )
)


def test_a_life_is_told_step_by_step() -> None:
    assert list(run_events(WAITS, ADMITTED)) == [Admitted(7)]
    assert list(run_events(ADMITTED, RUNS)) == [Started(3)]
    assert list(run_events(RUNS, ENDED)) == [
        AttemptEnded(OVER),
        Finished("Failed", "AgentError", 7),
    ]
    assert list(run_events(ENDED, SETTLED)) == [Settled(1200)]


def test_a_life_is_told_in_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_run_events(WAITS, SETTLED)
    log_run_events(SETTLED, SETTLED)
    assert caplog.messages == [
        "admitted after 7 s",
        "its container runs, 3 s after the admission",
        "attempt 1 ended: AgentError, caused by agent",
        "finished: Failed, AgentError, after 7 s of running",
        "its cost is final: $0.001200",
    ]


def test_what_never_ran_has_no_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    skipped = make_condition_status(succeeded="False", reason=FinishedReason.SKIPPED)
    *_, last = run_events(WAITS, execution(skipped))
    assert last == Finished("Skipped", "Skipped", None)
    log_run_events(WAITS, execution(skipped))
    assert caplog.messages[-1] == "finished: Skipped, Skipped, it never ran"


def test_what_was_reached_before_is_not_reached_again() -> None:
    for each in (WAITS, ADMITTED, RUNS, ENDED, SETTLED):
        assert list(run_events(each, each)) == []


def test_one_write_may_reach_all() -> None:
    assert len(list(run_events(WAITS, SETTLED))) == 5


def test_a_clock_that_is_behind_makes_no_negative_wait() -> None:
    early = make_execution(created=NOW + seconds(60))
    admitted = make_execution(
        status=make_condition_status(make_attempt()), created=NOW + seconds(60)
    )
    assert list(run_events(early, admitted)) == [Admitted(0)]
