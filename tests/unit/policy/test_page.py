"""docs/policy.md shows what the program prints."""

import os
import subprocess
from pathlib import Path

import pytest

from tools.machine import ROOT
from tools.record import Mark, content_of, find_commands, find_marks

PAGE = (ROOT / "docs" / "policy.md").read_text()


@pytest.mark.parametrize("mark", find_marks(PAGE), ids=lambda mark: mark.name)
def test_the_page_shows_what_is_printed(mark: Mark, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", find_commands(PAGE, mark)],
        cwd=tmp_path,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert content_of(PAGE, mark) == f"```text\n{done.stdout}```\n", "run `make record`"
