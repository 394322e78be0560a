"""Figures of a benchmark: percentiles, targets and the table at the end of a run.

A missed target fails nothing: machines differ. What it is compared with is taken in the same run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None
    beside: str = ""

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: ""}[self.met]


@dataclass
class Report:
    """Collects the figures of a whole run."""

    figures: list[Figure] = field(default_factory=list)

    def add(
        self, what: str, value: str, target: str = "", met: bool | None = None, beside: str = ""
    ) -> None:
        self.figures.append(Figure(what, value, target, met, beside))

    def lines(self) -> list[str]:
        rows = [("what", "figure", "target", "", "beside, in the same run")]
        rows += [(f.what, f.value, f.target, f.verdict, f.beside) for f in self.figures]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def in_millis(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def spread(values: Sequence[float]) -> str:
    """p50, p99 and the largest of some seconds."""
    shown = (percentile(values, 50), percentile(values, 99), max(values))
    return "p50 {}, p99 {}, max {}".format(*map(in_millis, shown))
