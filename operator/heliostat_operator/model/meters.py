"""What the operator tells of its work, to whoever counts it or follows it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.schedules.status import Outcome
from heliostat_operator.model.keys import Key

Follower: TypeAlias = Callable[[Execution, Execution], None]
"""Is told of each status that was written: the Execution before and after."""


class TickMeter(Protocol):
    """Is told once of each start, and of each end when it is on record."""

    def started(self, lateness_seconds: float) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...


class Meter(Protocol):
    """Counts what the engine and its controllers do."""

    def reconciled(self, kind: str, seconds: float) -> None: ...

    def failed(self, kind: str) -> None: ...

    def sees(self, agent: Agent) -> None: ...

    def loses(self, agent: Key) -> None: ...

    @property
    def schedules(self) -> TickMeter: ...


class Unmetered:
    """Counts nothing."""

    def started(self, lateness_seconds: float) -> None:
        """Does nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Does nothing."""

    def reconciled(self, kind: str, seconds: float) -> None:
        """Does nothing."""

    def failed(self, kind: str) -> None:
        """Does nothing."""

    def sees(self, agent: Agent) -> None:
        """Does nothing."""

    def loses(self, agent: Key) -> None:
        """Does nothing."""

    @property
    def schedules(self) -> TickMeter:
        """The same, for schedules."""
        return self
