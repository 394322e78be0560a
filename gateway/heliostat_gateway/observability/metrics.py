"""Metrics of the gateway, in a registry of its own. Every label has a bounded set of values.

The counters and histograms here cost a fraction of a microsecond on the way of a request.
prometheus_client's own take a lock and look up labels each time, about ten times as much; here
it only reads and renders them. For one thread: that of the event loop, which counts and reads.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from heliostat_gateway.breakers import Breakers, BreakerState
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.money.bookings import Booking, LedgerMode, LedgerState
from heliostat_gateway.money.prices import FlatRates, ModelRates
from heliostat_gateway.routes.plans import Candidate

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_OVERHEADS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
PREFIX = "heliostat_gateway"


class Counts(Collector):
    """A counter. `name` goes without the `_total` that it is read with."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...] = ()) -> None:
        self._name = name
        self._text = text
        self.labels = labels
        self._values: defaultdict[tuple[str, ...], int] = defaultdict(int)
        if not labels:
            self._values[()] = 0  # so that it is there before the first

    def add(self, *labels: str, count: int = 1) -> None:
        """Counts `count` more under these labels, which are in the order of the constructor."""
        self._values[labels] += count

    def collect(self) -> Iterator[Metric]:
        """The family, as it is now."""
        family = CounterMetricFamily(self._name, self._text, labels=self.labels)
        for labels, value in sorted(self._values.items()):
            family.add_metric(labels, value)
        yield family


@dataclass
class _Row:
    counts: list[int]  # the last one is for what is beyond the last bound
    total: float = field(default=0.0)


class Durations(Collector):
    """A histogram of seconds; `bounds` ascend, each holds what is equal or less."""

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> None:
        self._name = name
        self._text = text
        self.labels = labels
        self._bounds = bounds
        self._rows: dict[tuple[str, ...], _Row] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        """Takes in one duration."""
        row = self._rows.get(labels)
        if row is None:
            row = self._rows[labels] = _Row([0] * (len(self._bounds) + 1))
        row.counts[bisect_left(self._bounds, seconds)] += 1
        row.total += seconds

    def collect(self) -> Iterator[Metric]:
        """The family, as it is now."""
        family = HistogramMetricFamily(self._name, self._text, labels=self.labels)
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, row in sorted(self._rows.items()):
            buckets = list(zip(names, accumulate(row.counts), strict=True))
            family.add_metric(labels, buckets, row.total)
        yield family


class Metrics:
    """The metrics of a gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._count_calls()
        self._count_money()
        self._measure_times()

    def _count_calls(self) -> None:
        self.open_calls = 0
        Gauge(
            f"{PREFIX}_open_calls", "Model calls that are going on.", registry=self._registry
        ).set_function(lambda: self.open_calls)
        self.calls = self._counts(
            "calls",
            "Model calls that were settled, by provider, model, caller's dialect and outcome.",
            ("provider", "model", "dialect", "outcome"),
        )
        self.attempts = self._counts(
            "attempts",
            "Attempts at providers, by what became of them.",
            ("provider", "verdict"),
        )
        self.unsent = self._counts(
            "unsent_requests",
            "Requests that no provider was asked for, by caller's dialect and outcome.",
            ("dialect", "outcome"),
        )
        self.refusals = self._counts(
            "refusals",
            "Requests that the gateway itself refused, by error type.",
            ("type",),
        )
        self.answer_cache = self._counts(
            "answer_cache",
            "Requests on routes with an exact cache, by how they were answered.",
            ("result",),
        )

    def _count_money(self) -> None:
        self.tokens = self._counts(
            "tokens", "Tokens booked, by provider, model and kind.", ("provider", "model", "kind")
        )
        self.cost = self._counts(
            "cost_nanodollars",
            "Cost booked, in nano-dollars, by provider and model.",
            ("provider", "model"),
        )
        self.unpriced = self._counts(
            "unpriced", "Requests with a kind of usage that has no known price."
        )
        self.recovered = self._counts(
            "recovered_rows", "Ledger rows of a dead gateway, booked as estimated at start."
        )
        self.anomaly_failures = self._counts(
            "anomaly_check_failures",
            "Sweeps of the anomaly check that failed; no request waits for it.",
        )

    def _measure_times(self) -> None:
        self.first_byte = self._durations(
            "first_answer_seconds",
            "Time from a request to the first event or the whole answer, by provider.",
            ("provider",),
            _SECONDS,
        )
        self.total = self._durations(
            "request_seconds",
            "Time from a request to the last byte of its answer, by dialect and kind.",
            ("dialect", "kind"),
            _SECONDS,
        )
        self.overhead = self._durations(
            "overhead_seconds",
            "Time of a request that passed in the gateway and not at a provider, by dialect.",
            ("dialect",),
            _OVERHEADS,
        )

    def watch(self, breakers: Breakers) -> None:
        """Counts breakers from now on, whenever the metrics are read."""
        self._registry.register(_BreakerCollector(breakers))

    def watch_ledger(self, state: Callable[[], LedgerState]) -> None:
        """Shows how the ledger is, asked when the metrics are."""
        for name, text, value in (
            (
                "ledger_shared",
                "1 where gateways share a ledger in Redis.",
                _is_shared,
            ),
            ("ledger_local", "1 while the shared ledger is away.", _is_local),
            ("ledger_spooled", "Requests that wait in the spool.", _spooled),
            ("ledger_outages", "How often the shared ledger went away.", _outages),
            ("live_gateways", "Live gateways on the shared ledger, last known.", _gateways),
        ):
            gauge = Gauge(f"{PREFIX}_{name}", text, registry=self._registry)
            gauge.set_function(partial(_of_state, state, value))

    def settled(self, dialect: Dialect, candidate: Candidate, booking: Booking) -> None:
        """Counts one settled part of a call."""
        provider, model, usage = booking.provider, model_label(candidate), booking.usage
        self.calls.add(provider, model, dialect.value, booking.outcome)
        self.cost.add(provider, model, count=booking.cost_nanos)
        tokens = self.tokens
        for kind, count in (
            ("input", usage.input),
            ("output", usage.output),
            ("cache_read", usage.cache_read),
            ("cache_write_5m", usage.cache_write_5m),
            ("cache_write_1h", usage.cache_write_1h),
        ):
            if count:
                tokens.add(provider, model, kind, count=count)

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self._registry)

    def _counts(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counts:
        made = Counts(f"{PREFIX}_{name}", text, labels)
        self._registry.register(made)
        return made

    def _durations(
        self, name: str, text: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> Durations:
        made = Durations(f"{PREFIX}_{name}", text, labels, bounds)
        self._registry.register(made)
        return made


def model_label(candidate: Candidate) -> str:
    """A model in the words of the price table, the routes file or a scenario; else `other`.

    Names come from outside: the table knows many names of one model, and a default price any.
    """
    match candidate.rates:
        case ModelRates(model=model):
            return model.id
        case FlatRates(is_default=True):
            return "other"
        case _:
            return candidate.target


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


def _is_shared(state: LedgerState) -> int:
    return int(state.mode is not LedgerMode.EMBEDDED)


def _is_local(state: LedgerState) -> int:
    return int(state.mode is LedgerMode.LOCAL)


def _spooled(state: LedgerState) -> int:
    return state.spooled


def _outages(state: LedgerState) -> int:
    return state.outages


def _gateways(state: LedgerState) -> int:
    return state.gateways
