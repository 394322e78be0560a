"""Write the real output of commands into the pages: `make record`.

A page has a block of commands, directly followed by `<!-- output:NAME -->` and
`<!-- output:end -->`. The commands run in the repository's root, with a home folder that is empty;
what they print goes between. Words after the name of a mark:

* `keep=WORD` keeps only the lines that have the word;
* `when=named` is for what needs a cluster, or most of an hour: it runs only when it is named
  (`make record NAMES=test`), and the page says when that was.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from tools.machine import ROOT, read_commit

END = "<!-- output:end -->"
MARK = re.compile(r"^<!-- output:(?!end )(\w+)((?: \w+=\S+)*) -->$", re.MULTILINE)
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SAYS_WHEN = re.compile(r"^(Recorded|Copied by hand) on \d{4}-\d\d-\d\d\b.*\.$", re.MULTILINE)
PAGES = ("README.md", "CONTRIBUTING.md", "docs")


@dataclass(frozen=True)
class Mark:
    """A place of a page that shows what the commands before it print."""

    name: str
    line: str
    keep: str = ""
    only_named: bool = False


def find_pages() -> list[Path]:
    """All pages of the documentation."""
    found = [ROOT / name for name in PAGES]
    return [
        page
        for each in found
        for page in ([each] if each.is_file() else sorted(each.rglob("*.md")))
    ]


def find_marks(page: str) -> list[Mark]:
    """The marks of a page; ValueError for a word that is none of a mark's."""
    marks = []
    for found in MARK.finditer(page):
        words = dict(word.split("=", 1) for word in found[2].split())
        keep, when = words.pop("keep", ""), words.pop("when", "")
        if words or when not in ("", "named"):
            raise ValueError(f"{found[0]}: a mark takes keep=WORD and when=named")
        marks.append(Mark(found[1], found[0], keep, only_named=bool(when)))
    return marks


def find_commands(page: str, mark: Mark) -> str:
    """The commands whose output the mark waits for; ValueError when there are none."""
    before, found, after = page.partition(f"```\n{mark.line}\n")
    _, block, commands = before.rpartition("```sh")
    if not (found and block and END in after) or "```" in commands:
        raise ValueError(f"the page must have a block of commands before {mark.line}")
    return commands.partition("\n")[2]


def content_of(page: str, mark: Mark) -> str:
    """What the page shows now."""
    return page.partition(f"{mark.line}\n")[2].partition(END)[0]


def choose(marks: Iterable[Mark], names: Collection[str]) -> list[Mark]:
    """Those that are named, or without a name all that run at any time."""
    return [each for each in marks if (each.name in names if names else not each.only_named)]


def replace_output(page: str, mark: Mark, output: str, home: str, says: str = "") -> str:
    """The page with this output; colours, trailing space and the machine's paths are taken out.

    `says` stands below it, for people.
    """
    before, line, rest = page.partition(f"{mark.line}\n")
    after = rest.partition(END)[2]
    plain = COLOURS.sub("", output).replace(f"{ROOT}/", "").replace(home, "~")
    kept = [each.rstrip() for each in plain.strip("\n").splitlines() if mark.keep in each]
    text = "\n".join(["```text", *kept, "```", *([says] if says else [])])
    return f"{before}{line}{text}\n{END}{after}"


def when_recorded(day: date, commit: str) -> str:
    """The sentence for a mark that is recorded only when it is named."""
    return f"Recorded on {day.isoformat()} at commit {commit}, by `make record` with its name."


def is_kept(name: str) -> bool:
    """Whether commands get this variable: none that leads home, and none of the make around us."""
    return not name.startswith(("XDG_", "HELIOSTAT_", "MAKE", "MFLAGS"))


def record(path: Path, mark: Mark) -> bool:
    """Runs the commands of one mark and writes what they print; False when they fail."""
    commands = find_commands(path.read_text(), mark)
    print(f"{path.relative_to(ROOT)}: {mark.name} ...", flush=True)
    with tempfile.TemporaryDirectory() as home:
        environment = {name: value for name, value in os.environ.items() if is_kept(name)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=ROOT,
            env={**environment, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        sys.stderr.write(f"{output}\nthe commands before {mark.line} failed\n")
        return False
    says = when_recorded(datetime.now(UTC).date(), read_commit()) if mark.only_named else ""
    path.write_text(replace_output(path.read_text(), mark, output, home, says))
    return True


def main(*names: str) -> int:
    found = [
        (page, mark)
        for page in find_pages()
        for mark in choose(find_marks(page.read_text()), names)
    ]
    missing = set(names) - {mark.name for _, mark in found}
    if missing:
        sys.stderr.write(f"no page has a mark output:{', output:'.join(sorted(missing))}\n")
        return 2
    return 0 if all([record(page, mark) for page, mark in found]) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
