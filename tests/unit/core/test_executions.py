"""What an Execution says of itself."""

import pytest

from heliostat_core.conditions import (
    ConditionStatus,
    ExecutionCondition,
    FinishedReason,
    set_condition,
)
from heliostat_core.executions import Execution, Phase, compute_phase
from heliostat_core.names import OFFERED_ANNOTATION
from support.builders.resources import NOW, make_admitted, make_attempt, make_execution


def offered(
    kind: str = "Schedule", annotation: str = OFFERED_ANNOTATION, **conditions: ConditionStatus
) -> Execution:
    execution = make_execution(trigger={"kind": kind, "id": "CronJob"})
    meta = execution.metadata.model_copy(update={"annotations": {annotation: "CronJob"}})
    status = execution.status
    for type_, value in conditions.items():
        condition = ExecutionCondition(type_)
        known = set_condition(
            status.conditions, condition, value, FinishedReason.ACTIVE, "", generation=1, now=NOW
        )
        status = status.model_copy(update={"conditions": known})
    return execution.model_copy(update={"metadata": meta, "status": status})


@pytest.mark.parametrize(
    ("execution", "is_offer"),
    [
        (offered(), True),
        (offered(Succeeded="Unknown", Due="False"), True),
        (offered(Due="True"), False),
        (offered(Succeeded="False"), False),
        (offered(Succeeded="True"), False),
        (offered(kind="Manual"), False),
        (offered(annotation="example.com/other"), False),
    ],
)
def test_an_offer_is_what_a_trigger_made_and_the_schedule_has_not_decided(
    execution: Execution, is_offer: bool
) -> None:
    assert execution.is_offer is is_offer


OVER = make_attempt(start=NOW, end=NOW, reason="NodeLost", cause="infrastructure")


@pytest.mark.parametrize(
    ("execution", "phase"),
    [
        (make_execution(), Phase.PENDING),
        (make_admitted(), Phase.STARTING),
        (make_admitted(OVER), Phase.RETRYING),
        (make_admitted(OVER, make_attempt(2)), Phase.STARTING),
    ],
)
def test_between_two_attempts_a_run_is_retrying_and_else_it_starts(
    execution: Execution, phase: Phase
) -> None:
    assert compute_phase(execution) == phase


def test_an_admitted_run_whose_attempts_are_lost_is_retrying() -> None:
    execution = make_admitted()
    status = execution.status.model_copy(update={"attempts": ()})
    assert compute_phase(execution.model_copy(update={"status": status})) == Phase.RETRYING
