"""The layers of docs/architecture.md, from the contracts that import-linter holds."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence

from tools.machine import ROOT
from tools.sections import table as markdown_table

Contract = Mapping[str, Sequence[str]]


def build_table() -> str:
    """A row for each contract on layers."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts: Sequence[Contract] = settings["tool"]["importlinter"]["contracts"]
    rows = [row for each in contracts if each["type"] == "layers" for row in _rows(each)]
    return markdown_table(("in", "from top to bottom"), rows)


def _rows(contract: Contract) -> Iterator[tuple[str, str]]:
    for container in contract.get("containers", [""]):
        lines = [_names_of(line, container) for line in contract["layers"]]
        layers = [", ".join(f"`{name}`" for name in line) for line in lines if line]
        yield container.removeprefix("heliostat_") or "the whole", " > ".join(layers)


def _names_of(line: str, container: str) -> list[str]:
    """Those of a layer; one in brackets may be to come, and is left out until it is there."""
    names = [name.strip() for name in line.split("|")]
    return [
        each.strip("()")
        for each in names
        if not each.startswith("(") or _is_there(container, each.strip("()"))
    ]


def _is_there(container: str, name: str) -> bool:
    folders = ROOT.glob(f"*/{container}")
    return any((each / name).is_dir() or (each / f"{name}.py").exists() for each in folders)
