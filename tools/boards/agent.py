"""One Agent."""

from typing import Final

from tools.boards.panels import graph, number, stack
from tools.grafana import Board, Variable

_OF_AGENT: Final = '{namespace="$namespace",agent="$agent"}'

AGENT: Final = Board(
    "heliostat-agent",
    "Heliostat: one agent",
    "Runs, ends and cost of one Agent. Beyond 500 Agents the further ones are `other`.",
    [
        [
            number(
                "Unfinished",
                "Its runs that have not ended.",
                f"sum(heliostat_agent_executions{_OF_AGENT})",
            ),
            number(
                "Ended, 24 h",
                "All its runs that ended.",
                f"sum(increase(heliostat_agent_executions_finished_total{_OF_AGENT}[24h]))",
            ),
            number(
                "Succeeded, 24 h",
                "Share of its runs that ended.",
                'sum(increase(heliostat_agent_executions_finished_total{namespace="$namespace",agent="$agent",'
                'phase="Succeeded"}[24h]))'
                f" / sum(increase(heliostat_agent_executions_finished_total{_OF_AGENT}[24h]))",
                "percentunit",
            ),
            number(
                "Cost, 24 h",
                "Settled by the ledger.",
                f"sum(increase(heliostat_agent_cost_microdollars_total{_OF_AGENT}[24h])) / 1e6",
                "currencyUSD",
            ),
        ],
        [
            graph("Unfinished runs", "Over time.", f"sum(heliostat_agent_executions{_OF_AGENT})"),
            stack(
                "Ends",
                "Runs an hour, by phase.",
                "sum by (phase)"
                f" (increase(heliostat_agent_executions_finished_total{_OF_AGENT}[1h]))",
                "{{phase}}",
            ),
        ],
        [
            graph(
                "Cost",
                "In an hour.",
                f"sum(increase(heliostat_agent_cost_microdollars_total{_OF_AGENT}[1h])) / 1e6",
                unit="currencyUSD",
            ),
            graph(
                "Time of a run",
                "Seconds of containers by runs that ended, over an hour.",
                f"sum(increase(heliostat_agent_run_seconds_total{_OF_AGENT}[1h]))"
                f" / sum(increase(heliostat_agent_executions_finished_total{_OF_AGENT}[1h]))",
                unit="s",
            ),
        ],
    ],
    [
        Variable("namespace", "heliostat_agent_executions_finished_total", "namespace"),
        Variable(
            "agent",
            "heliostat_agent_executions_finished_total",
            "agent",
            '{namespace="$namespace"}',
        ),
    ],
)
