"""Shell commands made by chance from bash's grammar and the table of known programs."""

import random
from typing import Final

from heliostat_policy.classes import ActionClass, Decision
from heliostat_policy.rules import Call, Policy, judge
from heliostat_policy.shell.git import CHANGING, READING
from heliostat_policy.shell.options import Options
from heliostat_policy.shell.readers import ANY_WORDS, READERS
from heliostat_policy.shell.writers import WRITERS

FILES: Final = {
    "a.txt": "b\na\nc\n",
    "b.txt": "a\nd\n",
    "data.csv": "id,name\n1,x\n2,y\n",
    "data.json": '{"items": [{"name": "x"}]}\n',
    "x y.txt": "spaces\n",
    "sub/c.txt": "c\n",
    # Names that are options to a program that gets them from a pattern.
    "-o.csv": "z\n",
    "--output=z.csv": "z\n",
    "--compress-program=sh.csv": "z\n",
}
_PATHS: Final = (
    "a.txt",
    "b.txt",
    "data.csv",
    "data.json",
    "sub/c.txt",
    "sub",
    ".",
    "*.csv",
    "./*.txt",
    "sub/*",
    "'x y.txt'",
    '"a.txt"',
    "new",
    "sub/new",
    "out/new.txt",
    "../x",
    "/etc/hostname",
    "/tmp/x",
    "~/x",
    "$HOME/x",
    "/dev/null",
    "-",
    "--",
    "-o",
    "a\\ b",
    "b{1,2}",
    "$(echo a.txt)",
    "<(cat a.txt)",
    ".git/config",
    ".claude/x",
)
_VALUES: Final = ("1", "2", ",", "a", "a.txt", "'%s\\n'", "1,2", "new", "/tmp/x", "sub")
_PROGRAMS_OF_TEXT: Final = (
    "sed -n 1,2p {path}",
    "sed 's/a/b/g' {path}",
    "sed -i s/a/b/ {path}",
    "sed 's/a/b/w {path}' a.txt",
    "sed '1e echo' {path}",
    "awk -F, '{{print $1}}' {path}",
    "awk '{{s+=$1}} END {{print s}}' {path}",
    "awk '{{print > \"new\"}}' {path}",
    "awk '$1 > 1' {path}",
    "jq . {path}",
    "jq -r '.items[].name' {path}",
    "find {path} -name '*.txt'",
    "find . -type f -exec cat {{}} \\;",
    "find . -name '*.csv' -exec rm {{}} +",
    "find {path} -maxdepth 1 -print0",
    "[ -f {path} ]",
    "ls | xargs -n1 basename",
    "cat {path} | xargs",
    "mkdir -p {path}/{{p,q}}",
    "ln -s {path} new",
    '[ "$(cat a.txt)" = b ]',
    "[ {path} -nt a.txt ]",
    "[[ -f {path} && a == {path} ]]",
    "[[ -n $(cat {path}) || {path} != b ]]",
    "for i in {{1..3}}; do echo $i {path}; done",
    "X=1 cat {path}",
    "test -d {path}",
    "printf '%s\\n' {path}",
    "echo {path}",
    "timeout 5 cat {path}",
    "nice -n 5 wc -l {path}",
    "cd sub",
    "cd {path}",
    "set -e",
)
_SLOW: Final = frozenset({"sleep", "wait", "exit", "read", "type"})


def harmless_command(seed: str) -> str:
    """A command that is judged to read only, or to write inside; the same for the same seed."""
    chance = random.Random(seed)
    while True:
        command = _statement(chance, 2)
        if is_harmless(command, "/workspace"):
            return command


def is_harmless(command: str, root: str) -> bool:
    """Whether the policy says that it reads or writes inside, and nothing else."""
    found = judge(Policy(), Call("Bash", {"command": command}, root, root))
    return found.decision is Decision.ALLOW and found.class_ in (
        ActionClass.READ,
        ActionClass.WRITE_INSIDE,
    )


def _statement(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.35:
        return _simple(chance)
    one, other = _statement(chance, depth - 1), _statement(chance, depth - 1)
    return chance.choice(
        (
            f"{one} | {other}",
            f"{one} && {other}",
            f"{one} || {other}",
            f"{one}; {other}",
            f"{one}\n{other}",
            f"({one}; {other})",
            f"{{ {one}; {other}; }}",
            f"if {one}; then {other}; else {one}; fi",
            f'for f in a.txt *.csv; do {one}; cat "$f"; done',
            f'for f in ./*.txt; do {other} < "$f"; done',
            f"x=a.txt; {one}; cat $x",
            f'echo "$({one})"; {other}',
            f'while read -r l; do echo "$l"; done < a.txt; {one}',
            f"{one} <<E\ntext $({other})\nE",
            f"{one} <<'E'\ntext $({other})\nE\n",
            f"! {one}",
            f"{one} & wait",
            f"{one} 2>&1",
            f"{one} &> new",
        )
    )


def _simple(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.3:
        command = chance.choice(_PROGRAMS_OF_TEXT).format(path=chance.choice(_PATHS))
    elif kind < 0.4:
        tables = {**READING, **CHANGING}
        name = chance.choice(sorted(tables))
        command = f"git {name} {_words(chance, tables[name])}"
    elif kind < 0.65:
        name = chance.choice(sorted(WRITERS))
        command = f"{name} {_words(chance, WRITERS[name][0])}"
    elif kind < 0.7:
        command = f"{chance.choice(sorted(ANY_WORDS))} {chance.choice(_PATHS)}"
    else:
        name = chance.choice(sorted(set(READERS) - _SLOW))
        command = f"{name} {_words(chance, READERS[name])}"
    if chance.random() < 0.25:
        command += f" {chance.choice(('>', '>>', '<', '2>'))} {chance.choice(_PATHS)}"
    return command


def _words(chance: random.Random, known: Options) -> str:
    words: list[str] = []
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        words.append(_option(chance, known))
    words += [chance.choice(_PATHS) for _ in range(chance.choice((0, 1, 1, 2, 2, 3)))]
    if chance.random() < 0.2:
        chance.shuffle(words)
    return " ".join(words)


def _option(chance: random.Random, known: Options) -> str:
    flags, valued = sorted(known.flags), sorted(known.valued)
    if valued and (not flags or chance.random() < 0.4):
        return f"{chance.choice(valued)} {chance.choice(_VALUES)}"
    if not flags:
        return "-z"
    flag = chance.choice(flags)
    return f"{flag}{chance.choice(_VALUES)}" if flag.endswith("=") else flag
