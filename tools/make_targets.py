"""The targets of the Makefile, read from the same lines that `make help` prints."""

import re
from pathlib import Path

from tools.sections import table as markdown_table

MAKEFILE = Path(__file__).resolve().parent.parent / "Makefile"
TARGET = re.compile(r"^([a-z0-9-]+):.*?## (.+)$", re.MULTILINE)


def read() -> dict[str, str]:
    """Every target with its one line of help."""
    return dict(TARGET.findall(MAKEFILE.read_text()))


def table() -> str:
    rows = [(f"`make {name}`", text) for name, text in read().items()]
    return markdown_table(("target", "what it does"), rows)
