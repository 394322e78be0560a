"""Which change of a status may wait for the next write."""

import pytest

from heliostat_core.executions import Attempt, BlockedBy, ExecutionStatus
from heliostat_operator.runs.status import names_due
from support.builders.resources import NOW, make_attempt, seconds

RECORDED = make_attempt(job_uid=None)
MADE = RECORDED.model_copy(update={"job_uid": "job-1"})
LOCATED = MADE.model_copy(update={"pod_name": "p", "node_name": "n"})
DUE = RECORDED.created_time + seconds(10)


def status(*attempts: Attempt, blocked: str = "Starting", cost: int = 0) -> ExecutionStatus:
    return ExecutionStatus(
        attempts=attempts, blocked_by=(BlockedBy(reason=blocked),), cost_micros=cost
    )


@pytest.mark.parametrize("after", [MADE, LOCATED])
@pytest.mark.parametrize("before", [RECORDED, MADE])
def test_names_alone_wait(before: Attempt, after: Attempt) -> None:
    assert names_due(status(before), status(after)) == DUE


@pytest.mark.parametrize(
    "after",
    [
        status(),
        status(MADE, blocked="ImagePull"),
        status(MADE, cost=1),
        status(MADE.model_copy(update={"start_time": NOW})),
        status(MADE.model_copy(update={"key_revoked": True})),
        status(MADE, make_attempt(2)),
        status(RECORDED.model_copy(update={"pod_name": "p"})),
    ],
    ids=["none", "block", "cost", "start", "key", "next attempt", "a pod without a known Job"],
)
def test_everything_else_is_written_at_once(after: ExecutionStatus) -> None:
    assert names_due(status(RECORDED), after) is None
    assert names_due(status(), after) is None


def test_the_names_of_a_further_attempt_wait_and_what_changes_before_it_does_not() -> None:
    first, second = make_attempt(1, job_uid="first"), make_attempt(2, created=NOW + seconds(90))
    made = second.model_copy(update={"job_uid": "job-2", "pod_name": "p"})
    before = status(first, second)
    assert names_due(before, status(first, made)) == NOW + seconds(100)
    revoked = first.model_copy(update={"key_revoked": True})
    assert names_due(before, status(revoked, made)) is None
