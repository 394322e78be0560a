"""Who is told of starts and ends of times; see observability/schedule_metrics.py."""

from typing import Protocol

from heliostat_core.schedules.status import Outcome


class TickMeter(Protocol):
    """Told once of each start, and of each end when it is on record."""

    def started(self, lateness_seconds: float) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...


class Unmetered:
    """Nobody counts."""

    def started(self, lateness_seconds: float) -> None:
        """Nothing to do."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing to do."""
