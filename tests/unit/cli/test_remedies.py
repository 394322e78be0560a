"""Every way to end badly has a remedy."""

from collections.abc import Callable

import pytest

from heliostat_cli.remedies import remedy_for
from heliostat_core.conditions import Condition, FinishedReason
from heliostat_core.executions import Execution, ExecutionStatus

FINE = {"Active", "Verified", "Unverified"}
WISHED = {"Cancelled", "Deleted", "Skipped"}
TRIED_AGAIN = {"Evicted", "NodeLost", "PodDeleted", "PodLost", "Preempted", "Terminated"}
"""Infrastructure: further attempts follow by themselves, until InfrastructureRetriesExhausted."""


@pytest.mark.parametrize("reason", list(FinishedReason))
def test_a_remedy_is_there_where_a_person_has_to_act(
    reason: FinishedReason,
    make_execution: Callable[..., Execution],
    make_condition: Callable[..., Condition],
) -> None:
    ended = make_execution(
        ExecutionStatus(conditions=(make_condition("Succeeded", "False", reason),))
    )
    needs_none = reason in FINE | WISHED | TRIED_AGAIN
    remedy = remedy_for(ended)
    assert (remedy == "") is needs_none, reason
    assert "{" not in remedy
