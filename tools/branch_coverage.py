"""Which modules without I/O have branches that no unit test takes: `make coverage`.

The modules are those of import-linter's contracts: what may not import an HTTP client, not even
through others. Each of them must have enough of its branches tested, whatever the mean is.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coverage import Coverage
from pydantic import BaseModel

from tools.machine import ROOT

LEAST_PERCENT = 90
_CLIENT = "aiohttp"  # every contract against I/O names it, no other does

Contract = Mapping[str, object]


class Summary(BaseModel):
    """How many branches of a file there are, and how many were taken."""

    num_branches: int
    covered_branches: int


class MeasuredFile(BaseModel):
    """A file in coverage's JSON report. A branch is a line and the next, negative for the end."""

    summary: Summary
    missing_branches: Sequence[tuple[int, int]]


class Report(BaseModel):
    """The part of coverage's JSON report that is read here."""

    files: Mapping[str, MeasuredFile]


@dataclass(frozen=True)
class Module:
    """The branches of one module, and those of them that no unit test takes."""

    path: str
    branches: int
    covered: int
    missing: Sequence[tuple[int, int]]

    @property
    def percent(self) -> float:
        return 100 * self.covered / self.branches if self.branches else 100

    def format(self) -> str:
        ways = ", ".join(f"{line}->{to if to > 0 else 'exit'}" for line, to in self.missing)
        return f"{self.path}: {self.covered}/{self.branches} ({self.percent:.0f} %), missing {ways}"


def find_packages(contracts: Iterable[Contract]) -> Iterator[str]:
    """The packages and modules that a contract holds free of I/O."""
    for contract in contracts:
        forbidden, sources = contract.get("forbidden_modules"), contract.get("source_modules")
        if isinstance(forbidden, list) and _CLIENT in forbidden and isinstance(sources, list):
            if contract.get("allow_indirect_imports"):
                continue
            yield from sources


def find_files(packages: Iterable[str], root: Path) -> list[Path]:
    """Their files, those that no test imports too.

    Raises FileNotFoundError for a package that is in no component's folder.
    """
    files: list[Path] = []
    for package in packages:
        inside = package.replace(".", "/")
        found = [*root.glob(f"*/{inside}.py"), *root.glob(f"*/{inside}/**/*.py")]
        if not found:
            raise FileNotFoundError(f"{package}, which a contract names, is in no component")
        files += found
    return sorted(set(files))


def measure(files: Sequence[Path], command: Sequence[str], root: Path) -> tuple[int, list[Module]]:
    """The exit code of a module of Python, and what it and its child processes have passed."""
    with tempfile.TemporaryDirectory(prefix="heliostat-coverage-") as folder:
        data, settings = Path(folder, "data"), Path(folder, "settings.ini")
        names = "".join(f"\n    {each}" for each in files)
        settings.write_text(
            f"[run]\nbranch = true\nparallel = true\npatch = subprocess\n"
            f"data_file = {data}\ndisable_warnings = no-data-collected\ninclude ={names}\n"
        )
        run = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", *command]
        code = subprocess.run(run, cwd=root, check=False).returncode
        return code, read_modules(settings, files, root)


def read_modules(settings: Path, files: Sequence[Path], root: Path) -> list[Module]:
    measured = Coverage(config_file=str(settings), messages=False)
    measured.combine()
    data = measured.get_data()
    # What nothing imports has all its branches missing.
    data.touch_files([str(each) for each in files])
    report = settings.with_name("report.json")
    measured.json_report(outfile=str(report))
    found = Report.model_validate_json(report.read_bytes()).files
    return [_build_module(path, each, root) for path, each in sorted(found.items())]


def _build_module(path: str, file: MeasuredFile, root: Path) -> Module:
    name = (root / path).relative_to(root).as_posix()
    counts = file.summary
    return Module(name, counts.num_branches, counts.covered_branches, file.missing_branches)


def main(arguments: list[str]) -> int:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    files = find_files(find_packages(contracts["contracts"]), ROOT)
    code, modules = measure(files, ["pytest", *arguments], ROOT)
    below = [each for each in modules if each.percent < LEAST_PERCENT]
    for each in below:
        print(each.format())
    branches, covered = sum(m.branches for m in modules), sum(m.covered for m in modules)
    print(
        f"{len(modules)} modules without I/O, {covered} of their {branches} branches in unit tests;"
        f" {len(below)} modules have less than {LEAST_PERCENT} %"
    )
    return code or (1 if below else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
