"""Figures of two versions of the project, taken in turn: read, paired, compared.

Benchmarks print a table for people; what it says in numbers is read back from it, because that is
what every commit prints, whatever its modules are called.
"""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HEAD = re.compile(r"^what +figure +target +beside, in the same run$")
AGAIN = "  the same / "
NUMBER = re.compile(
    r"(?:\b(?P<name>p\d+|max|median|peak|then|after) )?"
    r"(?<![\w.])(?P<number>[+-]?\d[\d,]*(?:\.\d+)?)"
    r"(?: ?(?P<unit>ms|µs|s|MiB|KiB|/s|x)\b|(?! ?[\w%.]))"
)
OURS_BESIDE = re.compile(r"(?P<number>\d+(?:\.\d+)?) (?P<unit>µs|ms) of (?:this process's )?CPU")
"""The only number beside a figure that is about what is measured."""
SLOWER_IF_MORE = frozenset({"ms", "µs", "s", "MiB", "KiB"})
JUDGED = frozenset({"", "p50", "median", "CPU"})
"""Of a spread only the middle: a p99 or a maximum is what the neighbours were just doing."""
LEAST_PERCENT = 5
"""Two rounds of one commit differ by as much on a machine that is quiet."""


@dataclass(frozen=True)
class Measure:
    """One number of a table. `step` is the last digit that was printed."""

    what: str
    name: str
    unit: str
    number: float
    step: float

    @property
    def key(self) -> tuple[str, str, str]:
        return self.what, self.name, self.unit


def read_table(output: str) -> list[Measure]:
    """All numbers of the last table of figures that a run of pytest printed."""
    lines = output.splitlines()
    heads = [at for at, line in enumerate(lines) if HEAD.match(line)]
    if not heads:
        return []
    head = lines[heads[-1]]
    columns = [head.index(word) for word in ("figure", "target", "beside")]
    found: list[Measure] = []
    above = ""
    for line in lines[heads[-1] + 1 :]:
        if not _is_row(line, columns[0]):
            break
        what = line[: columns[0]].rstrip()
        if not what.startswith("  "):
            above = what
        row = f"{above}:{what[1:]}" if what.startswith("  ") else what
        if row != "this machine":
            figure, beside = line[columns[0] : columns[1]].strip(), line[columns[2] :]
            found += _numbers_of(row, figure, "" if what.startswith(AGAIN) else beside)
    return found


def _is_row(line: str, figure: int) -> bool:
    """A figure stands in its column, after two spaces."""
    return len(line) > figure and line[figure - 2 : figure] == "  " and line[figure] != " "


def _numbers_of(what: str, figure: str, beside: str) -> list[Measure]:
    found = [_measure(what, hit["name"] or "", hit) for hit in NUMBER.finditer(figure)]
    return found + [_measure(what, "CPU", hit) for hit in OURS_BESIDE.finditer(beside)]


def _measure(what: str, name: str, hit: re.Match[str]) -> Measure:
    digits = hit["number"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    return Measure(what, name, hit["unit"] or "", float(digits), 10.0**-decimals)


@dataclass(frozen=True)
class Comparison:
    """What a number was in the rounds of both versions."""

    key: tuple[str, str, str]
    base: Sequence[float]
    here: Sequence[float]
    step: float

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.base), statistics.median(self.here)

    @property
    def ratio(self) -> float | None:
        base, here = self.medians
        return here / base if base else None

    @property
    def bound_percent(self) -> float:
        """What the rounds of one version differ by among themselves says nothing of the other."""
        return max(LEAST_PERCENT, _spread(self.base), _spread(self.here))

    @property
    def verdict(self) -> str:
        """Empty for what is not judged: ratios, counts, and the far end of a spread."""
        _, name, unit = self.key
        if name not in JUDGED or unit not in SLOWER_IF_MORE | {"/s"}:
            return ""
        base, here = self.medians
        worse = base - here if unit == "/s" else here - base
        if worse <= max(self.step, abs(base) * self.bound_percent / 100):
            return "not slower"
        return "SLOWER"


def _spread(rounds: Sequence[float]) -> float:
    """Half the distance between the extremes, in percent of the median."""
    median = statistics.median(rounds)
    return (max(rounds) - min(rounds)) / 2 / abs(median) * 100 if median else 0.0


def compare(base: Iterable[list[Measure]], here: Iterable[list[Measure]]) -> list[Comparison]:
    """Each number that both versions print, in the order in which it is printed here."""
    ours, theirs = _by_key(here), _by_key(base)
    return [
        Comparison(
            key,
            [each.number for each in theirs[key]],
            [each.number for each in found],
            max(each.step for each in (*found, *theirs[key])),
        )
        for key, found in ours.items()
        if key in theirs
    ]


def alone(base: Iterable[list[Measure]], here: Iterable[list[Measure]]) -> list[str]:
    """Rows that only one version prints: a benchmark that is new, gone or called otherwise."""
    ours, theirs = _by_key(here), _by_key(base)
    found = [f"only here: {what}" for what in _whats(ours.keys() - theirs.keys())]
    return found + [f"only in the base: {what}" for what in _whats(theirs.keys() - ours.keys())]


def _whats(keys: Iterable[tuple[str, str, str]]) -> list[str]:
    return sorted({what for what, _, _ in keys})


def _by_key(rounds: Iterable[list[Measure]]) -> Mapping[tuple[str, str, str], list[Measure]]:
    """A number that a row prints twice under one name counts once, its first time."""
    found: dict[tuple[str, str, str], list[Measure]] = {}
    for each in rounds:
        seen: set[tuple[str, str, str]] = set()
        for measure in each:
            if measure.key not in seen:
                found.setdefault(measure.key, []).append(measure)
                seen.add(measure.key)
    return found


def table_of(comparisons: Iterable[Comparison]) -> list[str]:
    """For a terminal."""
    rows = [("figure", "base", "here", "here/base", "bound", "")]
    for each in comparisons:
        what, name, unit = each.key
        base, here = each.medians
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        bound = f"{each.bound_percent:.0f} %" if each.verdict else ""
        shown = f"{what}, {name}" if name else what
        rows.append((shown, f"{base:g} {unit}", f"{here:g} {unit}", ratio, bound, each.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
