"""Who is stuck, and how many there are."""

import pytest

from heliostat_core.executions import BlockedBy, Cancellation, Execution, Phase
from heliostat_operator.model.indexes import UnfinishedRuns
from heliostat_operator.runs.status import Stamp, compute_running
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)

KEY = ("default", "sales-1")
STAMP = Stamp(NOW, 1)
STARTING = make_execution(status=make_condition_status(make_attempt()))
RUNNING = make_execution(
    status=compute_running(
        make_condition_status(make_attempt(start=NOW), timeout_seconds=600), STAMP, NOW
    )
)
RETRYING = make_execution(status=make_condition_status(make_attempt(end=NOW)))
STOPPING = make_execution(
    status=make_condition_status(make_attempt()).model_copy(
        update={"cancellation": Cancellation(time=NOW, reason="Cancelled")}
    )
)
PENDING = make_execution()


@pytest.mark.parametrize(
    ("execution", "phase", "patience"),
    [
        (STARTING, Phase.STARTING, 900),
        (RUNNING, Phase.RUNNING, 600 + 300),
        (RETRYING, Phase.RETRYING, 300),
        (STOPPING, Phase.STOPPING, 300),
    ],
)
def test_a_run_is_stuck_when_its_own_clock_has_run_out(
    execution: Execution, phase: Phase, patience: int
) -> None:
    census = UnfinishedRuns()
    census.see(execution)
    assert census.phases() == {phase: 1}
    assert not census.stuck(NOW + seconds(patience))
    assert census.stuck(NOW + seconds(patience + 1)) == {phase: 1}


def test_a_run_that_waits_in_the_queue_is_never_stuck() -> None:
    census = UnfinishedRuns()
    census.see(PENDING)
    assert not census.stuck(NOW + seconds(10**6))
    assert census.longest_wait(NOW + seconds(90)) == 90


def test_the_first_reason_counts() -> None:
    blocks = (BlockedBy(reason="AgentConcurrency"), BlockedBy(reason="Blackout"))
    status = PENDING.status.model_copy(update={"blocked_by": blocks})
    census = UnfinishedRuns()
    census.see(make_execution(status=status))
    assert census.blocks() == {"AgentConcurrency": 1}


def test_who_has_finished_or_gone_is_counted_no_more() -> None:
    census = UnfinishedRuns()
    census.see(STARTING)
    census.see(make_execution(status=make_condition_status(make_attempt(), succeeded="True")))
    assert not census.phases()
    census.see(STARTING)
    census.keep_only(census.known(), [])
    assert not census.agents()
    assert census.longest_wait(NOW) == 0
