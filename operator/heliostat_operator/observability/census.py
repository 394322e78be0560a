"""Every unfinished run that the watch has shown: how many there are, why they wait, who is stuck.

It is read when the metrics are, and decides nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from heliostat_core.executions import Execution, Phase, compute_phase
from heliostat_core.names import TEST_OF_ANNOTATION
from heliostat_operator.observability.milestones import admitted_time
from heliostat_operator.runs.seats import Key

TESTS: Final = ("tests", "tests")
"""All test runs together: each has an Agent of its own, which is gone at once."""
_START_PATIENCE: Final = timedelta(minutes=15)  # of an image of gigabytes on a new node
_PATIENCE: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Resident:
    """What is counted of one run."""

    agent: Key  # see agent_of
    phase: Phase
    blocked: str  # the first of its reasons, empty for none
    created: datetime | None
    overdue: datetime | None  # from then on it is stuck


class Census:
    """By key."""

    def __init__(self) -> None:
        self._residents: dict[Key, Resident] = {}

    def see(self, execution: Execution) -> None:
        """Note a run as it is now; one that is finished leaves."""
        key = (execution.metadata.namespace, execution.metadata.name)
        if execution.is_finished:
            self.forget(key)
        else:
            self._residents[key] = describe(execution)

    def forget(self, key: Key) -> None:
        self._residents.pop(key, None)

    def known(self) -> frozenset[Key]:
        return frozenset(self._residents)

    def keep_only(self, before: frozenset[Key], executions: Iterable[Key]) -> None:
        """Drop what a full list no longer shows of what was known before it was read."""
        for gone in before - set(executions):
            self.forget(gone)

    def phases(self) -> Counter[Phase]:
        return Counter(each.phase for each in self._residents.values())

    def blocks(self) -> Counter[str]:
        return Counter(each.blocked for each in self._residents.values() if each.blocked)

    def stuck(self, now: datetime) -> Counter[Phase]:
        """Runs that should have left their phase by now."""
        return Counter(
            each.phase
            for each in self._residents.values()
            if each.overdue is not None and each.overdue < now
        )

    def agents(self) -> Counter[Key]:
        return Counter(each.agent for each in self._residents.values())

    def longest_wait(self, now: datetime) -> float:
        """Seconds that the oldest run has waited for its admission; 0 when none waits."""
        waits = [
            (now - each.created).total_seconds()
            for each in self._residents.values()
            if each.phase is Phase.PENDING and each.created
        ]
        return max([0.0, *waits])


def describe(execution: Execution) -> Resident:
    """What is counted of a run."""
    blocks = execution.status.blocked_by
    return Resident(
        agent=agent_of(execution),
        phase=compute_phase(execution),
        blocked=blocks[0].reason if blocks else "",
        created=execution.metadata.creation_timestamp,
        overdue=overdue_time(execution),
    )


def agent_of(execution: Execution) -> Key:
    """Under which Agent a run is counted."""
    if TEST_OF_ANNOTATION in execution.metadata.annotations:
        return TESTS
    return (execution.metadata.namespace, execution.spec.agent_ref.name)


def overdue_time(execution: Execution) -> datetime | None:
    """From when a run in its present phase is stuck: by then its own clocks must have moved it.

    None for Pending: a queue may be long, and says why in `status.blockedBy`.
    """
    status, attempt = execution.status, execution.current_attempt
    match compute_phase(execution):
        case Phase.STARTING if attempt:
            return attempt.created_time + _START_PATIENCE
        case Phase.RUNNING if attempt and attempt.start_time and status.timeout:
            left = status.timeout.effective_seconds - status.timeout.used_seconds
            return attempt.start_time + timedelta(seconds=left) + _PATIENCE
        case Phase.RETRYING:
            ended = attempt.end_time if attempt else None
            since = status.next_attempt_time or ended or admitted_time(execution)
            return since + _PATIENCE if since else None
        case Phase.STOPPING if status.cancellation:
            return status.cancellation.time + _PATIENCE
        case _:
            return None
