"""Why a run has to stop."""

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Cancellation
from heliostat_core.resources import ObjectMeta
from heliostat_operator.model.effects import StopAttempt
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Pod
from heliostat_operator.runs.stops import compute_late_start, compute_stop, manager_of_cancel
from heliostat_operator.settings import OperatorSettings
from support.builders.pods import make_pod, running
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
