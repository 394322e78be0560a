"""Programs whose argument is a program itself: sed, awk, jq and find, as far as it can be read."""

import re
from typing import Final

from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.shell.options import options, read_arguments
from heliostat_policy.shell.places import check_reading, reads, writes
from heliostat_policy.shell.syntax import Command
from heliostat_policy.shell.words import Kind, Unreadable, Word

Argv = tuple[str, ...]

_SED: Final = options(
    "-n -E -r -s -u -z -i --quiet --silent --regexp-extended --in-place --null-data --posix",
    "-e --expression",
)
_AWK: Final = options("", "-F -v --field-separator --assign")
_JQ: Final = options(
    "-r -c -s -n -e -S -M -C -a -j -R --raw-output --compact-output --slurp --null-input "
    "--exit-status --sort-keys --raw-input --tab",
    "",
)

_ADDRESS: Final = r"(?:\d+(?:~\d+)?|\$|/(?:[^/\\\n]|\\.)+/I?)"
_SED_COMMAND: Final = re.compile(
    rf"\s*(?:{_ADDRESS}(?:\s*,\s*(?:{_ADDRESS}|\+\d+))?)?\s*!?\s*"
    r"(?:[pdqQ=nNDPgGhHx]|s(?P<edge>[/|#,:@])(?:(?!(?P=edge))[^\\\n]|\\.)*(?P=edge)"
    r"(?:(?!(?P=edge))[^\\\n]|\\.)*(?P=edge)[gpiI0-9]*)\s*(?:;|\n|$)"
)
_BRACKETS: Final = re.compile(r"\[[^\]]*\]")
_AWK_DOING: Final = re.compile(r"system|getline|ENVIRON|ARGV|ARGC|PROCINFO|SYMTAB|FUNCTAB|@|\||\\")
_JQ_DOING: Final = re.compile(r"env|ENV|import|include|input_filename|debug|stderr|halt|modulemeta")

_FIND_FLAGS: Final = frozenset(
    [
        "-a",
        "-and",
        "-o",
        "-or",
        "-not",
        "!",
        "(",
        ")",
        ",",
        "-print",
        "-print0",
        "-ls",
        "-prune",
        "-quit",
        "-true",
        "-false",
        "-empty",
        "-readable",
        "-writable",
        "-executable",
        "-daystart",
        "-depth",
        "-mount",
        "-xdev",
        "-follow",
        "-nouser",
        "-nogroup",
        "-noleaf",
    ]
)
_FIND_VALUED: Final = frozenset(
    [
        "-name",
        "-iname",
        "-path",
        "-ipath",
        "-wholename",
        "-regex",
        "-iregex",
        "-regextype",
        "-type",
        "-xtype",
        "-size",
        "-mtime",
        "-mmin",
        "-atime",
        "-amin",
        "-ctime",
        "-cmin",
        "-newer",
        "-anewer",
        "-cnewer",
        "-newermt",
        "-maxdepth",
        "-mindepth",
        "-perm",
        "-user",
        "-group",
        "-uid",
        "-gid",
        "-links",
        "-inum",
        "-samefile",
        "-lname",
        "-ilname",
        "-printf",
        "-fstype",
    ]
)
_FIND_LEADING: Final = frozenset({"-H", "-L", "-P"})


def judge_sed(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Prints or changes files by commands that neither run a program nor write another file."""
    words = [
        Word("-i") if each.is_static and re.fullmatch(r"-i\.[A-Za-z0-9]+", each.text) else each
        for each in command.words[1:]
    ]
    found = read_arguments(_SED, tuple(words))
    operands = list(found.operands)
    programs = found.values("-e", "--expression")
    if not programs:
        if not operands:
            return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
        programs = [operands.pop(0)]
    if not all(each.is_static and is_tame_sed(each.text) for each in programs):
        return [unknown(Reason.RUNS_CODE, argv[0], argv)]
    wrong = check_reading(tuple(operands), command.cwds, root)
    if wrong is not None:
        return [wrong]
    if found.has("-i", "--in-place"):
        return [writes(each, command.cwds, root, argv, patterns=True) for each in operands] or [
            unknown(Reason.UNKNOWN_OPTION, argv[0], argv)
        ]
    return [reads(argv)]


def is_tame_sed(program: str) -> bool:
    """Whether a program of sed holds only commands that print, delete and replace."""
    if any(set(found.group()) & set("/|#,:@;\n") for found in _BRACKETS.finditer(program)):
        return False  # which of them ends a part is read in different ways
    place = 0
    while place < len(program):
        found = _SED_COMMAND.match(program, place)
        if found is None or found.end() == place:
            return False
        place = found.end()
    return bool(program.strip())


def judge_awk(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Prints what its program makes of its files, if that neither runs nor writes anything."""
    words = command.words[1:]
    operands: list[Word] = []
    while words:
        if words[0].is_static and re.fullmatch(r"-[Fv].+", words[0].text):
            words = words[1:]
        elif words[0].text in ("-F", "-v") and len(words) > 1 and words[0].is_static:
            if not words[1].is_static:
                raise Unreadable(Reason.NOT_STATIC, "")
            words = words[2:]
        else:
            operands = list(words)
            break
    if not operands or not operands[0].is_static or operands[0].text.startswith("-"):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    if not is_tame_awk(operands[0].text):
        return [unknown(Reason.RUNS_CODE, argv[0], argv)]
    return _read_operands(tuple(operands[1:]), command, root, argv)


def is_tame_awk(program: str) -> bool:
    """Whether a program of awk only computes and prints to its own output."""
    text = program.replace("||", " ").replace("\\n", " ").replace("\\t", " ")
    text = text.replace("\\.", " ").replace("\\/", " ")
    if _AWK_DOING.search(text):
        return False
    _, has_print, after = text.partition("print")
    return not (has_print and ">" in after)


def judge_jq(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Prints what a filter makes of JSON; a filter can read the environment."""
    words: list[Word] = []
    waiting = list(command.words[1:])
    while waiting:
        word = waiting.pop(0)
        if word.text in ("--arg", "--argjson") and len(waiting) >= 2:
            waiting = waiting[2:]
        else:
            words.append(word)
    operands = read_arguments(_JQ, tuple(words)).operands
    if not operands or not operands[0].is_static or _JQ_DOING.search(operands[0].text):
        return [unknown(Reason.NOT_STATIC, argv[0], argv)]
    return _read_operands(operands[1:], command, root, argv)


def _read_operands(
    operands: tuple[Word, ...], command: Command, root: str, argv: Argv
) -> list[Effect]:
    if any(each.text.startswith("-") and each.text != "-" for each in operands):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    wrong = check_reading(operands, command.cwds, root)
    return [wrong or reads(argv)]


def split_find(command: Command) -> tuple[tuple[Word, ...], list[tuple[Word, ...]]]:
    """The folders that find looks into, and the commands that it runs. Raises Unreadable."""
    words = list(command.words[1:])
    folders: list[Word] = []
    runs: list[tuple[Word, ...]] = []
    while words and words[0].text in _FIND_LEADING:
        words.pop(0)
    while words and not words[0].text.startswith(("-", "(", "!", ",")):
        folders.append(words.pop(0))
    while words:
        word = words.pop(0)
        if not word.is_static:
            raise Unreadable(Reason.NOT_STATIC, word.text)
        if word.text in _FIND_VALUED and words and words[0].is_static:
            words.pop(0)
        elif word.text == "-exec":
            runs.append(_exec(words, folders))
        elif word.text not in _FIND_FLAGS:
            raise Unreadable(Reason.UNKNOWN_OPTION, word.text)
    return tuple(folders) or (Word("."),), runs


def _exec(words: list[Word], folders: list[Word]) -> tuple[Word, ...]:
    """One command of -exec. What it is given are names below the folders."""
    found: list[Word] = []
    while words and words[0].text not in (";", "+"):
        word = words.pop(0)
        if word.is_static and "{}" in word.text:
            if word.text != "{}" or not all(each.is_static for each in folders):
                raise Unreadable(Reason.NOT_STATIC, word.text)
            start = [each.text.rstrip("/") or "/" for each in folders] or ["."]
            found += [Word(f"{each}/x*", Kind.PATTERN) for each in start]
        else:
            found.append(word)
    if not words or not found or not found[0].is_static:
        raise Unreadable(Reason.UNKNOWN_OPTION, "-exec")
    words.pop(0)
    return tuple(found)
