"""Commands in documentation that tests run.

A fenced block that opens with ```sh run=LEVEL is run by the tests of that level, all blocks of a
page in order, in one shell and one clean copy of the repository. Levels: `unit` (no network),
`demo` (Claude Code on this machine), `cluster` (kubectl of a cluster) and `chart` (kubectl of a
cluster where the chart is installed).
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.machine import ROOT
from tools.record import find_pages

BLOCK = re.compile(r"^```(\w+)[ ]+run=(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEVELS = ("unit", "demo", "cluster", "chart")


@dataclass(frozen=True)
class Script:
    """All commands of one page for one level."""

    page: Path
    level: str
    text: str

    def __str__(self) -> str:
        return str(self.page.relative_to(ROOT))


def read_scripts(page: Path) -> list[Script]:
    """The page's scripts, one for each level; ValueError for a level that nobody runs."""
    texts: dict[str, str] = {}
    for _, level, text in BLOCK.findall(page.read_text()):
        if level not in LEVELS:
            raise ValueError(f"{page}: run={level} must be one of {', '.join(LEVELS)}")
        texts[level] = texts.get(level, "") + text
    return [Script(page, level, text) for level, text in texts.items()]


def find_scripts(level: str) -> list[Script]:
    scripts = (script for page in find_pages() for script in read_scripts(page))
    return [script for script in scripts if script.level == level]


def copy_repository(folder: Path) -> None:
    """What a clone of the present state would hold, with the environment that is installed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def run_script(script: Script, folder: Path, seconds: float, more: Mapping[str, str]) -> str:
    """Run it in the folder and return its output; AssertionError when a command fails.

    subprocess.TimeoutExpired after `seconds`. `more` is added to the environment.
    """
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-x", "-c", script.text],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "PATH": path, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{script}:\n{done.stdout[-4000:]}"
    return done.stdout
