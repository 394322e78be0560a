"""Panels as our dashboards have them."""

from collections.abc import Sequence
from typing import Final

from tools.grafana import Panel, Query, Unit

RATE: Final = "[$__rate_interval]"


def number(title: str, said: str, expression: str, unit: Unit = "short") -> Panel:
    """One number, as it is now."""
    return Panel(title, said, [Query(expression)], unit, kind="stat")


def graph(title: str, said: str, expression: str, legend: str = "", unit: Unit = "short") -> Panel:
    """Lines over time."""
    return Panel(title, said, [Query(expression, legend)], unit)


def stack(title: str, said: str, expression: str, legend: str = "", unit: Unit = "short") -> Panel:
    """Parts of a whole over time."""
    return Panel(title, said, [Query(expression, legend)], unit, stacked=True)


def quantiles(title: str, said: str, histogram: str, by: str = "") -> Panel:
    """How long it takes: ordinarily, and at worst."""
    labels = f"{by}, le" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    queries: Sequence[Query] = [
        Query(
            f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{RATE})))",
            f"{legend}{name}",
        )
        for share, name in ((0.5, "half"), (0.99, "99 %"))
    ]
    return Panel(title, said, queries, "s")
