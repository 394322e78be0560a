"""What belongs to an area: `core`, `operator/runs`, `gateway/money/prices`, or a folder's path."""

from pathlib import Path

from tools.machine import ROOT
from tools.mutants.source import Source, read_source


class UnknownAreaError(Exception):
    """No folder and no module has this name."""


def find_area(area: str, root: Path = ROOT) -> list[Source]:
    """The modules of an area, by name.

    The first word is a distribution (`runner` is `heliostat_runner`), the rest a folder or a module
    in it. A path from the root of the repository does, too.
    """
    first, _, rest = area.strip("/").partition("/")
    starts = [folder / f"heliostat_{first}" for folder in package_roots(root)]
    for start in [*(start / rest for start in starts), root / area.strip("/")]:
        found = [start.with_suffix(".py")] if start.with_suffix(".py").is_file() else []
        found = found or (sorted(start.rglob("*.py")) if start.is_dir() else [])
        if found:
            return [read_source(root, path, module_of(path, root)) for path in found]
    raise UnknownAreaError(f"no folder and no module is called {area!r}")


def package_roots(root: Path = ROOT) -> list[Path]:
    """The folders that Python finds our packages in."""
    return sorted({each.parent for each in root.glob("*/heliostat_*") if each.is_dir()})


def module_of(path: Path, root: Path = ROOT) -> str:
    """The dotted name of a file: `heliostat_core.schedules.fires`."""
    parts = path.relative_to(root).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def product_files(root: Path = ROOT) -> list[Path]:
    """Every module of every distribution."""
    return sorted(
        path
        for folder in package_roots(root)
        for package in folder.glob("heliostat_*")
        for path in package.rglob("*.py")
    )
