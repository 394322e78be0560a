"""Why a run has to stop."""

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Attempt, BlockedBy, Cancellation, Execution
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import JsonObject
from heliostat_operator.gateway.ledgers import LedgerSum
from heliostat_operator.model.effects import Effect, RevokeKey, StopAttempt, TellAgent
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Job, Pod
from heliostat_operator.runs.stops import (
    compute_late_start,
    compute_stop,
    is_stopped,
    live_keys,
    manager_of_cancel,
)
from heliostat_operator.settings import OperatorSettings
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
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
    seconds,
)

ALONE = make_settings()
WITH_API = make_settings(api_url="http://api:8080")


@pytest.mark.parametrize(
    ("settings", "ran", "is_late"),
    [(ALONE, 31, False), (ALONE, 32, True), (WITH_API, 91, False), (WITH_API, 92, True)],
)
def test_the_wait_for_the_api_does_not_make_a_run_late(
    settings: OperatorSettings, ran: int, is_late: bool
) -> None:
    status = make_condition_status(make_attempt(start=NOW), timeout_seconds=30)
    execution = make_execution(status=status)
    facts = Facts(None, Pod.model_validate(make_pod("Running", running(NOW))))
    seen = Observation(None, make_spec(), make_slots(), facts, None)
    stop = compute_stop(execution, seen, NOW + seconds(ran), settings)
    assert (stop is not None and stop.reason == FinishedReason.TIMED_OUT) is is_late


def entry(manager: str, time: str | None, *fields: str) -> dict[str, object]:
    return {"manager": manager, "time": time, "fieldsV1": {"f:spec": {name: {} for name in fields}}}


@pytest.mark.parametrize(
    ("entries", "manager"),
    [
        ([], ""),
        ([entry("kubectl", "2026-03-01T08:00:00Z", "f:prompt")], ""),
        ([entry("kubectl", "2026-03-01T08:00:00Z", "f:cancel")], "kubectl"),
        (
            [
                entry("dashboard", "2026-03-01T09:00:00Z", "f:cancel"),
                entry("kubectl", "2026-03-01T08:00:00Z", "f:cancel"),
                entry("other", "2026-03-01T10:00:00Z", "f:prompt"),
            ],
            "dashboard",
        ),
        (
            [
                entry("dashboard", "2026-03-01T09:00:00Z", "f:cancel"),
                entry("old", None, "f:cancel"),
            ],
            "dashboard",
        ),
    ],
)
def test_who_cancels_is_who_set_the_field_last(
    entries: list[dict[str, object]], manager: str
) -> None:
    """Whatever their order: an API server sorts them by name."""
    meta = ObjectMeta.model_validate({"name": "run", "managedFields": entries})
    assert manager_of_cancel(meta) == manager


CANCELLED = Cancellation(
    time=NOW, by="ada", reason=FinishedReason.CANCELLED, message="Cancelled by ada."
)
TERMINATING = Pod.model_validate(make_pod("Running", running(NOW), deleted=NOW))


@pytest.mark.parametrize(("after", "phase"), [(30, "Stopping"), (31, "Cancelled")])
def test_a_pod_on_a_silent_node_holds_a_stopped_run_up_for_so_long(after: int, phase: str) -> None:
    status = make_condition_status(make_attempt(start=NOW, key_revoked=True))
    execution = make_execution(status=status.model_copy(update={"cancellation": CANCELLED}))
    seen = Observation(None, make_spec(), make_slots(), Facts(None, TERMINATING), None)
    decision = decide(execution, seen, NOW + seconds(after), ALONE)
    assert decision.status.phase == phase
    assert any(isinstance(each, StopAttempt) for each in decision.effects)
    [attempt] = decision.status.attempts
    assert ("silent node" in attempt.message) is (phase == "Cancelled")


def test_a_run_that_was_seen_to_start_is_never_late_to_start() -> None:
    """Its pod may be out of sight since then."""
    spec = make_spec(startTimeoutSeconds=60)
    for start, is_late in ((None, True), (NOW, False)):
        status = make_condition_status(make_attempt(start=start))
        execution = make_execution(status=status)
        late = compute_late_start(execution, Facts(None, None), spec, NOW + seconds(61))
        assert (late is not None) is is_late


def test_only_that_stop_ended_an_attempt() -> None:
    attempt = make_attempt(reason="Cancelled", message="Cancelled by ada.")
    assert is_stopped(attempt, CANCELLED)
    assert not is_stopped(attempt, None)
    assert not is_stopped(make_attempt(reason="Cancelled"), CANCELLED)
    assert not is_stopped(make_attempt(message="Cancelled by ada."), CANCELLED)


@pytest.mark.parametrize(
    ("revoked", "left", "lives"), [(False, 1, True), (False, 0, False), (True, 1, False)]
)
def test_a_key_lives_until_it_is_revoked_or_expires(
    revoked: bool, left: float, lives: bool
) -> None:
    attempt = make_attempt(key_revoked=revoked)
    now = attempt.key_expires_time - seconds(left)
    assert live_keys((attempt,), now) == ((RevokeKey(attempt),) if lives else ())


# ---- why -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("used", "ran", "is_late"), [(20, 11, False), (20, 12, True)])
def test_earlier_attempts_have_used_of_the_clock(used: int, ran: int, is_late: bool) -> None:
    first = make_attempt(1, start=NOW - seconds(used), end=NOW)
    status = make_condition_status(first, make_attempt(2, start=NOW), timeout_seconds=30)
    facts = Facts(None, Pod.model_validate(make_pod("Running", running(NOW))))
    seen = Observation(None, make_spec(), make_slots(), facts, None)
    stop = compute_stop(make_execution(status=status), seen, NOW + seconds(ran), ALONE)
    assert (stop is not None) is is_late
    assert stop is None or stop.by == "heliostat-operator"


def compute(execution: Execution, facts: Facts, after: float = 10_000) -> Cancellation | None:
    seen = Observation(None, make_spec(startTimeoutSeconds=60), make_slots(), facts, None)
    return compute_stop(execution, seen, NOW + seconds(after), ALONE)


RUNS = Pod.model_validate(make_pod("Running", running(NOW)))
JUST_RUNS = Pod.model_validate(make_pod("Running", {"running": {}}))
PENDING = Pod.model_validate(make_pod("Pending"))


def with_clock(attempt: Attempt, *, clock: bool = True) -> Execution:
    status = make_condition_status(attempt, timeout_seconds=30)
    return make_execution(status=status if clock else status.model_copy(update={"timeout": None}))


@pytest.mark.parametrize(
    ("execution", "facts", "reason"),
    [
        (with_clock(make_attempt(start=NOW)), Facts(None, RUNS), "TimedOut"),
        (with_clock(make_attempt(start=NOW, end=NOW)), Facts(None, RUNS), None),
        (with_clock(make_attempt(start=NOW), clock=False), Facts(None, RUNS), None),
        (with_clock(make_attempt(start=NOW)), Facts(None, PENDING), None),
        (with_clock(make_attempt(start=NOW)), Facts(None, JUST_RUNS), None),
        (with_clock(make_attempt(start=NOW)), Facts(None, None), None),
        (make_execution(status=make_condition_status()), Facts(None, RUNS), None),
        (with_clock(make_attempt()), Facts(None, PENDING), "StartTimedOut"),
        (with_clock(make_attempt(end=NOW)), Facts(None, PENDING), None),
    ],
    ids=[
        "it runs too long",
        "its attempt is over",
        "it has no clock",
        "its container does not run",
        "its start is not told yet",
        "its pod is out of sight",
        "it has no attempt",
        "its pod does not start",
        "its attempt is over, and its pod did not start",
    ],
)
def test_only_a_container_that_runs_or_does_not_start_can_be_late(
    execution: Execution, facts: Facts, reason: str | None
) -> None:
    stop = compute(execution, facts)
    assert (stop.reason if stop else None) == reason


def test_what_was_noticed_once_stays() -> None:
    status = make_condition_status(make_attempt()).model_copy(update={"cancellation": CANCELLED})
    deleted = make_execution(status=status, deleted=NOW + seconds(5), cancel=True)
    assert compute(deleted, Facts(None, None)) == CANCELLED


@pytest.mark.parametrize(
    ("job", "pod", "is_late"),
    [
        (None, None, True),
        (make_job(), None, True),
        (make_job(make_condition("Failed")), None, False),
        (None, make_pod("Pending"), True),
        (make_job(), make_pod("Pending"), True),
        (make_job(), make_pod("Failed"), False),
        (make_job(), make_pod("Running", running()), False),
        (make_job(), make_pod("Running", terminated(0)), False),
    ],
)
def test_a_pod_that_runs_or_is_over_was_not_late(
    job: JsonObject | None, pod: JsonObject | None, is_late: bool
) -> None:
    facts = Facts(
        Job.model_validate(job) if job else None, Pod.model_validate(pod) if pod else None
    )
    execution = make_execution(status=make_condition_status(make_attempt()))
    spec = make_spec(startTimeoutSeconds=60)
    assert (compute_late_start(execution, facts, spec, NOW) is not None) is is_late
    assert compute_late_start(execution, facts, None, NOW) is None


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        ([], "Nothing says"),
        (["Starting"], "Nothing says"),
        (["Unschedulable", "Starting"], "Unschedulable: "),
    ],
)
def test_a_late_start_says_what_kept_it(reasons: list[str], words: str) -> None:
    blocks = tuple(BlockedBy(reason=each, message="0/3 nodes. " * 90) for each in reasons)
    status = make_condition_status(make_attempt()).model_copy(update={"blocked_by": blocks})
    late = compute_late_start(make_execution(status=status), Facts(None, None), make_spec(), NOW)
    assert late is not None
    assert (late.by, late.time) == ("heliostat-operator", NOW)
    [why] = late.message.split(" s. ", 1)[1].rsplit(" Mend that", 1)[:1]
    assert why.startswith(words)
    assert len(why) <= 700
    assert len(why) == 700 or not why.startswith("Unschedulable")
    Cancellation.model_validate(late.model_dump())  # it fits


# ---- how -----------------------------------------------------------------------------------------

SEEN_JOB = Job.model_validate(make_job(uid="seen-uid"))


def make_stopping(
    *attempts: Attempt, noticed: bool = True, deleted: bool = False, cancel: bool = True
) -> Execution:
    """A run that is stopped; at the first look that is not on record."""
    reason = FinishedReason.DELETED if deleted else FinishedReason.CANCELLED
    stop = CANCELLED.model_copy(update={"reason": reason}) if noticed else None
    status = make_condition_status(*attempts).model_copy(update={"cancellation": stop})
    return make_execution(status=status, cancel=cancel, deleted=NOW if deleted else None)


def look(
    execution: Execution, facts: Facts, after: float = 0, ledger: LedgerSum | None = None
) -> Decision:
    seen = Observation(None, make_spec(), make_slots(), facts, ledger)
    return decide(execution, seen, NOW + seconds(after), ALONE)


def stop_of(effects: tuple[Effect, ...]) -> StopAttempt:
    [stop] = [each for each in effects if isinstance(each, StopAttempt)]
    return stop


def test_the_key_dies_first_and_then_the_pod_goes_with_its_job() -> None:
    attempt = make_attempt(start=NOW, job_uid="known-uid")
    decision = look(make_stopping(attempt, noticed=False), Facts(None, RUNS))
    revoke, stop = decision.effects
    assert isinstance(revoke, RevokeKey)
    assert stop == StopAttempt(
        job_name="sales-1-1",
        job_uid="known-uid",
        pod_name=RUNS.metadata.name,
        pod_uid=RUNS.metadata.uid,
        grace_seconds=3,
    )
    [block] = decision.status.blocked_by
    assert (decision.status.phase, block.reason) == ("Stopping", "Stopping")
    assert decision.status.cancellation is not None
    assert block.message == decision.status.cancellation.message
    assert decision.again_after == 5


@pytest.mark.parametrize(
    ("noticed", "revoked", "again"), [(False, False, 5), (True, False, 1), (True, True, 5)]
)
def test_a_gateway_that_did_not_confirm_is_asked_again_soon(
    noticed: bool, revoked: bool, again: float
) -> None:
    attempt = make_attempt(start=NOW, key_revoked=revoked)
    decision = look(make_stopping(attempt, noticed=noticed), Facts(SEEN_JOB, RUNS))
    assert decision.again_after == again


@pytest.mark.parametrize(
    ("job", "noticed", "uid"),
    [
        (None, False, "known-uid"),
        (None, True, None),
        (SEEN_JOB, False, "seen-uid"),
        (SEEN_JOB, True, "seen-uid"),
    ],
)
def test_a_job_is_told_to_go_once_and_again_where_it_is_seen(
    job: Job | None, noticed: bool, uid: str | None
) -> None:
    attempt = make_attempt(start=NOW, job_uid="known-uid")
    decision = look(make_stopping(attempt, noticed=noticed), Facts(job, RUNS))
    assert stop_of(decision.effects).job_uid == uid


@pytest.mark.parametrize(
    ("deleted", "grace", "is_told"),
    [(False, None, True), (True, None, False), (True, 3, False), (True, 4, True)],
)
def test_a_pod_that_leaves_soon_is_not_told_again(
    deleted: bool, grace: int | None, is_told: bool
) -> None:
    meta = RUNS.metadata.model_copy(
        update={
            "deletion_timestamp": NOW if deleted else None,
            "deletion_grace_period_seconds": grace,
        }
    )
    pod = RUNS.model_copy(update={"metadata": meta})
    decision = look(make_stopping(make_attempt(start=NOW)), Facts(SEEN_JOB, pod))
    stop = stop_of(decision.effects)
    assert (stop.pod_name is not None, stop.pod_uid is not None) == (is_told, is_told)


@pytest.mark.parametrize(
    ("attempts", "noticed", "deleted", "is_told"),
    [
        ([make_attempt(start=NOW)], False, True, True),
        ([make_attempt(start=NOW)], True, True, False),
        ([make_attempt(start=NOW)], False, False, False),
        ([], False, True, False),
    ],
    ids=["it ran", "told already", "it was cancelled", "nothing ran"],
)
def test_a_deletion_is_told_to_the_agent_once(
    attempts: list[Attempt], noticed: bool, deleted: bool, is_told: bool
) -> None:
    """It takes the record of the run with it."""
    execution = make_stopping(*attempts, noticed=noticed, deleted=deleted, cancel=not deleted)
    effects = look(execution, Facts(None, RUNS)).effects
    told = [each.reason for each in effects if isinstance(each, TellAgent)]
    assert told == ["ExecutionDeleted"] * is_told
    rest = [each for each in effects if not isinstance(each, TellAgent)]
    assert all(isinstance(each, StopAttempt | RevokeKey) for each in rest)


SUCCEEDED = make_pod("Succeeded", terminated(0, message=make_result()))
FAILED = make_pod(
    "Failed", terminated(10, message=make_result("Failed", "AgentError", "agent", "It gave up."))
)
NO_WORD = make_pod("Succeeded", terminated(0))


@pytest.mark.parametrize(
    ("pod", "phase", "reason"),
    [
        (SUCCEEDED, "Succeeded", "Verified"),
        (FAILED, "Stopping", None),
        (NO_WORD, "Stopping", None),
    ],
)
def test_what_had_succeeded_before_the_stop_is_not_thrown_away(
    pod: JsonObject, phase: str, reason: str | None
) -> None:
    execution = make_stopping(make_attempt(start=NOW))
    decision = look(execution, Facts(SEEN_JOB, Pod.model_validate(pod)))
    [attempt] = decision.status.attempts
    assert (decision.status.phase, attempt.reason) == (phase, reason)
    if phase == "Succeeded":
        assert decision.status.result is not None
        assert decision.status.result.text == "42 sales."
        assert [type(each) for each in decision.effects] == [RevokeKey]
        assert decision.again_after == 0


@pytest.mark.parametrize(
    ("revoked", "attempts", "ledger", "settled"),
    [
        (True, 1, LedgerSum(), True),
        (False, 1, LedgerSum(), False),  # a call may have begun since the ledger was asked
        (True, 1, None, False),
        (True, 1, LedgerSum(settled=False), False),
        (True, 0, LedgerSum(settled=False), True),  # nothing was spent
    ],
)
def test_a_stopped_run_is_settled_by_a_ledger_that_was_asked_with_dead_keys(
    revoked: bool, attempts: int, ledger: LedgerSum | None, settled: bool
) -> None:
    made = [make_attempt(start=NOW, key_revoked=revoked)][:attempts]
    execution = make_stopping(*made)
    decision = look(execution, Facts(None, None), after=9, ledger=ledger)
    ended = execution.model_copy(update={"status": decision.status})
    assert (ended.finished_reason, ended.is_settled) == ("Cancelled", settled)
    assert decision.again_after == 0
    for each in ended.status.attempts:
        assert (each.end_time, each.reason) == (NOW + seconds(9), "Cancelled")


def test_a_stop_between_two_attempts_leaves_the_last_record_as_it_is() -> None:
    over = make_attempt(start=NOW, end=NOW, reason="AgentError", cause="agent", key_revoked=True)
    decision = look(make_stopping(over), Facts(None, RUNS), after=9)
    assert decision.status.attempts == (over,)
    assert (decision.status.phase, decision.effects) == ("Cancelled", ())
