"""The ledger beside a provider's own figures: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from heliostat_gateway.reports.documents import UsageLine
from heliostat_gateway.reports.exports import Cell, Export

# Calls that no provider counts: it refused them, or never saw them.
_UNCOUNTED: Final = ("provider_refused", "provider_unreachable")


@dataclass(frozen=True)
class Booked:
    """The ledger's figures of a cell. `estimated` of its requests ended before their usage came."""

    figures: Mapping[str, int]
    estimated: int


@dataclass(frozen=True)
class Difference:
    """One figure of one cell. `estimated` tells how many requests of the cell are estimates."""

    cell: Cell
    figure: str
    ledger: int
    provider: int
    estimated: int


@dataclass(frozen=True)
class Audit:
    """Equal when there are no differences. `figures` are those that the export tells."""

    figures: tuple[str, ...]
    cells: int
    differences: tuple[Difference, ...]


def book_lines(
    lines: Iterable[UsageLine],
    bucket: str,
    models: Mapping[str, str],
    keys: Mapping[str, str],
) -> dict[Cell, Booked]:
    """Sums of the ledger by cell. `models` and `keys` rename what the provider calls otherwise."""
    found: dict[Cell, Booked] = {}
    for line in lines:
        model, key = line.key["model"], line.key.get("credential", "")
        cell = Cell(line.key[bucket], models.get(model, model), keys.get(key, key))
        known = found.get(cell, Booked({}, 0))
        figures = {
            name: known.figures.get(name, 0) + count for name, count in _figures(line).items()
        }
        found[cell] = Booked(figures, known.estimated + line.estimated_requests)
    return found


def compare(ledger: Mapping[Cell, Booked], export: Export) -> Audit:
    """Every figure that the export tells, in every cell that either side knows."""
    nothing = Booked({}, 0)
    none: Mapping[str, int] = {}
    cells = sorted({*ledger, *export.cells})
    differences = [
        Difference(cell, figure, ours, theirs, ledger.get(cell, nothing).estimated)
        for cell in cells
        for figure in export.figures
        if (ours := ledger.get(cell, nothing).figures.get(figure, 0))
        != (theirs := export.cells.get(cell, none).get(figure, 0))
    ]
    return Audit(export.figures, len(cells), tuple(differences))


def without_keys(export: Export) -> Export:
    """The export summed over its keys, for a ledger that records none."""
    cells: dict[Cell, dict[str, int]] = {}
    for cell, figures in export.cells.items():
        sums = cells.setdefault(Cell(cell.bucket, cell.model, ""), dict.fromkeys(figures, 0))
        for figure, count in figures.items():
            sums[figure] += count
    return Export(export.start, export.end, export.figures, has_keys=False, cells=cells)


def _figures(line: UsageLine) -> dict[str, int]:
    tokens = line.tokens
    written = tokens["cacheWrite5m"] + tokens["cacheWrite1h"]
    return {
        **tokens,
        "cacheWrite": written,
        "allInput": tokens["input"] + tokens["cacheRead"] + written,
        "requests": line.calls - sum(line.errors.get(each, 0) for each in _UNCOUNTED),
        "costNanos": line.cost_nanos,
    }
