"""What rows of the ledger can be grouped by, and which figures are summed over them."""

from dataclasses import dataclass
from typing import Final

from heliostat_gateway.errors import RefusalError, invalid_request


@dataclass(frozen=True)
class Dimension:
    """`column` is what the ledger must have; `value` the SQL of the key, which is never NULL."""

    name: str
    column: str
    value: str


# One line each. A column that a ledger lacks, made by an earlier release, is refused by name.
DIMENSIONS: Final = (
    Dimension("day", "started_ms", "days.day"),
    Dimension(
        "hour", "started_ms", "strftime('%Y-%m-%dT%H:00:00Z', started_ms / 1000, 'unixepoch')"
    ),
    Dimension("agent", "agent", "agent"),
    Dimension("model", "model", "model"),
    Dimension("user", "user", "coalesce(user, '')"),
    Dimension("execution", "execution", "execution"),
    Dimension("provider", "provider", "provider"),
    Dimension("key", "key", "coalesce([key], '')"),
    Dimension("credential", "credential", "coalesce(credential, '')"),
)
_BY_NAME: Final = {each.name: each for each in DIMENSIONS}

# Kinds of tokens: the name in answers, the column. `thinking` is a part of output, not added to it.
TOKENS: Final = (
    ("input", "input"),
    ("output", "output"),
    ("cacheRead", "cache_read"),
    ("cacheWrite5m", "cache_write_5m"),
    ("cacheWrite1h", "cache_write_1h"),
    ("thinking", "thinking"),
    ("webSearches", "web_searches"),
)
REQUESTS: Final = "count(*)"
# A request that went to a second provider has a row for each part; it is counted with its first.
REQUESTS_OF_PARTS: Final = "sum(part = 1)"


def read_dimensions(text: str) -> tuple[Dimension, ...]:
    """The dimensions of a `by=` parameter, in its order. Raises RefusalError (400)."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in _BY_NAME:
            raise invalid_request(
                f"by: {name!r} is nothing to group by; use some of {', '.join(_BY_NAME)}."
            )
    if len(set(names)) < len(names):
        raise invalid_request("by: name each group once.")
    return tuple(_BY_NAME[name] for name in names)


def missing_dimension(dimension: Dimension) -> RefusalError:
    """400: this ledger does not record it."""
    return invalid_request(
        f"by: this ledger records no {dimension.name}; it was made by an earlier release. Leave "
        f"{dimension.name} out."
    )
