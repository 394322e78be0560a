"""Each member installs alone, as its image does it: its own dependencies and nobody else's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.machine import ROOT
from tools.uv import find

REACHES_OUT = True
"""Trusts whom the machine trusts (conftest.py)."""

PACKAGES = {
    "heliostat-core": {"heliostat_core"},
    "heliostat-operator": {"heliostat_core", "heliostat_operator"},
    "heliostat-scripted": {"heliostat_core", "heliostat_scripted"},
    "heliostat-gateway": {"heliostat_core", "heliostat_gateway", "heliostat_scripted"},
    "heliostat-api": {"heliostat_core", "heliostat_api"},
    "heliostat-runner": {"heliostat_runner"},
}
OURS = sorted(set().union(*PACKAGES.values()) | {"heliostat_cli"})
PROBE = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"


@pytest.mark.parametrize(("member", "expected"), PACKAGES.items(), ids=PACKAGES)
def test_a_member_installs_alone(member: str, expected: set[str], tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    sync = ["sync", "--quiet", "--frozen", "--no-dev", "--no-editable", "--package", member]
    subprocess.run(
        [find(), *sync, "--python", sys.executable],
        cwd=ROOT,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)},
        check=True,
    )
    # -P keeps the working folder off sys.path: what is found is what was installed.
    command = [str(environment / "bin" / "python"), "-P", "-c", PROBE, *OURS]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) == expected
