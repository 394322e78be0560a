"""The shape of the house: what style.md says of folders holds."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPONENTS = {
    "core": {
        "heliostat_core",
        "heliostat_folders",
        "heliostat_google",
        "heliostat_json",
        "heliostat_kubernetes",
        "heliostat_telemetry",
    },
    "policy": {"heliostat_policy"},
    "operator": {"heliostat_operator"},
    "scripted": {"heliostat_scripted"},
    "gateway": {"heliostat_gateway"},
    "api": {"heliostat_api"},
    "workspace_image": {"heliostat_runner"},
    "cli": {"heliostat_cli"},
}
# Spelled in parts, so that this file does not find itself.
MACHINE_PATHS = re.compile(r"/" + r"(?:work|home|root|Users)/[A-Za-z]")


def tracked_files() -> list[Path]:
    """Every file that a commit would hold: tracked ones and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_folder_is_not_a_package(component: str) -> None:
    # operator/__init__.py would shadow the standard library's operator and break the interpreter.
    assert not (ROOT / component / "__init__.py").exists()


@pytest.mark.parametrize(("component", "packages"), COMPONENTS.items())
def test_a_component_holds_its_typed_packages(component: str, packages: set[str]) -> None:
    found = [path.parent for path in (ROOT / component).glob("*/__init__.py")]
    assert {path.name for path in found} == packages
    assert all((path / "py.typed").exists() for path in found)


def test_the_workspace_lists_every_component() -> None:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "project" not in workspace, "a root project would put the repository on sys.path"
    assert set(workspace["tool"]["uv"]["workspace"]["members"]) == set(COMPONENTS)


def test_no_test_folder_is_a_package() -> None:
    assert [str(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


def test_every_test_folder_belongs_to_a_level() -> None:
    levels = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert levels - {"__pycache__"} <= {"unit", "integration", "e2e", "bench", "soak", "support"}


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [
            f"{path.relative_to(ROOT)}: {hit.group()}" for hit in MACHINE_PATHS.finditer(text)
        ]
    assert found == []


def test_the_layers_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
