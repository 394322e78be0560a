"""Metrics of the gateway, in a registry of its own. Every label has a bounded set of values."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heliostat_gateway.bookings import Booking, LedgerMode, LedgerState
from heliostat_gateway.breakers import Breakers, BreakerState

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
PREFIX = "heliostat_gateway"


class Metrics:
    """What is counted."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.calls = Counter(
            f"{PREFIX}_calls_total",
            "Model calls that were settled, by provider and outcome.",
            ["provider", "outcome"],
            registry=self._registry,
        )
        self.refusals = Counter(
            f"{PREFIX}_refusals_total",
            "Requests that the gateway itself refused, by error type.",
            ["type"],
            registry=self._registry,
        )
        self.tokens = Counter(
            f"{PREFIX}_tokens_total",
            "Tokens booked, by provider and kind.",
            ["provider", "kind"],
            registry=self._registry,
        )
        self.cost = Counter(
            f"{PREFIX}_cost_nanodollars_total",
            "Cost booked, in nano-dollars, by provider.",
            ["provider"],
            registry=self._registry,
        )
        self.open_calls = Gauge(
            f"{PREFIX}_open_calls", "Model calls that are going on.", registry=self._registry
        )
        self.first_byte = Histogram(
            f"{PREFIX}_first_answer_seconds",
            "Time from a request to the first event or the whole answer, by provider.",
            ["provider"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.unpriced = Counter(
            f"{PREFIX}_unpriced_total",
            "Requests with a kind of usage that has no known price.",
            registry=self._registry,
        )
        self.recovered = Counter(
            f"{PREFIX}_recovered_rows_total",
            "Ledger rows of a dead gateway, booked as estimated at start.",
            registry=self._registry,
        )
        self.anomaly_failures = Counter(
            f"{PREFIX}_anomaly_check_failures_total",
            "Sweeps of the anomaly check that failed; no request waits for it.",
            registry=self._registry,
        )

    def watch(self, breakers: Breakers) -> None:
        """Counts breakers from now on, whenever the metrics are read."""
        self._registry.register(_BreakerCollector(breakers))

    def watch_ledger(self, state: Callable[[], LedgerState]) -> None:
        """Shows how the ledger is, asked when the metrics are."""
        for name, text, value in (
            ("ledger_local", "1 while the shared ledger is away.", _is_local),
            ("ledger_spooled", "Requests that wait in the spool.", _spooled),
            ("ledger_outages", "How often the shared ledger went away.", _outages),
            ("live_gateways", "Live gateways on the shared ledger, last known.", _gateways),
        ):
            gauge = Gauge(f"{PREFIX}_{name}", text, registry=self._registry)
            gauge.set_function(partial(_of_state, state, value))

    def settled(self, provider: str, booking: Booking) -> None:
        """Counts one settled call."""
        usage = booking.usage
        self.calls.labels(provider, booking.outcome).inc()
        self.cost.labels(provider).inc(booking.cost_nanos)
        for kind, count in (
            ("input", usage.input),
            ("output", usage.output),
            ("cache_read", usage.cache_read),
            ("cache_write_5m", usage.cache_write_5m),
            ("cache_write_1h", usage.cache_write_1h),
        ):
            self.tokens.labels(provider, kind).inc(count)

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self._registry)


class _BreakerCollector(Collector):
    """Breakers as they are at the moment of reading."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers

    def collect(self) -> Iterator[Metric]:
        """The families of metrics."""
        gauge = GaugeMetricFamily(
            f"{PREFIX}_breakers",
            "Breakers that are not closed, by provider and state.",
            labels=["provider", "state"],
        )
        found = Tally((each.key.partition("/")[0], each.state) for each in self._breakers.states())
        for provider in sorted({provider for provider, _ in found}):
            for state in (BreakerState.OPEN, BreakerState.HALF_OPEN):
                gauge.add_metric([provider, state.value], found[provider, state])
        yield gauge
        shared = self._breakers.state()
        yield GaugeMetricFamily(
            f"{PREFIX}_breakers_alone",
            "1 while Redis is away and this replica decides alone.",
            value=float(shared.mode == "away"),
        )
        yield CounterMetricFamily(
            f"{PREFIX}_breaker_decisions_alone",
            "Decisions of breakers that were made while Redis was away.",
            value=shared.decisions,
        )


def _of_state(state: Callable[[], LedgerState], value: Callable[[LedgerState], int]) -> float:
    return value(state())


def _is_local(state: LedgerState) -> int:
    return int(state.mode is LedgerMode.LOCAL)


def _spooled(state: LedgerState) -> int:
    return state.spooled


def _outages(state: LedgerState) -> int:
    return state.outages


def _gateways(state: LedgerState) -> int:
    return state.gateways
