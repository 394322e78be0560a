"""Why a run has to stop."""

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import compute_stop
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Pod
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
