"""What stays in a status of the attempts of a run."""

from datetime import datetime

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Cancellation
from heliostat_operator.runs.facts import Ended
from heliostat_operator.runs.status import (
    Stamp,
    closed_attempt,
    compute_running,
    stopped_attempt,
    with_attempt,
    with_start,
)
from support.builders.resources import NOW, make_attempt, make_condition_status, seconds

LATER = NOW + seconds(60)


def test_a_record_that_is_written_again_keeps_its_place() -> None:
    first, second, third = (make_attempt(number) for number in (1, 2, 3))
    status = make_condition_status(first, second)
    revoked = first.model_copy(update={"key_revoked": True})
    assert with_attempt(status, revoked).attempts == (revoked, second)
    assert with_attempt(status, third).attempts == (first, second, third)


def test_the_start_of_a_run_is_that_of_its_first_container() -> None:
    stamp = Stamp(LATER, 1)
    waiting = compute_running(make_condition_status(), stamp, None)
    assert waiting.start_time is None
    runs = compute_running(waiting, stamp, NOW)
    assert runs.start_time == NOW
    assert compute_running(runs, stamp, LATER).start_time == NOW
    assert with_start(runs, LATER).start_time == NOW
    assert with_start(runs, None).start_time == NOW


@pytest.mark.parametrize(
    ("told", "expected"), [(NOW + seconds(5), NOW + seconds(5)), (None, LATER)]
)
def test_an_attempt_ends_with_its_container_or_when_the_end_is_noticed(
    told: datetime | None, expected: datetime
) -> None:
    ended = Ended("AgentError", "It gave up.", "agent", started=NOW, ended=told)
    closed = closed_attempt(make_attempt(), ended, LATER)
    assert (closed.start_time, closed.end_time) == (NOW, expected)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (FinishedReason.TIMED_OUT, "limit"),
        (FinishedReason.START_TIMED_OUT, "limit"),
        (FinishedReason.CANCELLED, None),
        (FinishedReason.DELETED, None),
    ],
)
def test_an_attempt_that_was_stopped_failed_only_by_a_limit(
    reason: FinishedReason, cause: str | None
) -> None:
    stop = Cancellation(time=NOW, reason=reason, message="It was stopped.")
    stopped = stopped_attempt(make_attempt(start=NOW), stop, LATER)
    assert (stopped.end_time, stopped.reason, stopped.cause) == (LATER, reason, cause)
