"""What is counted of schedules: how late their runs start, and how their times end."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from heliostat_core.schedules.status import Outcome

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class ScheduleMetrics:
    """A TickMeter for Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lateness = Histogram(
            "heliostat_schedule_lateness_seconds",
            "From the time of a schedule, its jitter included, until its Execution was made; not "
            "of one that waited for the run before.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._ticks = Counter(
            "heliostat_schedule_ticks_total",
            "Times of schedules by their end: ran, late, skipped or missed.",
            ["end"],
            registry=registry,
        )
        for outcome in get_args(Outcome):
            self._ticks.labels(outcome.lower())  # shown as 0 from the start: alerts see the first

    def started(self, lateness_seconds: float) -> None:
        self._lateness.observe(lateness_seconds)

    def ended(self, outcome: Outcome) -> None:
        self._ticks.labels(outcome.lower()).inc()
