"""From the record of an attempt to its start, and from its end to the next one."""

import pytest

from heliostat_core.agents import AgentSpec
from heliostat_core.executions import Attempt, BlockedBy, Execution, ExecutionStatus, Timeout
from heliostat_operator.model.effects import RevokeKey, StartAttempt, StopAttempt
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide, time_left
from heliostat_operator.runs.observations import LimitUse, Observation, SlotStatus
from heliostat_operator.runs.pods import Job, Pod
from support.builders.pods import (
    make_condition,
    make_job,
    make_pod,
    make_result,
    running,
    terminated,
)
from support.builders.resources import (
    NOW,
    make_admitted,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
    seconds,
)

NOTHING = Facts(None, None)
JOB = Job.model_validate(make_job())
POD = Pod.model_validate(make_pod("Pending"))


def look(
    execution: Execution,
    *,
    after: float = 0,
    facts: Facts = NOTHING,
    spec: AgentSpec | None = None,
    slots: SlotStatus | None = None,
    terminating: bool = False,
) -> Decision:
    seen = Observation(
        None, spec or make_spec(), slots or make_slots(), facts, None, terminating=terminating
    )
    return decide(execution, seen, NOW + seconds(after), make_settings())


# ---- the start -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "facts", "starts"),
    [
        (make_attempt(), NOTHING, True),
        (make_attempt(job_uid="job"), NOTHING, False),
        (make_attempt(pod_name="pod"), NOTHING, False),
        (make_attempt(), Facts(JOB, None), False),
        (make_attempt(), Facts(None, POD), False),
    ],
    ids=["nothing", "its Job is on record", "its pod is on record", "a Job", "a pod"],
)
def test_a_job_is_made_once(attempt: Attempt, facts: Facts, starts: bool) -> None:
    effects = look(make_admitted(attempt), facts=facts).effects
    assert any(isinstance(each, StartAttempt) for each in effects) is starts


def test_a_secret_that_was_deleted_is_made_again_while_the_pod_waits_for_it() -> None:
    attempt = make_attempt(job_uid=JOB.metadata.uid)
    waits = Facts(JOB, POD, secret_is_missing=True)
    [start] = look(make_admitted(attempt), facts=waits).effects
    assert isinstance(start, StartAttempt)
    runs = Facts(JOB, Pod.model_validate(make_pod("Running", running())), secret_is_missing=True)
    assert look(make_admitted(attempt), facts=runs).effects == ()


@pytest.mark.parametrize(
    ("storage", "number", "resumed"),
    [
        ({"type": "Volume", "size": "1Gi"}, 1, None),
        ({"type": "Volume", "size": "1Gi"}, 2, "session"),
        ({"type": "Ephemeral"}, 1, None),
        ({"type": "Ephemeral"}, 2, None),
    ],
)
def test_only_a_further_attempt_on_a_volume_goes_on_in_a_session(
    storage: dict[str, str], number: int, resumed: str | None
) -> None:
    attempts = (make_attempt(1, end=NOW), make_attempt(2, session_id="session"))
    given = attempts if number == 2 else (make_attempt(1, session_id="session"),)
    [start] = look(make_admitted(*given), spec=make_spec(workspace={"storage": storage})).effects
    assert isinstance(start, StartAttempt)
    assert start.resume_session == resumed


@pytest.mark.parametrize(("limit", "after", "again"), [(60, 0, 30), (60, 45, 15)])
def test_a_start_is_looked_at_when_its_deadline_comes(
    limit: int, after: float, again: float
) -> None:
    spec = make_spec(startTimeoutSeconds=limit)
    started = look(make_admitted(), after=after, spec=spec)
    assert started.again_after == again
    [block] = started.status.blocked_by
    assert block.reason == "Starting"
    held = look(make_admitted(), after=after, spec=spec, terminating=True)
    assert (held.effects, held.again_after) == ((), again)
    [block] = held.status.blocked_by
    assert block.reason == "NamespaceTerminating"


def test_words_of_the_scheduler_that_are_too_long_for_a_status_are_cut() -> None:
    condition = make_condition("PodScheduled", "False", "Unschedulable", "0/3 nodes, " * 500)
    pod = Pod.model_validate(make_pod("Pending", conditions=[condition]))
    status = look(make_admitted(make_attempt(job_uid="job")), facts=Facts(JOB, pod)).status
    [block] = status.blocked_by
    assert len(block.message) == 1024


@pytest.mark.parametrize(
    ("execution", "has_snapshot"),
    [(make_execution(status=make_condition_status()), True), (make_admitted(), False)],
    ids=["no attempt", "no snapshot"],
)
def test_an_admission_without_its_record_ends_the_run(
    execution: Execution, has_snapshot: bool
) -> None:
    seen = Observation(None, make_spec() if has_snapshot else None, make_slots(), NOTHING, None)
    decision = decide(execution, seen, NOW, make_settings())
    ended = execution.model_copy(update={"status": decision.status})
    assert ended.finished_reason == "PodLost"
    stop = ended.status.cancellation
    assert stop is not None
    assert (stop.by, stop.time) == ("heliostat-operator", NOW)


FAILED = make_result("Failed", "AgentError", "agent", "It gave up." + "x" * 2000)
LOST = make_result("Failed", "Terminated", "infrastructure")


@pytest.mark.parametrize(
    ("document", "code", "phase", "reason", "after"),
    [
        (make_result(), 0, "Succeeded", None, None),
        (
            make_result("Failed", "KeyRefused", "configuration"),
            14,
            "Retrying",
            "ConfigurationHeld",
            30,
        ),
        (FAILED, 10, "Retrying", "Backoff", 7),
        (LOST, 143, "Retrying", "Backoff", 1),
    ],
)
def test_the_end_of_an_attempt_is_written_and_its_key_is_revoked_at_once(
    document: str, code: int, phase: str, reason: str | None, after: int | None
) -> None:
    pod = Pod.model_validate(make_pod("Failed", terminated(code, message=document)))
    attempt = make_attempt(job_uid=JOB.metadata.uid, start=NOW)
    spec = make_spec(retry={"limit": 1, "backoffSeconds": [7]})
    decision = look(make_admitted(attempt), after=70, facts=Facts(JOB, pod), spec=spec)
    status = decision.status
    assert ([type(each) for each in decision.effects], decision.again_after) == ([RevokeKey], 0)
    assert (status.phase, [each.reason for each in status.blocked_by]) == (
        phase,
        [reason] if reason else [],
    )
    due = None if after is None else NOW + seconds(70 + after)
    assert status.next_attempt_time == due
    for block in status.blocked_by:
        assert block.estimated_time == due
        assert len(block.message) == 1024 or document != FAILED
    assert (status.start_time, status.timeout and status.timeout.used_seconds) == (NOW, 60)


# ---- between two attempts ------------------------------------------------------------------------

DUE = NOW + seconds(60)
FULL = make_slots(granted=False, namespace=LimitUse(6, 6), ahead=100)


def between(
    *reasons: str,
    revoked: bool = True,
    due: float | None = 60,
    timeout: bool = True,
    job_deleted: bool | None = None,
) -> Execution:
    last = make_attempt(
        3,
        job_uid="job",
        start=NOW,
        end=NOW,
        reason="AgentError",
        cause="agent",
        key_revoked=revoked,
        session_id="session",
    ).model_copy(update={"job_deleted": job_deleted})
    status = make_condition_status(last, timeout_seconds=600)
    blocks = tuple(BlockedBy(reason=each) for each in reasons)
    changes = {
        "blocked_by": blocks,
        "next_attempt_time": None if due is None else NOW + seconds(due),
        "timeout": status.timeout if timeout else None,
    }
    return make_execution(status=status.model_copy(update=changes))


def reasons(status: ExecutionStatus) -> list[str]:
    return [each.reason for each in status.blocked_by]


def test_no_attempt_follows_before_the_last_key_is_dead() -> None:
    execution = between("Backoff", revoked=False, due=0)
    decision = look(execution)
    assert [type(each) for each in decision.effects] == [RevokeKey]
    assert (reasons(decision.status), decision.again_after) == (
        ["GatewayUnreachable", "Backoff"],
        1.0,
    )
    again = look(execution.model_copy(update={"status": decision.status}))
    assert again.status == decision.status


@pytest.mark.parametrize(("after", "left"), [(0, 60), (59, 1)])
def test_it_waits_for_its_time_and_for_nothing_that_is_over(after: float, left: float) -> None:
    decision = look(between("GatewayUnreachable", "Backoff"), after=after)
    assert (reasons(decision.status), decision.effects) == (["Backoff"], ())
    assert decision.again_after == left


def test_then_it_waits_for_a_slot() -> None:
    decision = look(between("Backoff"), after=60, slots=FULL)
    assert (reasons(decision.status), decision.again_after) == (["NamespaceConcurrency"], 50)
    gone = look(between("Backoff"), after=60, terminating=True)
    assert (reasons(gone.status), gone.again_after) == (["NamespaceTerminating"], 30)


@pytest.mark.parametrize("due", [60, 0, None])
def test_then_it_is_recorded_and_starts_in_a_step_of_its_own(due: float | None) -> None:
    decision = look(between("Backoff", due=due), after=60)
    status = decision.status
    assert (decision.effects, decision.again_after) == ((), 0)
    assert (status.next_attempt_time, reasons(status)) == (None, ["Starting"])
    last, following = status.attempts
    assert (last.number, following.number, following.job_name) == (3, 4, "sales-1-4")
    assert following.key_expires_time == DUE + seconds(600 + 86_400)


@pytest.mark.parametrize(("volume", "same"), [(True, True), (False, False)])
def test_the_next_attempt_has_the_session_where_its_volume_is_kept(
    volume: bool, same: bool
) -> None:
    storage = {"type": "Volume", "size": "1Gi"} if volume else {"type": "Ephemeral"}
    spec = make_spec(workspace={"storage": storage})
    [_, following] = look(between(due=0), spec=spec).status.attempts
    assert (following.session_id == "session") is same


@pytest.mark.parametrize(
    "decision",
    [
        look(between(due=0, revoked=False, job_deleted=True)),
        look(between(job_deleted=True)),
        look(between(due=0, job_deleted=True), slots=FULL),
        look(between(due=0, job_deleted=True)),
    ],
    ids=["the key lives", "it is not due", "no slot", "it is recorded"],
)
def test_the_job_of_the_last_attempt_goes_whatever_the_next_one_waits_for(
    decision: Decision,
) -> None:
    [stop] = [each for each in decision.effects if isinstance(each, StopAttempt)]
    assert (stop.job_name, stop.job_uid) == ("sales-1-3", "job")


def test_a_run_without_a_clock_gets_the_shortest() -> None:
    [_, following] = look(between(due=0, timeout=False)).status.attempts
    assert following.key_expires_time == NOW + seconds(1 + 86_400)


@pytest.mark.parametrize(
    ("timeout", "start", "left"),
    [(600, 100, 600 - 30 - 20), (600, None, 600 - 30), (None, 100, -30 - 20)],
)
def test_the_clock_of_a_run_counts_what_ended_and_what_runs(
    timeout: int | None, start: float | None, left: float
) -> None:
    ended = make_attempt(1, start=NOW, end=NOW + seconds(30))
    begin = None if start is None else NOW + seconds(start)
    attempt = make_attempt(2, start=begin)
    clock = Timeout(effective_seconds=timeout, source="test") if timeout else None
    status = make_condition_status(ended, attempt).model_copy(update={"timeout": clock})
    assert time_left(status, attempt, NOW + seconds(120)) == left
