"""Terraform's own word on the module, where it is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.terraform import EXAMPLE, MODULE

REACHES_OUT = True
"""Trusts whom the machine trusts (conftest.py)."""

UNREACHED = re.compile(
    r"could not connect to|no such host|connection refused|timeout|Service Unavailable|proxyconnect"
    r"|Forbidden|certificate",
    re.IGNORECASE,
)
"""What a machine without a way to the registry says."""


@pytest.fixture(scope="module")
def terraform() -> str:
    found = shutil.which("terraform") or shutil.which("tofu")
    if found is None:
        pytest.skip("no terraform here: install terraform or tofu 1.6 or newer")
    return found


def run(program: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [program, f"-chdir={folder}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_files_are_formatted(terraform: str) -> None:
    done = run(terraform, "fmt", "-check", "-recursive", "-diff", folder=MODULE)
    assert done.returncode == 0, done.stdout


def test_the_example_is_valid(terraform: str, tmp_path: Path) -> None:
    copy = tmp_path / "deploy" / "terraform"
    shutil.copytree(MODULE, copy, ignore=shutil.ignore_patterns(".terraform*"))
    example = copy / EXAMPLE.name
    begun = run(terraform, "init", "-backend=false", "-input=false", "-no-color", folder=example)
    if UNREACHED.search(begun.stderr):
        pytest.skip(f"the registry of providers is not reached: {begun.stderr.strip()[-300:]}")
    assert begun.returncode == 0, begun.stderr
    done = run(terraform, "validate", folder=example)
    assert done.returncode == 0, done.stderr
