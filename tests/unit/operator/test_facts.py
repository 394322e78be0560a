"""What is known of an attempt's Job and pod: when it is over, and what of it would go on."""

import pytest

from heliostat_core.names import RECORDED_ANNOTATION, RUN_FINALIZER
from heliostat_core.worlds import JsonObject
from heliostat_operator.gateway.ledgers import LedgerSum
from heliostat_operator.model.effects import ReleaseExecution, RevokeKey, StopAttempt
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts, is_over, node_is_silent, overdue_seconds
from heliostat_operator.runs.leftover_jobs import LeftoverJob, goes_on, leftover_job
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import EventObject, Job, Pod
from heliostat_operator.runs.waits import names_missing_secret
from support.builders.pods import (
    job_failed,
    make_condition,
    make_event,
    make_job,
    make_pod,
    running,
    terminated,
    waiting,
)
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    seconds,
)

JOB = make_job()
FAILED = make_job(job_failed("BackoffLimitExceeded", "It failed."))
COMPLETE = make_job(make_condition("Complete"))
SUSPENDED = make_job(make_condition("Suspended"))
RESUMED = make_job(make_condition("Suspended", "False"))
COUNTED: JsonObject = {**JOB, "status": {"failed": 1}}


def facts(
    job: JsonObject | None, pod: JsonObject | None, *, overdue: float = 0, counted: float = 0
) -> Facts:
    return Facts(
        Job.model_validate(job) if job else None,
        Pod.model_validate(pod) if pod else None,
        overdue_seconds=overdue,
        counted_seconds=counted,
    )


@pytest.mark.parametrize(
    ("seen", "over"),
    [
        (facts(None, None), True),
        (facts(None, make_pod("Running", running())), False),
        (facts(None, make_pod("Running", terminated(0))), False),  # its Job may not be known yet
        (facts(None, make_pod("Failed")), True),
        (facts(JOB, None), False),
        (facts(FAILED, None), True),
        (facts(COMPLETE, None), True),
        (facts(SUSPENDED, None), False),
        (facts(COUNTED, None, counted=10), False),
        (facts(COUNTED, None, counted=10.1), True),
        (facts(JOB, None, counted=100), False),
        (facts(JOB, make_pod()), False),
        (facts(JOB, make_pod("Running", running())), False),
        (facts(FAILED, make_pod("Running", running())), False),
        (facts(JOB, make_pod("Running", terminated(0))), True),
        (facts(JOB, make_pod("Succeeded")), True),
        (facts(JOB, make_pod("Running", running()), overdue=60), False),
        (facts(JOB, make_pod("Running", running()), overdue=60.1), True),
    ],
)
def test_an_attempt_is_over_when_it_can_make_no_further_step(seen: Facts, over: bool) -> None:
    assert is_over(seen) is over
    assert node_is_silent(seen) is (seen.overdue_seconds > 60)


@pytest.mark.parametrize(("after", "overdue"), [(-5, 0), (0, 0), (7, 7)])
def test_a_pod_is_overdue_when_its_grace_is_over(after: float, overdue: float) -> None:
    pod = Pod.model_validate(make_pod("Running", running(), deleted=NOW))
    assert overdue_seconds(pod, NOW + seconds(after)) == overdue
    assert overdue_seconds(Pod.model_validate(make_pod()), NOW) == 0
    assert overdue_seconds(None, NOW) == 0


# ---- Jobs that would go on -----------------------------------------------------------------------

ENDED = terminated(0)
SIDECAR = {"mesh": running()}


@pytest.mark.parametrize(
    ("seen", "does"),
    [
        (facts(JOB, None), False),
        (facts(SUSPENDED, None), False),
        (facts(SUSPENDED, make_pod("Running", running())), False),
        (facts(SUSPENDED, make_pod("Failed", ENDED)), True),
        (facts(RESUMED, make_pod("Failed", ENDED)), False),
        (facts(JOB, make_pod("Running", ENDED)), False),
        (facts(JOB, make_pod("Running", ENDED, after=SIDECAR)), True),
        (facts(None, make_pod("Running", ENDED, before=SIDECAR)), True),
        (facts(JOB, make_pod("Running", running(), after=SIDECAR)), False),
    ],
)
def test_a_job_goes_on_by_a_sidecar_or_when_it_is_suspended(seen: Facts, does: bool) -> None:
    assert goes_on(seen) is does


LAST = make_attempt(start=NOW, end=NOW, job_uid="job", pod_name="pod", key_revoked=True).model_copy(
    update={"job_deleted": True}
)
STOP = StopAttempt("sales-1-1", "job", "pod", None, 3)
API = make_settings(api_url="http://api:8080")
READ = 60 + API.delivery_seconds


@pytest.mark.parametrize(
    ("api", "recorded", "deleted", "after", "stays"),
    [
        (False, False, False, 0, 0),
        (True, False, False, 0, READ),
        (True, False, False, READ - 1, 1),
        (True, False, False, READ, 0),
        (True, True, False, 0, 0),
        (True, False, True, 0, 0),
    ],
    ids=["no api", "just ended", "almost read", "read by now", "recorded", "deleted"],
)
def test_a_pods_log_stays_as_long_as_the_api_may_need_it(
    api: bool, recorded: bool, deleted: bool, after: float, stays: float
) -> None:
    status = make_condition_status(LAST, succeeded="True", reason="Verified")
    execution = make_execution(status=status, deleted=NOW if deleted else None)
    annotations = {RECORDED_ANNOTATION: "now"} if recorded else {}
    meta = execution.metadata.model_copy(update={"annotations": annotations})
    execution = execution.model_copy(update={"metadata": meta})
    found = leftover_job(execution, NOW + seconds(after), API if api else make_settings())
    assert found == LeftoverJob(() if stays else (STOP,), stays)


def test_a_job_that_ends_by_itself_is_left_alone() -> None:
    plain = make_attempt(start=NOW, end=NOW, job_uid="job")
    for attempts in ((plain,), ()):
        execution = make_execution(status=make_condition_status(*attempts, succeeded="True"))
        assert leftover_job(execution, NOW, make_settings()) == LeftoverJob()


# ---- letting a run go ----------------------------------------------------------------------------


def let_go(
    *,
    revoked: bool = True,
    settled: bool = True,
    ledger: LedgerSum | None = None,
    api: bool = False,
) -> Decision:
    attempt = LAST.model_copy(update={"key_revoked": revoked})
    status = make_condition_status(
        attempt, succeeded="True", reason="Verified", settled="True" if settled else "False"
    )
    execution = make_execution(status=status, finalizers=(RUN_FINALIZER,))
    seen = Observation(None, None, make_slots(), facts(None, None), ledger)
    return decide(execution, seen, NOW + seconds(8), API if api else make_settings())


def kinds(decision: Decision) -> list[type]:
    return [type(each) for each in decision.effects]


def test_a_job_that_would_go_on_goes_whatever_else_the_run_waits_for() -> None:
    held = let_go(revoked=False)
    assert (kinds(held), held.again_after) == ([RevokeKey, StopAttempt], 2)
    open_calls = let_go(settled=False, ledger=LedgerSum(settled=False))
    assert (kinds(open_calls), open_calls.again_after) == ([StopAttempt], 2)
    booked = let_go(settled=False, ledger=LedgerSum())
    assert (kinds(booked), booked.again_after) == ([StopAttempt], 0)
    done = let_go()
    assert (kinds(done), done.again_after) == ([StopAttempt, ReleaseExecution], None)


def test_a_run_is_let_go_when_its_pods_log_is_read() -> None:
    decision = let_go(api=True)
    assert (decision.effects, decision.again_after) == ((), READ - 8)


def test_a_run_is_let_go_while_its_finalizer_or_its_mark_is_not_as_it_should_be() -> None:
    status = make_condition_status(
        make_attempt(start=NOW, end=NOW, key_revoked=True),
        make_attempt(2, start=NOW, end=NOW, reason="Cancelled", key_revoked=True),
        succeeded="True",
        reason="Verified",
        settled="True",
    )
    seen = Observation(None, None, make_slots(), facts(None, None), None)
    marks = {"heliostat.dev/finished": "true"}
    for finalizers, labels, leaves in (
        ((RUN_FINALIZER,), {}, False),
        ((RUN_FINALIZER,), marks, False),
        ((), {}, False),
        ((), {"heliostat.dev/finished": "false"}, False),
        ((), marks, True),
        (("other.dev/own",), marks, True),
    ):
        execution = make_execution(status=status, finalizers=finalizers, labels=labels)
        decision = decide(execution, seen, NOW, make_settings())
        expected = [] if leaves else [ReleaseExecution(status.attempts)]
        assert list(decision.effects) == expected


# ---- Secrets that are missing --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "event", "missing"),
    [
        (waiting("CreateContainerConfigError", 'secret "run-1" not found'), None, True),
        (waiting("CreateContainerConfigError", 'secret "run-10" not found'), None, False),
        (running(), 'MountVolume.SetUp failed: secret "run-1" not found', True),
        (None, 'MountVolume.SetUp failed: secret "run-1" not found', True),
        (running(), 'configmap "run-1" not found', False),
        (running(), None, False),
    ],
)
def test_the_kubelet_names_the_secret_that_it_misses(
    state: JsonObject | None, event: str | None, missing: bool
) -> None:
    events = [EventObject.model_validate(make_event("FailedMount", event))] if event else []
    pod = Pod.model_validate(make_pod("Pending", state)) if state else None
    assert names_missing_secret(pod, events, "run-1") is missing
