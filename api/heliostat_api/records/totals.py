"""Tokens of runs, and sums over the runs of an agent, as documents hold them: pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from heliostat_api.base.views import TotalsView, UsageView
from heliostat_api.documents.port import Fields, Value
from heliostat_api.documents.values import count_in, map_in


@dataclass(frozen=True)
class TokenUsage:
    """Tokens by kind; `other` are those of a record that told only their sum."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write + self.other

    def fields(self) -> dict[str, Value]:
        named: dict[str, Value] = {
            "input": self.input,
            "output": self.output,
            "cacheRead": self.cache_read,
            "cacheWrite": self.cache_write,
        }
        return named | ({"other": self.other} if self.other else {})


def usage_in(fields: Fields, name: str) -> TokenUsage:
    """Our names, those of the model APIs, or a number alone."""
    if (total := count_in(fields, name)) > 0:
        return TokenUsage(other=total)
    usage = map_in(fields, name)
    known = TokenUsage(
        count_in(usage, "input", "inputTokens", "input_tokens"),
        count_in(usage, "output", "outputTokens", "output_tokens"),
        count_in(usage, "cacheRead", "cacheReadTokens", "cache_read_input_tokens"),
        count_in(usage, "cacheWrite", "cacheWriteTokens", "cache_creation_input_tokens"),
        count_in(usage, "other"),
    )
    sum_alone = count_in(usage, "total", "totalTokens", "total_tokens")
    return known if known.total else TokenUsage(other=sum_alone)


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
