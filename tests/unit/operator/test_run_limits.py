"""All attempts of a run share one clock and one sum of money."""

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Attempt, Execution
from heliostat_operator.model.effects import StartAttempt
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Job, Pod
from heliostat_operator.runs.status import used_seconds
from support.builders.pods import make_job, make_pod, make_result, running, terminated
from support.builders.resources import (
    NOW,
    make_admitted,
    make_attempt,
    make_settings,
    make_slots,
    make_spec,
    seconds,
)

NOTHING = Facts(None, None)
FAILED = make_result("Failed", "AgentError", "agent", "It gave up.")


def lost(ran: float) -> Attempt:
    """A first attempt that ran so many seconds before its node went."""
    return make_attempt(
        start=NOW,
        end=NOW + seconds(ran),
        reason="NodeLost",
        cause="infrastructure",
        key_revoked=True,
    )


def look(execution: Execution, after: float, facts: Facts, **limits: int) -> Decision:
    spec = make_spec(limits=limits, retry={"limit": 1, "backoffSeconds": [1]})
    seen = Observation(None, spec, make_slots(), facts, None)
    return decide(execution, seen, NOW + seconds(after), make_settings())


def followed(started: float | None = None, failed_after: float | None = None) -> Facts:
    """The pod of an attempt that runs since then, or failed after so many seconds."""
    begin = NOW + seconds(started or 0)
    state = running(begin)
    if failed_after is not None:
        state = terminated(1, message=FAILED, started=begin, finished=begin + seconds(failed_after))
    pod = make_pod("Running" if failed_after is None else "Failed", state)
    return Facts(Job.model_validate(make_job()), Pod.model_validate(pod))


@pytest.mark.parametrize(("ran", "left"), [(0, 600), (100, 500), (599, 1), (600, 1)])
def test_a_further_attempt_gets_what_the_first_has_left_of_the_time(ran: float, left: int) -> None:
    second = make_attempt(2, created=NOW + seconds(ran))
    execution = make_admitted(lost(ran), second, timeout_seconds=600)
    [start] = look(execution, ran, NOTHING, timeoutSeconds=600).effects
    assert isinstance(start, StartAttempt)
    assert start.timeout_seconds == left


@pytest.mark.parametrize(("runs", "again"), [(0, 15), (484, 15), (495, 5), (499, 1), (501, 1)])
def test_what_runs_is_looked_at_for_its_cost_and_when_its_time_is_over(
    runs: float, again: float
) -> None:
    second = make_attempt(2, created=NOW + seconds(190))
    execution = make_admitted(lost(100), second, timeout_seconds=600)
    decision = look(execution, 200 + runs, followed(started=200), timeoutSeconds=600)
    assert decision.status.phase == "Running"
    assert decision.again_after == again


@pytest.mark.parametrize(
    ("seconds_of_all", "goes_on"), [(160, False), (161, True), (60, False), (3600, True)]
)
def test_no_attempt_follows_when_the_time_of_all_is_used(
    seconds_of_all: int, goes_on: bool
) -> None:
    second = make_attempt(2, created=NOW + seconds(190), job_uid="job")
    execution = make_admitted(lost(100), second, timeout_seconds=seconds_of_all)
    facts = followed(started=200, failed_after=60)
    status = look(execution, 260, facts, timeoutSeconds=seconds_of_all).status
    assert status.timeout is not None
    assert status.timeout.used_seconds == 160
    ended = execution.model_copy(update={"status": status})
    expected = FinishedReason.ACTIVE if goes_on else FinishedReason.TIMED_OUT
    assert ended.finished_reason == expected
    assert (status.next_attempt_time is not None) is goes_on


@pytest.mark.parametrize(("most", "goes_on"), [(499, False), (500, False), (501, True)])
def test_no_attempt_follows_when_the_money_of_all_is_spent(most: int, goes_on: bool) -> None:
    execution = make_admitted(make_attempt(job_uid="job"))
    spent = execution.status.model_copy(update={"cost_micros": 500})
    execution = execution.model_copy(update={"status": spent})
    status = look(execution, 60, followed(failed_after=60), maxCostMicros=most).status
    ended = execution.model_copy(update={"status": status})
    expected = FinishedReason.ACTIVE if goes_on else FinishedReason.COST_LIMIT
    assert ended.finished_reason == expected


def test_a_clock_that_was_set_back_gives_no_time_back() -> None:
    times = [(0, 30.5), (50, 40), (60, 60), (70, 70.4)]
    attempts = tuple(
        make_attempt(number, start=NOW + seconds(start), end=NOW + seconds(end))
        for number, (start, end) in enumerate(times, 1)
    )
    assert used_seconds(attempts) == 30
    assert used_seconds((*attempts, make_attempt(5, start=NOW), make_attempt(6))) == 30
