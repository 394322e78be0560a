"""Health of operator and api."""

from typing import Final

from tools.boards.panels import RATE, graph, number, quantiles, stack
from tools.grafana import Board

OPERATOR: Final = Board(
    "heliostat-operator",
    "Heliostat: operator health",
    "Whether the operator leads, sees and keeps up; the api that records; the way outside.",
    [
        [
            number("Leaders", "Always one.", "sum(heliostat_operator_is_leader)"),
            number(
                "Watch",
                "Age of what it has seen.",
                "max(heliostat_operator_watch_silence_seconds)",
                "s",
            ),
            number("Queue", "Objects that wait for a look.", "sum(heliostat_operator_queue_depth)"),
            number(
                "Recorder",
                "For how long the api lags behind.",
                "max(heliostat_api_recorder_lag_seconds)",
                "s",
            ),
            number("Streams", "Pages that are open.", "sum(heliostat_api_stream_clients)"),
            number(
                "Quick approvals",
                "Share of approvals within 3 s of being shown, in a day: nobody reads that fast.",
                'sum(increase(heliostat_api_approval_decisions_total{decision="approve",'
                'shown="quick"}[1d])) / '
                'sum(increase(heliostat_api_approval_decisions_total{decision="approve"}[1d]))',
                "percentunit",
            ),
        ],
        [
            quantiles(
                "Reconciles",
                "Time of one look, by kind.",
                "heliostat_operator_reconcile_seconds",
                "kind",
            ),
            graph(
                "Looks",
                "A second, by kind.",
                f"sum by (kind) (rate(heliostat_operator_reconcile_seconds_count{RATE}))",
                "{{kind}}",
                "ops",
            ),
            graph(
                "Looks that fail",
                "A second, by kind; each is repeated.",
                f"sum by (kind) (rate(heliostat_operator_reconcile_failures_total{RATE}))",
                "{{kind}}",
                "ops",
            ),
        ],
        [
            graph(
                "Queue", "By kind.", "sum by (kind) (heliostat_operator_queue_depth)", "{{kind}}"
            ),
            graph(
                "Watch",
                "For how long the own touch of the Lease has not come back.",
                "max(heliostat_operator_watch_silence_seconds)",
                unit="s",
            ),
            graph(
                "Stuck runs",
                "By phase.",
                "sum by (phase) (heliostat_executions_stuck)",
                "{{phase}}",
            ),
        ],
        [
            quantiles(
                "Document store", "By operation.", "heliostat_api_store_seconds", "operation"
            ),
            stack(
                "API",
                "Answers a second, by class.",
                f"sum by (status) (rate(heliostat_api_requests_total{RATE}))",
                "{{status}}",
                "reqps",
            ),
            graph(
                "API: errors",
                "Answers a second that are its own fault, by route.",
                'sum by (method, route) (rate(heliostat_api_requests_total{status="5xx"}'
                f"{RATE}))",
                "{{method}} {{route}}",
                "reqps",
            ),
        ],
        [
            stack(
                "Tunnels",
                "Requests to the egress proxy a second, by what was decided.",
                f"sum by (verdict) (rate(heliostat_egress_decisions_total{RATE}))",
                "{{verdict}}",
                "reqps",
            ),
            graph("Open tunnels", "To hosts outside.", "sum(heliostat_egress_open_tunnels)"),
            graph(
                "Through tunnels",
                "A second, by direction.",
                f"sum by (direction) (rate(heliostat_egress_bytes_total{RATE}))",
                "{{direction}}",
                "Bps",
            ),
        ],
    ],
)
