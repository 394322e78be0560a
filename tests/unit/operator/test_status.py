"""What stays in a status of the attempts of a run."""

from datetime import datetime

import pytest

from heliostat_core.conditions import FinishedReason, find_condition
from heliostat_core.executions import (
    BlockedBy,
    Cancellation,
    ExecutionStatus,
    ModelUsed,
    Result,
    TranscriptRef,
    Usage,
)
from heliostat_core.resources import Part
from heliostat_core.worlds import JsonObject
from heliostat_operator.gateway.ledgers import AttemptSum, LedgerSum
from heliostat_operator.runs.facts import Ended, Facts
from heliostat_operator.runs.pods import Job, Pod
from heliostat_operator.runs.results import ResultDocument, Transcript
from heliostat_operator.runs.status import (
    Stamp,
    closed_attempt,
    compute_finished,
    compute_running,
    compute_settled,
    stopped_attempt,
    with_attempt,
    with_facts,
    with_ledger,
    with_result,
    with_start,
)
from support.builders.pods import (
    FINISHED,
    make_condition,
    make_job,
    make_pod,
    make_result,
    running,
    terminated,
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
    assert stopped.message == "It was stopped."


# ---- the end of a run ----------------------------------------------------------------------------

STAMP = Stamp(LATER, 3)


def said(status: ExecutionStatus, type_: str) -> tuple[str, str, str]:
    found = find_condition(status.conditions, type_)
    assert found is not None
    assert (found.last_transition_time, found.observed_generation) == (LATER, 3)
    return found.status, found.reason, found.message


@pytest.mark.parametrize(("succeeded", "value"), [(True, "True"), (False, "False")])
def test_the_end_of_a_run_says_how_and_when_and_that_nothing_blocks_it(
    succeeded: bool, value: str
) -> None:
    attempt = make_attempt(start=NOW, end=NOW + seconds(42))
    waiting = make_condition_status(attempt).model_copy(
        update={
            "blocked_by": (BlockedBy(reason="Starting"),),
            "next_attempt_time": LATER,
        }
    )
    ended = compute_finished(waiting, STAMP, succeeded, "Verified", "Well done.")
    assert said(ended, "Succeeded") == (value, "Verified", "Well done.")
    assert said(ended, "Running")[:2] == ("False", "NotRunning")
    assert said(ended, "Settled")[:2] == ("False", "GatewayUnreachable")
    assert (ended.blocked_by, ended.next_attempt_time) == ((), None)
    assert (ended.completion_time, ended.duration_seconds) == (LATER, 42)


def test_a_run_that_never_ran_is_settled_at_once() -> None:
    ended = compute_finished(ExecutionStatus(), STAMP, False, "Cancelled", "")
    assert said(ended, "Settled")[:2] == ("True", "Settled")
    assert ended.duration_seconds == 0


@pytest.mark.parametrize(
    ("ledger", "value", "reason", "words"),
    [
        (None, "False", "GatewayUnreachable", "has not been asked"),
        (LedgerSum(settled=False), "False", "OpenCalls", "may rise"),
        (LedgerSum(estimated=True), "True", "Settled", "estimated"),
    ],
)
def test_money_is_settled_when_the_ledger_has_no_open_row(
    ledger: LedgerSum | None, value: str, reason: str, words: str
) -> None:
    status, told, message = said(compute_settled(ExecutionStatus(), STAMP, ledger), "Settled")
    assert (status, told) == (value, reason)
    assert words in message


def test_what_is_booked_exactly_needs_no_word() -> None:
    exact = compute_settled(ExecutionStatus(), STAMP, LedgerSum())
    assert said(exact, "Settled") == ("True", "Settled", "")


# ---- money ---------------------------------------------------------------------------------------

SPENT = LedgerSum(
    cost_nanos=7_000_000,
    requests=3,
    usage=Usage(input_tokens=5, output_tokens=8),
    provider="anthropic",
    model="claude-sonnet-4-5",
    attempts=(AttemptSum(attempt=2, cost_nanos=4_000_000),),
)


def test_cost_usage_and_provider_are_what_the_ledger_has() -> None:
    first = make_attempt(1).model_copy(update={"cost_micros": 9})
    status = with_ledger(make_condition_status(first, make_attempt(2)), SPENT)
    assert [each.cost_micros for each in status.attempts] == [9, 4000]
    assert status.cost_micros == 7000
    assert status.usage == Usage(requests=3, input_tokens=5, output_tokens=8)
    assert status.model == ModelUsed(name="claude-sonnet-4-5", provider="anthropic")


@pytest.mark.parametrize(
    ("known", "model", "provider", "expected"),
    [
        (None, None, None, ModelUsed(name="")),
        (ModelUsed(name="old", provider="older"), None, None, ModelUsed(name="old")),
        (ModelUsed(name="old"), "new", "vertex", ModelUsed(name="new", provider="vertex")),
    ],
)
def test_a_model_that_the_ledger_does_not_name_is_the_one_that_was_known(
    known: ModelUsed | None, model: str | None, provider: str | None, expected: ModelUsed
) -> None:
    status = ExecutionStatus(model=known)
    ledger = SPENT.model_copy(update={"model": model, "provider": provider})
    assert with_ledger(status, ledger).model == expected


@pytest.mark.parametrize("ledger", [None, LedgerSum(cost_nanos=5)])
def test_a_ledger_without_calls_changes_nothing(ledger: LedgerSum | None) -> None:
    status = make_condition_status(make_attempt())
    assert with_ledger(status, ledger) is status


# ---- names and times of an attempt ---------------------------------------------------------------

JOB = Job.model_validate(make_job(uid="job-uid"))
SUSPENDED = Job.model_validate(make_job(make_condition("Suspended")))


def make_facts(state: JsonObject | None, *, node: str = "node-1", sidecar: bool = False) -> Facts:
    after = {"proxy": running()} if sidecar else None
    pod = make_pod("Running", state, node=node, after=after)
    return Facts(JOB, Pod.model_validate(pod))


def test_the_record_names_what_is_known_of_an_attempt() -> None:
    attempt = make_attempt()
    assert with_facts(attempt, Facts(None, None)) == attempt
    assert with_facts(attempt, Facts(JOB, None)) == make_attempt(job_uid="job-uid")
    runs = with_facts(attempt, make_facts(running(NOW)))
    assert runs == make_attempt(
        job_uid="job-uid", pod_name="sales-1-1-x7k2p", start=NOW
    ).model_copy(update={"node_name": "node-1"})
    assert with_facts(runs, make_facts(None, node="")).model_dump() == {
        **runs.model_dump(),
        "node_name": None,
    }


def test_a_job_that_would_go_on_is_marked_to_be_deleted() -> None:
    ended = terminated(0)
    assert with_facts(make_attempt(), make_facts(ended)).job_deleted is None
    assert with_facts(make_attempt(), make_facts(ended, sidecar=True)).job_deleted is True
    pod = make_facts(ended).pod
    assert with_facts(make_attempt(), Facts(SUSPENDED, pod)).job_deleted is True


# ---- the agent's word ----------------------------------------------------------------------------


def make_ended(result: ResultDocument | None = None, **fields: object) -> Ended:
    return Ended("Verified", "Done." * 400, None, 0, result=result, **fields)  # type: ignore[arg-type]


def document(**fields: object) -> ResultDocument:
    message = make_result(**fields)  # type: ignore[arg-type]
    return ResultDocument.model_validate_json(message)


def test_the_record_of_an_ended_attempt_outlives_its_pod() -> None:
    attempt = make_attempt(session_id="recorded", start=NOW)
    result = document(sessionId="told", resumed=True, secondAttempts=2)
    ended = make_ended(result, started=NOW + seconds(1), ended=FINISHED)
    closed = closed_attempt(attempt, ended, LATER)
    assert closed == attempt.model_copy(
        update={
            "start_time": NOW + seconds(1),
            "end_time": FINISHED,
            "exit_code": 0,
            "reason": "Verified",
            "message": ("Done." * 400)[:1024],
            "session_id": "told",
            "resumed": True,
            "second_attempts": 2,
        }
    )


@pytest.mark.parametrize("result", [None, document(sessionId=None)])
def test_without_a_word_of_the_agent_the_record_stays(result: ResultDocument | None) -> None:
    attempt = make_attempt(session_id="recorded").model_copy(update={"resumed": result is None})
    closed = closed_attempt(attempt, make_ended(result), LATER)
    assert (closed.session_id, closed.resumed) == ("recorded", result is None)
    assert closed.second_attempts == 0


def test_what_the_agent_said_is_kept_as_far_as_a_status_has_room() -> None:
    transcript = {"path": "p" * 300, "marker": "m" * 300, "lines": 7, "stdoutCut": True}
    result = document(result="x" * 5000, truncated=True, transcript=transcript)
    attempt = make_attempt(pod_name="pod")
    status = with_result(ExecutionStatus(), attempt, make_ended(result))
    assert status.result == Result(text="x" * 4096, truncated=True)
    assert status.transcript_ref == TranscriptRef(
        pod_name="pod", path="p" * 256, marker="m" * 256, lines=7, cut=True
    )


@pytest.mark.parametrize("transcript", [None, {"marker": None}])
def test_a_run_without_a_transcript_refers_to_none(transcript: object) -> None:
    result = document(transcript=transcript)
    status = with_result(ExecutionStatus(), make_attempt(), make_ended(result))
    assert status.transcript_ref == TranscriptRef()
    assert with_result(status, make_attempt(), make_ended(None)) is status


@pytest.mark.parametrize("shape", [Transcript(), AttemptSum(attempt=0)])
def test_what_is_left_out_has_no_value(shape: Part) -> None:
    assert not any(shape.model_dump().values())


def test_a_result_needs_no_more_than_its_outcome() -> None:
    short = ResultDocument(version=1, outcome="Succeeded", reason="Verified")
    left = short.model_dump(exclude={"version", "outcome", "reason"})
    assert not any(left.values())
