"""Gateway and money."""

from typing import Final

from tools.boards.panels import RATE, graph, number, quantiles, stack
from tools.grafana import Board, Panel, Query

MONEY: Final = Board(
    "heliostat-gateway",
    "Heliostat: gateway and money",
    "Model calls: cost, tokens, speed, providers that fail, and whether the books are whole.",
    [
        [
            number(
                "Cost, 24 h",
                "Booked.",
                "sum(increase(heliostat_gateway_cost_nanodollars_total[24h])) / 1e9",
                "currencyUSD",
            ),
            number("Open calls", "Going on now.", "sum(heliostat_gateway_open_calls)"),
            number(
                "Answered, 1 h",
                "Share of the calls that were settled.",
                'sum(increase(heliostat_gateway_calls_total{outcome="answered"}[1h]))'
                " / sum(increase(heliostat_gateway_calls_total[1h]))",
                "percentunit",
            ),
            number(
                "From prompt caches, 1 h",
                "Share of the input that the providers' caches served.",
                'sum(increase(heliostat_gateway_tokens_total{kind="cache_read"}[1h]))'
                ' / sum(increase(heliostat_gateway_tokens_total{kind!="output"}[1h]))',
                "percentunit",
            ),
            number("Gateways", "On the shared ledger.", "max(heliostat_gateway_live_gateways)"),
        ],
        [
            stack(
                "Cost",
                "In an hour, by provider and model.",
                "sum by (provider, model)"
                " (increase(heliostat_gateway_cost_nanodollars_total[1h])) / 1e9",
                "{{provider}}/{{model}}",
                "currencyUSD",
            ),
            stack(
                "Tokens",
                "A second, by kind.",
                f"sum by (kind) (rate(heliostat_gateway_tokens_total{RATE}))",
                "{{kind}}",
                "cps",
            ),
        ],
        [
            stack(
                "Calls",
                "A second, by outcome.",
                f"sum by (outcome) (rate(heliostat_gateway_calls_total{RATE}))",
                "{{outcome}}",
                "reqps",
            ),
            stack(
                "Attempts",
                "A second, by provider and verdict.",
                f"sum by (provider, verdict) (rate(heliostat_gateway_attempts_total{RATE}))",
                "{{provider}}: {{verdict}}",
                "reqps",
            ),
            stack(
                "Refused",
                "A second, by the gateway itself.",
                f"sum by (type) (rate(heliostat_gateway_refusals_total{RATE}))",
                "{{type}}",
                "reqps",
            ),
            stack(
                "Not sent",
                "A second: no provider was asked, for breakers are open or the client had gone.",
                f"sum by (outcome) (rate(heliostat_gateway_unsent_requests_total{RATE}))",
                "{{outcome}}",
                "reqps",
            ),
        ],
        [
            quantiles(
                "First answer", "By provider.", "heliostat_gateway_first_answer_seconds", "provider"
            ),
            quantiles("Whole answer", "By kind.", "heliostat_gateway_request_seconds", "kind"),
            quantiles(
                "In the gateway itself",
                "By dialect.",
                "heliostat_gateway_overhead_seconds",
                "dialect",
            ),
        ],
        [
            graph(
                "Breakers",
                "That are not closed.",
                "sum by (provider, state) (heliostat_gateway_breakers)",
                "{{provider}}: {{state}}",
            ),
            Panel(
                "Without Redis",
                "1 while a gateway keeps its own books, or its own breakers.",
                [
                    Query("max(heliostat_gateway_ledger_local)", "ledger"),
                    Query("max(heliostat_gateway_breakers_alone)", "breakers"),
                    Query("max(heliostat_gateway_writer_waiting)", "writer waits"),
                ],
            ),
            Panel(
                "Books",
                "Requests that wait in a spool; rows that were written, a second.",
                [
                    Query("sum(heliostat_gateway_ledger_spooled)", "spooled"),
                    Query(f"sum(rate(heliostat_gateway_writer_written{RATE}))", "written"),
                ],
            ),
        ],
        [
            Panel(
                "Estimated and unpriced",
                "In an hour: booked for gateways that died, and usage without a price.",
                [
                    Query(
                        "sum(increase(heliostat_gateway_writer_buried[1h]))", "booked by the writer"
                    ),
                    Query(
                        "sum(increase(heliostat_gateway_recovered_rows_total[1h]))",
                        "booked at a start",
                    ),
                    Query("sum(increase(heliostat_gateway_unpriced_total[1h]))", "unpriced"),
                ],
            ),
            graph(
                "Exact cache",
                "Requests a second on routes with one.",
                f"sum by (result) (rate(heliostat_gateway_answer_cache_total{RATE}))",
                "{{result}}",
                "reqps",
            ),
        ],
    ],
)
