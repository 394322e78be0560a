"""How long the pod of an attempt may take until its container runs."""

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import BlockedBy, Execution
from heliostat_operator.model.effects import RevokeKey
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Job, Pod
from support.builders.pods import make_condition, make_job, make_pod, running
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
    seconds,
)

PENDING = Pod.model_validate(make_pod("Pending"))


def starting(*, why: str = "Unschedulable", job_uid: str | None = "job") -> Execution:
    status = make_condition_status(make_attempt(job_uid=job_uid))
    block = BlockedBy(reason=why, message="No node takes the pod: 0/3 nodes are available.")
    return make_execution(status=status.model_copy(update={"blocked_by": (block,)}))


def look(execution: Execution, facts: Facts, after: float, limit: int = 600) -> Decision:
    spec = make_spec(startTimeoutSeconds=limit)
    seen = Observation(None, spec, make_slots(), facts, None)
    return decide(execution, seen, NOW + seconds(after), make_settings())


def has_ended(decision: Decision) -> bool:
    stop = decision.status.cancellation
    return stop is not None and stop.reason == FinishedReason.START_TIMED_OUT


@pytest.mark.parametrize(("after", "ends"), [(599, False), (600, True)])
def test_a_pod_that_does_not_start_in_time_ends_the_run(after: float, ends: bool) -> None:
    decision = look(starting(), Facts(Job.model_validate(make_job()), PENDING), after)
    assert has_ended(decision) is ends


def test_the_end_names_what_kept_it_and_the_remedy_and_revokes_the_key() -> None:
    waiting = starting()
    stopping = look(waiting, Facts(Job.model_validate(make_job()), PENDING), 600)
    assert any(isinstance(each, RevokeKey) for each in stopping.effects)
    stopped = waiting.model_copy(update={"status": stopping.status})
    ended = look(stopped, Facts(None, None), 604).status
    [attempt] = ended.attempts
    assert (ended.phase, attempt.reason, attempt.cause) == ("Failed", "StartTimedOut", "limit")
    assert "within 600 s" in attempt.message
    assert "0/3 nodes are available" in attempt.message
    assert "raise startTimeoutSeconds" in attempt.message


def test_a_run_whose_objects_are_refused_ends_as_well() -> None:
    assert has_ended(look(starting(why="Refused", job_uid=None), Facts(None, None), 600))


def test_a_container_that_runs_is_not_late() -> None:
    facts = Facts(
        Job.model_validate(make_job()), Pod.model_validate(make_pod("Running", running(NOW)))
    )
    assert not has_ended(look(starting(), facts, 601))


def test_a_suspended_job_has_no_deadline_and_begins_anew_afterwards() -> None:
    suspended = Job.model_validate(make_job(make_condition("Suspended", reason="JobSuspended")))
    decision = look(starting(), Facts(suspended, None), 100_000)
    assert not has_ended(decision)
    [block] = decision.status.blocked_by
    assert block.reason == "JobSuspended"
    status = suspended.status.model_copy(
        update={"conditions": (), "start_time": NOW + seconds(100_000)}
    )
    resumed = suspended.model_copy(update={"status": status})
    assert not has_ended(look(starting(), Facts(resumed, PENDING), 100_599))
    assert has_ended(look(starting(), Facts(resumed, PENDING), 100_600))


def test_it_is_looked_at_when_the_deadline_comes() -> None:
    facts = Facts(Job.model_validate(make_job()), PENDING)
    assert look(starting(), facts, 590).again_after == 10
    assert look(starting(), facts, 10).again_after == 30


def test_a_pod_that_says_why_it_waits_is_looked_at_seldom_for_the_watch_tells_what_changes() -> (
    None
):
    """A thousand of them would keep the runs of others waiting."""
    condition = make_condition("PodScheduled", "False", "Unschedulable", "0/3 nodes")
    unschedulable = Pod.model_validate(make_pod("Pending", conditions=[condition]))
    facts = Facts(Job.model_validate(make_job()), unschedulable)
    assert look(starting(), facts, 10).again_after == 120
    assert look(starting(), facts, 590).again_after == 10
