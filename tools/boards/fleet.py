"""The fleet: what runs, what waits, how it ends."""

from typing import Final

from tools.boards.panels import RATE, graph, number, quantiles, stack
from tools.grafana import Board

FLEET: Final = Board(
    "heliostat-fleet",
    "Heliostat: fleet",
    "What runs, what waits and why, how it ends.",
    [
        [
            number(
                "Running",
                "Runs whose container runs.",
                'sum(heliostat_executions{phase="Running"})',
            ),
            number("Waiting", "Runs in the queue.", 'sum(heliostat_executions{phase="Pending"})'),
            number(
                "Longest wait",
                "Of the oldest run in the queue.",
                "max(heliostat_execution_longest_wait_seconds)",
                "s",
            ),
            number("Stuck", "Runs whose own clocks ran out.", "sum(heliostat_executions_stuck)"),
            number(
                "Succeeded, 24 h",
                "Share of all runs that ended.",
                'sum(increase(heliostat_executions_finished_total{phase="Succeeded"}[24h]))'
                ' / sum(increase(heliostat_executions_finished_total{reason!="Skipped"}[24h]))',
                "percentunit",
            ),
        ],
        [
            stack(
                "Unfinished runs", "By phase.", "sum by (phase) (heliostat_executions)", "{{phase}}"
            ),
            stack(
                "Held up",
                "By the first reason.",
                "sum by (reason) (heliostat_executions_blocked)",
                "{{reason}}",
            ),
        ],
        [
            stack(
                "Ends",
                "Runs an hour, by reason.",
                "sum by (phase, reason) (increase(heliostat_executions_finished_total[1h]))",
                "{{phase}}: {{reason}}",
            ),
            stack(
                "Attempts",
                "An hour, by whose failure it was; none for none.",
                "sum by (cause) (increase(heliostat_attempts_total[1h]))",
                "{{cause}}",
            ),
        ],
        [
            quantiles(
                "In the queue", "From creation to admission.", "heliostat_execution_queue_seconds"
            ),
            quantiles(
                "Start",
                "From admission to the first container.",
                "heliostat_execution_start_seconds",
            ),
            quantiles("Run", "For how long containers ran.", "heliostat_execution_run_seconds"),
        ],
        [
            quantiles(
                "Lateness of schedules",
                "From the time to the Execution.",
                "heliostat_schedule_lateness_seconds",
            ),
            stack(
                "Times of schedules",
                "An hour, by their end.",
                "sum by (end) (increase(heliostat_schedule_ticks_total[1h]))",
                "{{end}}",
            ),
        ],
        [
            stack(
                "Ways outside",
                "Requests for a tunnel in an hour, by what the egress proxy decided.",
                "sum by (verdict) (increase(heliostat_egress_decisions_total[1h]))",
                "{{verdict}}",
            ),
            graph("Tunnels", "That are open.", "sum(heliostat_egress_open_tunnels)"),
            graph(
                "Through tunnels",
                "Bytes a second, by direction.",
                f"sum by (direction) (rate(heliostat_egress_bytes_total{RATE}))",
                "{{direction}}",
                "Bps",
            ),
        ],
        [
            graph(
                "Agents with most runs",
                "Unfinished runs of the ten busiest Agents.",
                "topk(10, sum by (namespace, agent) (heliostat_agent_executions))",
                "{{namespace}}/{{agent}}",
            ),
            graph(
                "Agents that cost most",
                "Final cost in an hour, of the ten dearest Agents.",
                "topk(10, sum by (namespace, agent)"
                " (increase(heliostat_agent_cost_microdollars_total[1h]))) / 1e6",
                "{{namespace}}/{{agent}}",
                "currencyUSD",
            ),
        ],
    ],
)
