"""Series of a healthy house, and of each trouble that an alert is for.

Written as promtool reads them: `a+bxN` is a value, and N further ones that each grow by b.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Span:
    """For how long there are values, and how far they are apart."""

    minutes: int
    step: int


HOURS: Final = Span(90, 2)
DAY: Final = Span(1560, 5)
_LATE_MINUTES: Final = 60


@dataclass(frozen=True)
class Course:
    """A value that grows by so much a minute; in the last hour by `late`. Or one that is not there
    at first, or that takes turns."""

    value: float = 0
    growth: float = 0
    late: float | None = None
    absent_minutes: int = 0
    turns: tuple[float, ...] = ()

    def over(self, span: Span) -> str:
        """As promtool reads it."""
        steps, last = span.minutes // span.step, _LATE_MINUTES // span.step
        if self.turns:
            return " ".join(f"{self.turns[each % len(self.turns)]}" for each in range(steps + 1))
        if self.absent_minutes:
            absent = self.absent_minutes // span.step
            return f"_x{absent - 1} {self.value}+{self.growth * span.step}x{steps - absent}"
        if self.late is None:
            return f"{self.value}+{self.growth * span.step}x{steps}"
        quiet, growth, late = steps - last, self.growth * span.step, self.late * span.step
        end = self.value + growth * quiet
        return f"{self.value}+{growth}x{quiet} {end + late}+{late}x{last}"


Series = Mapping[str, Course]


def flat(value: float) -> Course:
    return Course(value)


def growing(each_minute: float) -> Course:
    return Course(growth=each_minute)


def late(before: float, after: float) -> Course:
    return Course(growth=before, late=after)


def starting_at(value: float) -> Course:
    """Of a pod that came in the last half hour."""
    return Course(value, absent_minutes=HOURS.minutes - 30)


def turning(*values: float) -> Course:
    return Course(turns=values)


def histogram(name: str, slow: str = "", labels: str = "") -> Series:
    """Ten a minute: all of them fast, or all of them beyond `slow`, one of its bounds."""
    fast = slow or "0.1"
    ours = f"{labels}," if labels else ""
    below = {f'{name}_bucket{{{ours}le="{fast}"}}': flat(0) if slow else growing(10)}
    return {
        **below,
        f'{name}_bucket{{{ours}le="{1e6:.0f}"}}': growing(10),
        f'{name}_bucket{{{ours}le="+Inf"}}': growing(10),
    }


HEALTHY: Final[Series] = {
    "heliostat_operator_is_leader": flat(1),
    "heliostat_operator_watch_silence_seconds": flat(2),
    'heliostat_operator_reconcile_failures_total{kind="execution"}': growing(1),
    **histogram("heliostat_operator_reconcile_seconds", labels='kind="execution"'),
    'heliostat_operator_queue_depth{kind="execution"}': flat(12),
    'heliostat_executions_stuck{phase="Running"}': flat(0),
    "heliostat_execution_longest_wait_seconds": flat(40),
    "heliostat_approval_longest_wait_seconds": flat(600),
    'heliostat_approvals{state="OutcomeUnknown"}': flat(0),
    'heliostat_executions_blocked{reason="AgentConcurrency"}': flat(3),
    **histogram("heliostat_execution_start_seconds"),
    'heliostat_attempts_total{cause="infrastructure"}': growing(0.5),
    'heliostat_attempts_total{cause="none"}': growing(10),
    'heliostat_executions_finished_total{phase="Failed",reason="AgentError"}': growing(1),
    'heliostat_executions_finished_total{phase="Succeeded",reason="Verified"}': growing(9),
    'heliostat_executions_finished_total{phase="Skipped",reason="Skipped"}': growing(60),
    'heliostat_schedule_ticks_total{end="missed"}': flat(3),
    'heliostat_schedule_ticks_total{end="ran"}': growing(5),
    **histogram("heliostat_schedule_lateness_seconds"),
    "heliostat_gateway_open_calls": flat(4),
    'heliostat_gateway_breakers{provider="anthropic",state="open"}': flat(0),
    'heliostat_gateway_calls_total{outcome="answered"}': growing(100),
    'heliostat_gateway_calls_total{outcome="client_gone"}': growing(20),
    'heliostat_gateway_calls_total{outcome="provider_refused"}': growing(2),
    'heliostat_gateway_unsent_requests_total{outcome="circuit_open"}': growing(3),
    'heliostat_gateway_refusals_total{type="billing_error"}': growing(90),
    'heliostat_gateway_refusals_total{type="permission_error"}': growing(5),
    "heliostat_gateway_ledger_shared": flat(1),
    "heliostat_gateway_ledger_local": flat(0),
    "heliostat_gateway_breakers_alone": flat(0),
    "heliostat_gateway_writer_waiting": flat(0),
    **histogram("heliostat_gateway_overhead_seconds", labels='dialect="messages"'),
    "heliostat_gateway_unpriced_total": flat(1),
    'heliostat_gateway_cost_nanodollars_total{model="claude"}': growing(1e9),
    'heliostat_operator_expects{service="api"}': flat(1),
    'heliostat_operator_expects{service="egress"}': flat(1),
    "heliostat_api_stream_clients": flat(2),
    'heliostat_api_requests_total{status="2xx"}': growing(600),
    'heliostat_api_requests_total{status="5xx"}': growing(1),
    "heliostat_api_recorder_lag_seconds": flat(0),
    'heliostat_api_approval_decisions_total{decision="approve",shown="quick"}': growing(1),
    'heliostat_api_approval_decisions_total{decision="approve",shown="longer"}': growing(5),
    **histogram("heliostat_api_store_seconds", labels='operation="get"'),
    "heliostat_egress_open_tunnels": flat(0),
    'heliostat_egress_decisions_total{verdict="Allowed"}': growing(20),
    'heliostat_egress_decisions_total{verdict="NotNamed"}': growing(20),
    'heliostat_egress_decisions_total{verdict="NotConnected"}': growing(1),
}

# What is otherwise. None: the series is not there at all.
TROUBLES: Final[Mapping[str, Mapping[str, Course | None]]] = {
    "HeliostatOperatorNoLeader": {"heliostat_operator_is_leader": flat(0)},
    "HeliostatOperatorTwoLeaders": {'heliostat_operator_is_leader{pod="b"}': flat(1)},
    "HeliostatWatchSilent": {"heliostat_operator_watch_silence_seconds": turning(5, 28, 51)},
    "HeliostatReconcilesFail": {
        'heliostat_operator_reconcile_failures_total{kind="execution"}': growing(60)
    },
    "HeliostatReconcilesSlow": histogram(
        "heliostat_operator_reconcile_seconds", "10", 'kind="execution"'
    ),
    "HeliostatOperatorBehind": {'heliostat_operator_queue_depth{kind="execution"}': flat(900)},
    "HeliostatRunsStuck": {'heliostat_executions_stuck{phase="Running"}': flat(1)},
    "HeliostatRunsWaitLong": {"heliostat_execution_longest_wait_seconds": flat(4000)},
    "HeliostatAsksWaitLong": {"heliostat_approval_longest_wait_seconds": flat(15_000)},
    "HeliostatOutcomesUnknown": {'heliostat_approvals{state="OutcomeUnknown"}': flat(1)},
    "HeliostatRunsHeld": {
        'heliostat_executions_blocked{reason="ConfigurationHeld"}': turning(1, 0, 0)
    },
    "HeliostatStartsSlow": histogram("heliostat_execution_start_seconds", "600"),
    "HeliostatInfrastructureFails": {
        'heliostat_attempts_total{cause="infrastructure"}': growing(5)
    },
    "HeliostatRunsFail": {
        'heliostat_executions_finished_total{phase="Failed",reason="AgentError"}': growing(20)
    },
    "HeliostatSchedulesMiss": {'heliostat_schedule_ticks_total{end="missed"}': late(0, 1)},
    "HeliostatSchedulesLate": histogram("heliostat_schedule_lateness_seconds", "300"),
    "HeliostatGatewayMissing": {"heliostat_gateway_open_calls": None},
    "HeliostatProviderBroken": {
        'heliostat_gateway_breakers{provider="anthropic",state="open"}': turning(1, 0),
        'heliostat_gateway_breakers{provider="anthropic",state="half_open"}': turning(0, 1),
    },
    "HeliostatModelCallsFail": {
        'heliostat_gateway_calls_total{outcome="provider_refused"}': growing(50)
    },
    "HeliostatGatewayRefuses": {
        'heliostat_gateway_refusals_total{type="authentication_error"}': growing(90)
    },
    "HeliostatGatewayAlone": {"heliostat_gateway_breakers_alone": flat(1)},
    "HeliostatLedgerNotWritten": {"heliostat_gateway_writer_waiting": turning(1, 0)},
    "HeliostatGatewaySlow": histogram(
        "heliostat_gateway_overhead_seconds", "1", 'dialect="messages"'
    ),
    "HeliostatUsageUnpriced": {"heliostat_gateway_unpriced_total": late(0, 1)},
    "HeliostatCostJumps": {
        'heliostat_gateway_cost_nanodollars_total{model="claude"}': late(1e9, 9e9)
    },
    "HeliostatApiMissing": {"heliostat_api_stream_clients": None},
    "HeliostatApiFails": {'heliostat_api_requests_total{status="5xx"}': growing(90)},
    "HeliostatRecordsBehind": {"heliostat_api_recorder_lag_seconds": flat(120)},
    "HeliostatStoreSlow": histogram("heliostat_api_store_seconds", "5", 'operation="get"'),
    "HeliostatEgressMissing": {"heliostat_egress_open_tunnels": None},
    "HeliostatEgressFails": {
        'heliostat_egress_decisions_total{verdict="NotConnected"}': growing(30)
    },
}


def series_of(alert: str | None) -> Series:
    """A healthy house, or one with the trouble of this alert."""
    return house({} if alert is None else TROUBLES[alert])


def house(otherwise: Mapping[str, Course | None]) -> Series:
    """A healthy one but for this."""
    # A histogram that is slow has other buckets than one that is fast.
    names = {name.partition("_bucket{")[0] for name in otherwise if "_bucket{" in name}
    kept = {
        name: values
        for name, values in HEALTHY.items()
        if name.partition("_bucket{")[0] not in names or "_bucket{" not in name
    }
    merged: dict[str, Course | None] = {**kept, **otherwise}
    return {name: values for name, values in merged.items() if values is not None}
