"""What a command of Bash does: each simple command and each redirection by itself."""

import re
from typing import Final

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.paths import Place, is_secret, place_of
from heliostat_policy.shell.code import CODE, judge_code, judge_path, runs
from heliostat_policy.shell.git import judge_git
from heliostat_policy.shell.network import judge_curl, judge_known_words, judge_wget
from heliostat_policy.shell.options import read_arguments
from heliostat_policy.shell.places import check_reading, reads, writes
from heliostat_policy.shell.readers import ANY_WORDS, OF_NO_FILES, READERS
from heliostat_policy.shell.scripts import judge_awk, judge_jq, judge_sed, split_find
from heliostat_policy.shell.syntax import Command, Redirection, Step, Unclear, read_steps
from heliostat_policy.shell.words import DYNAMIC, Unreadable, Word
from heliostat_policy.shell.writers import WRITERS, judge_writer

Argv = tuple[str, ...]

_SYSTEM: Final = ("/usr/bin/", "/bin/", "/usr/local/bin/")
_DEVICES_OF_NETWORK: Final = re.compile(r"/+dev/+(?:tcp|udp)/+([^/]+)")
WRAPPERS: Final = frozenset({"timeout", "nice", "time", "command", "nohup"})
_SET: Final = re.compile(r"[-+][eux]+o?|[-+]o|pipefail|errexit|nounset|xtrace")
_FORMAT: Final = re.compile(r"(?!-)(?!.*%[^A-Za-z%]*n).+", re.DOTALL)  # %n sets a variable
_PROCESSES: Final = re.compile(r"[auxfwlj]+")  # e shows the environment
_WIDE: Final = re.compile(r"(?:~|/|/root|/home(?:/[^/]+)?|/proc(?:/[^/]+)?|/run|/var/run|/etc)/*")
_OF_TIMEOUT: Final = {"-v": 1, "--foreground": 1, "--preserve-status": 1, "-k": 2, "-s": 2}
_UNARY: Final = frozenset(["-d", "-e", "-f", "-h", "-L", "-n", "-r", "-s", "-w", "-x", "-z"])
_BINARY: Final = frozenset(
    ["=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"]
)
_OBEYING: Final = frozenset({ActionClass.EXECUTE})
"""What variables before a command may change without becoming something else."""

_DEEPEST: Final = 8


def effects_of(command: str, cwd: str, root: str) -> tuple[Effect, ...]:
    """Every thing that a command does, each judged by itself."""
    return tuple(each for step in read_steps(command, cwd) for each in _effects_of_step(step, root))


def _effects_of_step(step: Step, root: str) -> list[Effect]:
    if isinstance(step, Unclear):
        return [unknown(step.reason, step.text)]
    if isinstance(step, Redirection):
        return [_redirection(step, root)]
    return judge_command(step, root)


def _redirection(step: Redirection, root: str) -> Effect:
    network = _DEVICES_OF_NETWORK.match(step.target.text)
    if network:
        host = network.group(1).lower()
        return Effect(ActionClass.SEND, Reason.SENDS, host, host=host)
    if step.writes:
        return writes(step.target, step.cwds, root, (), patterns=True)
    try:
        return check_reading((step.target,), step.cwds, root) or reads((), step.target.text)
    except Unreadable as error:
        return unknown(error.reason, error.text)


def judge_command(command: Command, root: str, depth: int = 0) -> list[Effect]:
    """What one simple command does, by the table of known programs."""
    argv = _static_beginning(command.words)
    try:
        effects = _judge(command, root, argv, depth)
        if command.has_variables and any(each.class_ not in _OBEYING for each in effects):
            # Without words of its own: a rule that allows the program does not allow this.
            effects.append(unknown(Reason.NOT_STATIC, argv[0] if argv else ""))
        return effects
    except Unreadable as error:
        return [unknown(error.reason, error.text or (argv[0] if argv else ""), argv)]


def _static_beginning(words: tuple[Word, ...]) -> Argv:
    found = []
    for word in words:
        if not word.is_static:
            break
        found.append(word.text)
    return tuple(found)


def _judge(command: Command, root: str, argv: Argv, depth: int) -> list[Effect]:
    if not argv or not argv[0] or depth > _DEEPEST:
        return [unknown(Reason.NOT_STATIC, "")]
    name = argv[0]
    if "/" in name:
        folder = next((each for each in _SYSTEM if name.startswith(each)), None)
        if folder is None:
            return judge_path(command, root, argv)
        name = name.removeprefix(folder)
    if name in WRAPPERS:
        return _wrapped(name, command, root, argv, depth)
    if name in _NESTING:
        return _NESTING[name](command, root, argv, depth)
    if name in SINGLE:
        return SINGLE[name](command, root, argv)
    if name in WRITERS:
        return judge_writer(name, command, root, argv)
    if name in ANY_WORDS or name in READERS:
        return _reader(name, command, root, argv)
    if name in CODE:
        known = judge_known_words((name, *argv[1:]))
        return known or judge_code(name, command, argv)
    known = judge_known_words((name, *argv[1:]))
    return known or [unknown(Reason.UNKNOWN_PROGRAM, name, argv)]


def _reader(name: str, command: Command, root: str, argv: Argv) -> list[Effect]:
    words = command.words[1:]
    if name in ANY_WORDS:
        return [reads(argv)]
    if name == "date":
        words = tuple(each for each in words if not each.text.startswith("+"))
    found = read_arguments(READERS[name], words)
    if name == "date" and found.operands:
        return [unknown(Reason.UNKNOWN_OPTION, "date", argv)]
    values = tuple(each for _, each in found.given if each is not None)
    operands = found.operands
    is_searching = name in ("grep", "egrep", "fgrep", "rg")
    if is_searching and not found.has("-e", "-f", "--regexp", "--file", "--files"):
        operands = operands[1:]
        wide = name == "rg" or found.has("-r", "-R", "--recursive", "--dereference-recursive")
        if wide and any(_WIDE.fullmatch(each.text) for each in operands):
            return [Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, operands[0].text, argv)]
    if name == "ps" and not all(_PROCESSES.fullmatch(each.text) for each in (*operands, *values)):
        return [unknown(Reason.UNKNOWN_OPTION, "ps", argv)]
    if name in OF_NO_FILES:
        operands = ()
    wrong = check_reading((*operands, *values), command.cwds, root)
    return [wrong or reads(argv)]


def _printf(command: Command, root: str, argv: Argv) -> list[Effect]:
    """With a format that is no option, it prints."""
    del command, root
    if len(argv) < 2 or not _FORMAT.fullmatch(argv[1]):
        return [unknown(Reason.UNKNOWN_OPTION, "printf", argv)]
    return [reads(argv)]


def _test(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Compares words. -v and -R evaluate what stands in brackets, so that words which are not known
    are taken only where their number and the operator say that they are none of these."""
    words = tuple(each for each in command.words[1:] if each.text != "]")
    if words and words[0].text == "!":
        words = words[1:]
    are_known = all(each.is_static for each in words)
    is_unary = len(words) == 2 and words[0].is_static and words[0].text in _UNARY
    is_binary = len(words) == 3 and words[1].is_static and words[1].text in _BINARY
    if any(each.text in ("-v", "-R") for each in words) or not (
        are_known or ((is_unary or is_binary) and all(_is_one(each) for each in words))
    ):
        return [unknown(Reason.NOT_STATIC, argv[0], argv)]
    del root  # whether a file is there says nothing of what it holds
    return [reads(argv)]


def _is_one(word: Word) -> bool:
    return word.is_static or word.is_one


def _set(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Switches of the shell; without any it prints all variables."""
    del root
    if len(argv) < 2 or len(argv) != len(command.words):
        return [Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, "environment", argv)]
    if not all(_SET.fullmatch(each) for each in argv[1:]) or argv[-1].endswith("o"):
        return [unknown(Reason.UNKNOWN_OPTION, "set", argv)]
    return [reads(argv)]


def _environment(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Prints variables, in which keys are."""
    del command, root
    return [Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, "environment", argv)]


def _export(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Changes what later programs do, but none that would not run code anyway."""
    del command, root
    return [runs(argv)]


def _source(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Runs a file of the workspace in this shell."""
    if len(argv) < 2:
        return [unknown(Reason.NOT_STATIC, argv[0], argv)]
    if any(place_of(argv[1], each, root) is not Place.INSIDE for each in command.cwds):
        return [unknown(Reason.UNKNOWN_PROGRAM, argv[1], argv)]
    return [runs(argv, (argv[1],))]


def _xargs(command: Command, root: str, argv: Argv, depth: int) -> list[Effect]:
    """Runs a program with words of its input, which may be any."""
    words = list(command.words[1:])
    marks: list[str] = []
    while words and words[0].is_static and words[0].text.startswith("-"):
        option = words.pop(0).text
        if option in ("-I", "-n", "-P", "-L", "-d") and words and words[0].is_static:
            value = words.pop(0).text
            marks += [value] if option == "-I" else []
        elif option.startswith("-I") and len(option) > 2:
            marks.append(option[2:])
        elif not re.fullmatch(r"-0|-r|-t|-[nPL]\d+", option):
            return [unknown(Reason.UNKNOWN_OPTION, f"xargs {option}", argv)]
    inner = tuple(
        DYNAMIC if any(mark in each.text for mark in marks) else each for each in words
    ) or (Word("echo"),)
    if not marks:
        inner += (DYNAMIC,)
    return judge_command(Command(inner, command.cwds, is_piped=True), root, depth + 1)


def _wrapped(name: str, command: Command, root: str, argv: Argv, depth: int) -> list[Effect]:
    """The command that another one runs."""
    words = command.words[1:]
    effects: list[Effect] = []
    if name == "command" and words and words[0].text in ("-v", "-V"):
        return [reads(argv)]
    if name == "timeout":
        while words and words[0].text in _OF_TIMEOUT:
            words = words[_OF_TIMEOUT[words[0].text] :]
        if not words or not re.fullmatch(r"\d+(?:\.\d+)?[smhd]?", words[0].text):
            return [unknown(Reason.UNKNOWN_OPTION, name, argv)]
        words = words[1:]
    elif name == "nice" and len(words) > 1 and words[0].text == "-n":
        words = words[2:]
    elif name == "nohup":
        effects = [writes(Word("nohup.out"), command.cwds, root, argv)]
    if not words or words[0].text.startswith("-") or not words[0].is_static:
        return [unknown(Reason.UNKNOWN_OPTION, name, argv)]
    if name != "time" and words[0].text in ("cd", "read", "set", "exit", "wait", "pushd", "popd"):
        return [unknown(Reason.UNKNOWN_OPTION, name, argv)]
    inner = Command(words, command.cwds, command.is_piped, command.inputs)
    found = judge_command(inner, root, depth + 1)
    return effects + found


def _find(command: Command, root: str, argv: Argv, depth: int) -> list[Effect]:
    """Finds files; what it runs for each of them may only read."""
    folders, runs = split_find(command)
    wrong = check_reading(folders, command.cwds, root)
    if wrong is not None:
        return [wrong]
    effects = [reads(argv)]
    for words in runs:
        inner = judge_command(Command(words, command.cwds), root, depth + 1)
        if any(is_secret(each.text, "/") for each in command.words):
            return [Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, "find -exec", argv)]
        if any(each.class_ is not ActionClass.READ for each in inner):
            return [*inner, unknown(Reason.NOT_STATIC, "find -exec", argv)]
        effects += inner
    return effects


SINGLE: Final = {
    "sed": judge_sed,
    "awk": judge_awk,
    "gawk": judge_awk,
    "mawk": judge_awk,
    "jq": judge_jq,
    "git": judge_git,
    "curl": judge_curl,
    "wget": judge_wget,
    "printf": _printf,
    "test": _test,
    "[": _test,
    "set": _set,
    "env": _environment,
    "printenv": _environment,
    "export": _export,
    "source": _source,
    ".": _source,
}
_NESTING: Final = {"find": _find, "xargs": _xargs}
