"""Programs that change files, and what of their words they change."""

import re
from collections.abc import Callable
from typing import Final

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.paths import is_secret
from heliostat_policy.shell.options import Arguments, Options, options, read_arguments
from heliostat_policy.shell.places import check_reading, reads, writes
from heliostat_policy.shell.readers import READERS
from heliostat_policy.shell.syntax import Command
from heliostat_policy.shell.words import Kind, Unreadable, Word

Argv = tuple[str, ...]
Judge = Callable[[Arguments, Command, str, Argv], list[Effect]]

_TAR_MODES: Final = ("-c", "-t", "-x", "--create", "--list", "--extract")
_TAR_UNPACKING: Final = ("-x", "--extract")
_MODE: Final = re.compile(r"0?[0-7]{3}|[ugoa]*[+=-][rwxX]+(?:,[ugoa]*[+=-][rwxX]+)*")


def _all_operands(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    if not found.operands:
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    return [writes(each, command.cwds, root, argv) for each in found.operands]


def _copy(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    return _to_last(found, command, root, argv, moves=False)


def _move(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    return _to_last(found, command, root, argv, moves=True)


def _to_last(
    found: Arguments, command: Command, root: str, argv: Argv, moves: bool
) -> list[Effect]:
    """The last operand is a file or a folder: what comes into it keeps its name."""
    if len(found.operands) < 2:
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    *sources, target = found.operands
    wrong = check_reading(tuple(sources), command.cwds, root)
    if wrong is not None:
        return [wrong]
    is_folder = target.text == "." or target.text.endswith("/")
    effects = [] if is_folder else [writes(target, command.cwds, root, argv, patterns=True)]
    for source in sources:
        name = source.text.rstrip("/").rsplit("/", 1)[-1]
        if name in ("", ".", "..", "~") or source.kind is Kind.PIPE:
            return [unknown(Reason.NOT_STATIC, source.text, argv)]
        inside = Word(f"{target.text.rstrip('/')}/{name}", _widest(source.kind, target.kind))
        effects.append(writes(inside, command.cwds, root, argv, patterns=True))
        if moves:
            effects.append(writes(source, command.cwds, root, argv))
    return effects


def _widest(*kinds: Kind) -> Kind:
    return Kind.PATTERN if Kind.PATTERN in kinds else Kind.STATIC


def _change_mode(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    if len(found.operands) < 2 or not _MODE.fullmatch(found.operands[0].text):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    return [writes(each, command.cwds, root, argv) for each in found.operands[1:]]


def _split(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    """Makes files whose names begin with the second operand."""
    wrong = check_reading(found.operands[:1], command.cwds, root)
    if wrong is not None:
        return [wrong]
    if len(found.operands) > 2:
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    prefix = found.operands[1] if len(found.operands) == 2 else Word("x")
    return [writes(Word(f"{prefix.text}aa", prefix.kind), command.cwds, root, argv)]


def _sort(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    return _reading_but(found.values("-o", "--output"), found.operands, command, root, argv)


def _uniq(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    return _reading_but(list(found.operands[1:]), found.operands[:1], command, root, argv)


def _tar(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    """Lists or packs. What an archive unpacks, and where to, stands in the archive."""
    archives = found.values("-f", "--file")
    if len(archives) != 1 or any(":" in each.text for each in archives):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    modes = [each for each, _ in found.given if each in _TAR_MODES]
    if len(modes) != 1 or (found.has("-C", "--directory") and modes[0] not in _TAR_UNPACKING):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    if modes[0] in _TAR_UNPACKING:
        return _unpack(found, command, root, argv)
    if modes[0] in ("-t", "--list"):
        return _reading_but([], tuple(archives), command, root, argv)
    return _reading_but(archives, found.operands, command, root, argv)


def _link(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    """A symbolic link to something below its own folder, by relative names alone."""
    if len(found.operands) != 2 or not found.has("-s", "--symbolic"):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    target, link = found.operands
    if not target.is_static or target.text.startswith(("/", "~")) or not link.is_static:
        return [unknown(Reason.NOT_STATIC, target.text, argv)]
    folder = link.text.rstrip("/").rpartition("/")[0]
    places = [
        Word(f"{each}/{target.text}" if each else target.text) for each in (folder, link.text)
    ]
    return [writes(each, command.cwds, root, argv) for each in (link, *places)]


def _pack(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    return _reading_but(list(found.operands[:1]), found.operands[1:], command, root, argv)


def _unpack(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    """What an archive unpacks stands in the archive: as little can be told as of a program."""
    folders = found.values("-d", "-C", "--directory") or [Word("x")]
    effects = [writes(each, command.cwds, root, argv) for each in folders]
    operands = tuple(each.text for each in (*found.values("-f", "--file"), *found.operands[:1]))
    return [
        *effects,
        Effect(ActionClass.EXECUTE, Reason.RUNS_CODE, argv[0], argv, operands=operands),
    ]


def _unzip(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    if found.has("-l", "-t", "-Z"):
        return _reading_but([], found.operands, command, root, argv)
    return _unpack(found, command, root, argv)


def _compress(found: Arguments, command: Command, root: str, argv: Argv) -> list[Effect]:
    """Puts the packed file in the place of the other, unless it prints."""
    if found.has("-c", "-l", "-t", "--stdout", "--list", "--test") or not found.operands:
        return _reading_but([], found.operands, command, root, argv)
    return _all_operands(found, command, root, argv)


def _reading_but(
    written: list[Word], read: tuple[Word, ...], command: Command, root: str, argv: Argv
) -> list[Effect]:
    wrong = check_reading(read, command.cwds, root)
    if wrong is not None:
        return [wrong]
    return [reads(argv), *(writes(each, command.cwds, root, argv) for each in written)]


WRITERS: Final[dict[str, tuple[Options, Judge]]] = {
    "mkdir": (options("-p -v --parents --verbose", "-m --mode"), _all_operands),
    "touch": (options("-a -c -m --no-create", "-d -t --date"), _all_operands),
    "rm": (options("-f -r -R -d -v --force --recursive --dir --verbose"), _all_operands),
    "rmdir": (options("-v --ignore-fail-on-non-empty"), _all_operands),
    "truncate": (options("-c", "-s --size"), _all_operands),
    "tee": (options("-a -i --append", ""), _all_operands),
    "cp": (
        options(
            "-a -f -i -n -p -r -R -u -v --archive --force --no-clobber --recursive --update "
            "--verbose --preserve --preserve="
        ),
        _copy,
    ),
    "mv": (options("-f -i -n -u -v --force --no-clobber --update --verbose"), _move),
    "chmod": (options("-v -c -f --verbose --changes"), _change_mode),
    "split": (
        options("-d -x -e --verbose", "-a -b -C -l -n --bytes --lines --number --suffix-length"),
        _split,
    ),
    "sort": (
        Options(READERS["sort"].flags, READERS["sort"].valued | {"-o", "--output"}),
        _sort,
    ),
    "uniq": (READERS["uniq"], _uniq),
    "xxd": (options("-b -i -p -u -E", "-c -g -l -s -n"), _uniq),
    "tar": (
        options(
            "-c -t -x -v -z --create --list --extract --verbose --gzip",
            "-f -C --file --directory --exclude",
        ),
        _tar,
    ),
    "ln": (options("-s -f -n -v --symbolic --force"), _link),
    "zip": (options("-r -q -j -u -0 -1 -6 -9"), _pack),
    "unzip": (options("-o -n -q -l -t -Z -j", "-d"), _unzip),
    "gzip": (
        options("-c -d -f -k -l -q -t -v -1 -6 -9 --stdout --decompress --keep --list --test"),
        _compress,
    ),
    "gunzip": (options("-c -f -k -l -q -t -v --stdout --keep --list --test"), _compress),
}


def judge_writer(name: str, command: Command, root: str, argv: Argv) -> list[Effect]:
    """What a program of the table does. Raises Unreadable for what is not in it."""
    known, judge = WRITERS[name]
    words = command.words[1:]
    if name == "tar" and words and words[0].is_static and not words[0].text.startswith("-"):
        words = (Word(f"-{words[0].text}"), *words[1:])  # its oldest form: tar czf x.tgz data
    if any(is_secret(each.text, cwd) for each in words for cwd in command.cwds if each.text):
        return [Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, argv[0], argv)]
    if name == "chmod" and words and re.fullmatch(r"-[rwxX]+", words[0].text):
        raise Unreadable(Reason.UNKNOWN_OPTION, words[0].text)
    return judge(read_arguments(known, words), command, root, argv)
