"""Counters and histograms that cost a fraction of a microsecond on the way of a request.

prometheus_client's own take a lock and look up labels each time, about ten times as much; here
it only reads and renders them. For one thread: that of the event loop, which counts and reads.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


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
