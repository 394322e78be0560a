"""Ask gauges show what waits for people as metrics."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heliostat_core.approvals import ApprovalState
from heliostat_operator.model.indexes import OpenAsks

_STATES: Final = (
    ApprovalState.PENDING,
    ApprovalState.GRANTED,
    ApprovalState.CLAIMED,
    ApprovalState.OUTCOME_UNKNOWN,
)


class AskGauges(Collector):
    """Shows the asks that have not ended at the moment of reading, on the leader alone."""

    def __init__(
        self, asks: OpenAsks, clock: Callable[[], datetime], leads: Callable[[], bool]
    ) -> None:
        self._asks = asks
        self._clock = clock
        self._leads = leads

    def collect(self) -> Iterator[Metric]:
        """The families of metrics."""
        if not self._leads():
            return
        states = GaugeMetricFamily(
            "heliostat_approvals",
            "Asks that have not ended, by state.",
            labels=["state"],
        )
        for state in _STATES:
            states.add_metric([state.value], self._asks.count(state))
        yield states
        yield GaugeMetricFamily(
            "heliostat_approval_longest_wait_seconds",
            "For how long the oldest pending ask waits for people.",
            value=self._asks.longest_wait(self._clock()),
        )
