"""Reading fields that somebody else may have written: what is missing or odd becomes a default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite

from heliostat_api.documents.port import Fields, Value
from heliostat_api.documents.values import to_json


def text_in(fields: Fields, name: str) -> str:
    """Text as it is, anything else as JSON, nothing as an empty text."""
    value = fields.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value)


def count_in(fields: Fields, *names: str) -> int:
    """The first of these fields that is a number; 0 without one."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            return int(value)
    return 0


def instant_in(fields: Fields, name: str) -> datetime | None:
    """An instant, also one that is written as text (RFC 3339)."""
    value = fields.get(name)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def map_in(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return value if isinstance(value, Mapping) else {}


def maps_in(fields: Fields, name: str) -> tuple[Fields, ...]:
    """The maps of a list."""
    value = fields.get(name)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(each for each in value if isinstance(each, Mapping))


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
