"""What the operator counts; label sets are fixed and small."""

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from heliostat_operator.schedule_metrics import ScheduleMetrics

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry a process, made at start and handed on."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.schedules = ScheduleMetrics(self.registry)
        self._reconciles = Histogram(
            "heliostat_operator_reconcile_seconds",
            "Time of one reconcile.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "heliostat_operator_queue_depth",
            "Keys that wait for a worker or are worked on.",
            ["kind"],
            registry=self.registry,
        )
        self.watch_silence = Gauge(
            "heliostat_operator_watch_silence_seconds",
            "For how long the operator's own touch of its Lease has not come back.",
            registry=self.registry,
        )
        self.is_leader = Gauge(
            "heliostat_operator_is_leader",
            "1 on the replica that reconciles.",
            registry=self.registry,
        )

    def reconciled(self, kind: str, seconds: float) -> None:
        self._reconciles.labels(kind).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)
