"""The table of usage fields in docs/finops.md, from the rows that the gateway reads by."""

from collections.abc import Iterable

from heliostat_gateway.money import usage_fields
from heliostat_gateway.money.usage_fields import UsageField
from tools.sections import table


def build_usage_fields() -> str:
    """One row for each field that changes a price, or is known not to."""
    rows = [
        *_rows("Anthropic", usage_fields.MESSAGES),
        *_rows("OpenAI and its like", usage_fields.CHAT),
        *_rows("the same, beside usage", usage_fields.BESIDE_CHAT),
        *_rows("Gemini", usage_fields.GEMINI),
        *_rows("the same, beside usage", usage_fields.BESIDE_GEMINI),
    ]
    return table(("dialect", "field", "price"), rows)


def _rows(dialect: str, fields: Iterable[UsageField]) -> list[tuple[str, ...]]:
    return [(dialect, f"`{each.path}`", each.price) for each in fields]
