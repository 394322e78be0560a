"""What the runbooks tell people to type, and to look at."""

import re
import shlex
from collections.abc import Iterator

from tools.machine import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks.md"


def commands(program: str) -> Iterator[list[str]]:
    """The words after the program, of each of its commands."""
    for found in re.findall(rf"`{program} ([^`]+)`", RUNBOOKS.read_text()):
        yield shlex.split(found)


def panels() -> Iterator[tuple[str, str]]:
    """Dashboard and panel of each sentence that sends people to some."""
    for board, named in re.findall(r"ashboard \*([^*]+)\*, panels? ([^;.]+)", RUNBOOKS.read_text()):
        for panel in re.findall(r"\*([^*]+)\*", named):
            yield board, panel
