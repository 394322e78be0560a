"""Write the real output of a command into a page: `python -m tools.record README.md NAME`.

The page has a block of commands, directly followed by `<!-- output:NAME -->` and
`<!-- output:end -->`. The commands run in the repository's root; what they print goes between.
"""

import re
import subprocess
import sys
from pathlib import Path

from tools.machine import ROOT

END = "<!-- output:end -->"
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def find_commands(page: str, name: str) -> str:
    """The commands whose output the mark NAME waits for; ValueError when there are none."""
    before, found, _ = page.partition(f"```\n<!-- output:{name} -->\n")
    if not found:
        raise ValueError(f"the page must have a block of commands before <!-- output:{name} -->")
    return before.rpartition("```sh")[2].partition("\n")[2]


def replace_output(page: str, name: str, output: str) -> str:
    """The page with this output; colours, trailing space and the machine's paths are taken out."""
    before, mark, rest = page.partition(f"<!-- output:{name} -->\n")
    after = rest.partition(END)[2]
    plain = COLOURS.sub("", output).replace(f"{ROOT}/", "").replace(str(Path.home()), "~")
    text = "\n".join(line.rstrip() for line in plain.strip("\n").splitlines())
    return f"{before}{mark}```text\n{text}\n```\n{END}{after}"


def main(name: str, *marks: str) -> int:
    path = Path(name)
    for mark in marks:
        command = ["bash", "-euo", "pipefail", "-c", find_commands(path.read_text(), mark)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            sys.stderr.write(f"{output}\nthe commands before output:{mark} failed\n")
            return 1
        path.write_text(replace_output(path.read_text(), mark, output))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
