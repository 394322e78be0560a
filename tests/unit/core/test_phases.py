"""What people read of a run, from its conditions alone; and conditions themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from heliostat_core.conditions import Condition, find_condition, is_true, set_condition
from heliostat_core.executions import Execution, compute_phase

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
CANCELLATION = {"time": NOW, "reason": "Cancelled"}


def attempt(**more: object) -> dict[str, object]:
    given = {"number": 1, "jobName": "run-1", "createdTime": NOW, "keyExpiresTime": NOW}
    return {**given, **more}


def run(*conditions: tuple[str, str, str], **status: object) -> Execution:
    """With conditions of type, status and reason."""
    listed = [
        {"type": type_, "status": value, "reason": reason, "lastTransitionTime": NOW}
        for type_, value, reason in conditions
    ]
    return Execution.model_validate(
        {
            "metadata": {"name": "run", "uid": "u-1"},
            "spec": {"agentRef": {"name": "sales"}},
            "status": {"conditions": listed, **status},
        }
    )


ADMITTED = ("Admitted", "True", "Admitted")
RUNNING = ("Running", "True", "Running")
ACTIVE = ("Succeeded", "Unknown", "Active")


@pytest.mark.parametrize(
    ("execution", "phase"),
    [
        (run(), "Pending"),
        (run(ACTIVE), "Pending"),
        (run(ACTIVE, ("Admitted", "False", "Waiting")), "Pending"),
        (run(ACTIVE, ADMITTED), "Retrying"),
        (run(ACTIVE, ADMITTED, attempts=[attempt()]), "Starting"),
        (run(ACTIVE, ADMITTED, attempts=[attempt(endTime=NOW)]), "Retrying"),
        (run(ACTIVE, ADMITTED, attempts=[attempt(endTime=NOW), attempt(number=2)]), "Starting"),
        (run(ACTIVE, ADMITTED, RUNNING), "Running"),
        (run(ACTIVE, ADMITTED, RUNNING, cancellation=CANCELLATION), "Stopping"),
        (run(ACTIVE, cancellation=CANCELLATION), "Stopping"),
        (run(("Succeeded", "True", "Succeeded"), cancellation=CANCELLATION), "Succeeded"),
        (run(("Succeeded", "False", "AgentFailed")), "Failed"),
        (run(("Succeeded", "False", "Cancelled")), "Cancelled"),
        (run(("Succeeded", "False", "Deleted")), "Cancelled"),
        (run(("Succeeded", "False", "Skipped")), "Skipped"),
    ],
)
def test_a_phase_follows_from_conditions(execution: Execution, phase: str) -> None:
    assert compute_phase(execution) == phase


def test_a_run_has_ended_when_it_is_said_whether_it_succeeded() -> None:
    assert not run().is_finished
    assert not run(ACTIVE).is_finished
    assert run(("Succeeded", "False", "Cancelled")).is_finished
    assert run(("Succeeded", "False", "Cancelled")).finished_reason == "Cancelled"
    assert run().finished_reason == "Active"


@pytest.mark.parametrize(
    ("kind", "annotations", "conditions", "is_offer"),
    [
        ("Schedule", {"heliostat.dev/offered-by": "cron"}, (), True),
        ("Schedule", {"heliostat.dev/offered-by": "cron"}, (ACTIVE,), True),
        ("Schedule", {}, (), False),
        ("Manual", {"heliostat.dev/offered-by": "cron"}, (), False),
        ("Schedule", {"heliostat.dev/offered-by": "cron"}, (("Due", "True", "Due"),), False),
        ("Schedule", {"heliostat.dev/offered-by": "cron"}, (("Due", "False", "Late"),), True),
        (
            "Schedule",
            {"heliostat.dev/offered-by": "cron"},
            (("Succeeded", "False", "Skipped"),),
            False,
        ),
    ],
)
def test_a_trigger_outside_offers_a_run_until_the_schedule_decides(
    kind: str,
    annotations: dict[str, str],
    conditions: tuple[tuple[str, str, str], ...],
    is_offer: bool,
) -> None:
    plain = run(*conditions).to_json()
    execution = Execution.model_validate(
        {
            **plain,
            "metadata": {"name": "run", "annotations": annotations},
            "spec": {"agentRef": {"name": "sales"}, "trigger": {"kind": kind}},
        }
    )
    assert execution.is_offer is is_offer


def test_a_run_without_a_correlation_id_has_its_uid() -> None:
    assert run().correlation_id == "u-1"


def condition(type_: str, status: str) -> Condition:
    return Condition.model_validate(
        {"type": type_, "status": status, "reason": "Is", "lastTransitionTime": NOW}
    )


def test_a_condition_is_found_by_its_type() -> None:
    found = (condition("Ready", "True"), condition("Due", "Unknown"))
    assert find_condition(found, "Due") == found[1]
    assert find_condition(found, "Gone") is None
    assert [is_true(found, each) for each in ("Ready", "Due", "Gone")] == [True, False, False]


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = (condition("Ready", "True"), condition("Due", "Unknown"))
    later = NOW + timedelta(hours=1)
    same = set_condition(before, "Ready", "True", "Still", "x" * 5000, generation=2, now=later)
    assert (same[0].last_transition_time, same[0].reason) == (NOW, "Still")
    assert (len(same[0].message), same[0].observed_generation) == (4096, 2)
    assert same[1] == before[1]
    changed = set_condition(before, "Ready", "False", "No", "", generation=2, now=later)
    assert (changed[0].last_transition_time, changed[0].status) == (later, "False")
    added = set_condition(before, "New", "True", "Is", "", generation=2, now=later)
    assert [each.type for each in added] == ["Ready", "Due", "New"]
    assert added[2].last_transition_time == later
