"""Sums over the runs of an agent, as its document holds them: pure."""

from collections.abc import Mapping

from heliostat_api.base.views import TotalsView, UsageView
from heliostat_api.documents.port import Fields, Value


def read_totals(agent: Fields) -> TotalsView:
    """As they stand in an agent's document; noughts where there are none."""
    return TotalsView(
        executions=read_number(agent.get("totalExecutions")),
        usage=read_usage(agent.get("totalTokenUsage")),
        cost_micros=read_number(agent.get("totalCostMicros")),
    )


def write_usage(usage: UsageView) -> Fields:
    """Tokens as documents have them."""
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cacheRead": usage.cache_read_tokens,
        "cacheWrite": usage.cache_write_tokens,
    }


def read_usage(value: Value) -> UsageView:
    """Reads the tokens of a document; noughts where there are none."""
    found = value if isinstance(value, Mapping) else {}
    return UsageView(
        input_tokens=read_number(found.get("input")),
        output_tokens=read_number(found.get("output")),
        cache_read_tokens=read_number(found.get("cacheRead")),
        cache_write_tokens=read_number(found.get("cacheWrite")),
    )


def read_number(value: Value) -> int:
    """Reads a count; 0 where there is none."""
    return value if isinstance(value, int) else 0
