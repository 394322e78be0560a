"""Executions as the watch brought them: the first look at a new one need not read it again.

Only of those that are not admitted. Each write of a look at such an Execution names the resource
version that was seen, so a stale one ends in a conflict and is read. What was admitted is always
read: making its Job has no such condition.
"""

from collections.abc import Callable
from dataclasses import dataclass

from heliostat_core.executions import Execution
from heliostat_operator.runs.seats import Key

_MOST = 1000  # some kilobytes each; the others are read


@dataclass(frozen=True)
class Arrival:
    """An Execution, and when it was seen (monotonic seconds)."""

    execution: Execution
    at: float


class Arrivals:
    """At most one a key: the newest that no look has taken."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._brought: dict[Key, Arrival] = {}

    def bring(self, key: Key, execution: Execution) -> None:
        """Keeps it when it may be of use."""
        if execution.is_admitted or (len(self._brought) >= _MOST and key not in self._brought):
            self.forget(key)
        else:
            self._brought[key] = Arrival(execution, self._monotonic())

    def take(self, key: Key) -> Arrival | None:
        """It is given once: after a conflict the next look reads."""
        return self._brought.pop(key, None)

    def forget(self, key: Key) -> None:
        self._brought.pop(key, None)


class Echoes:
    """What we wrote comes back through the watch, and is no reason for a further look.

    A look decides from what it writes; whatever others write meanwhile has a version of its own.
    """

    def __init__(self) -> None:
        self._expected: dict[str, None] = {}  # oldest first

    def expect(self, version: str) -> None:
        self._expected[version] = None
        if len(self._expected) > _MOST:
            del self._expected[next(iter(self._expected))]

    def heard(self, version: str) -> bool:
        """Whether this version is our own write; each is said once."""
        return self._expected.pop(version, self) is None
