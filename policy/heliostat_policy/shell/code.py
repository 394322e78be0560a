"""Programs that run code of the workspace: what that does can't be told from the command."""

from typing import Final

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.paths import Place, place_of
from heliostat_policy.shell.network import judge_pip
from heliostat_policy.shell.syntax import Command
from heliostat_policy.shell.words import Word

Argv = tuple[str, ...]

PYTHONS: Final = frozenset({"python", "python3", "python3.11", "python3.12", "python3.13"})
_SHELLS: Final = frozenset({"sh", "bash"})
RUNNERS: Final = frozenset(
    [
        "pytest",
        "make",
        "ruff",
        "mypy",
        "black",
        "isort",
        "flake8",
        "pylint",
        "pyright",
        "tox",
        "nox",
        "coverage",
        "tsc",
        "eslint",
        "prettier",
        "biome",
        "vitest",
        "jest",
        "mvn",
        "gradle",
        "cmake",
        "ninja",
        "ctest",
        "go",
    ]
)
_WORDED: Final[dict[str, frozenset[str]]] = {
    "npm": frozenset({"run", "test", "start", "t", "ls", "list", "-v", "--version"}),
    "pnpm": frozenset({"run", "test", "start", "ls", "list", "-v", "--version"}),
    "yarn": frozenset({"run", "test", "start", "list", "-v", "--version"}),
    "uv": frozenset({"run", "--version", "tree", "lock"}),
    "poetry": frozenset({"run", "--version", "show"}),
    "cargo": frozenset({"build", "check", "test", "run", "clippy", "fmt", "--version", "bench"}),
}
_FETCHING: Final[dict[str, frozenset[str]]] = {
    "npm": frozenset({"ci", "install", "i"}),
    "pnpm": frozenset({"install", "i", "add"}),
    "yarn": frozenset({"install", "add"}),
    "uv": frozenset({"sync", "add"}),
    "poetry": frozenset({"install", "add"}),
    "cargo": frozenset({"fetch", "add"}),
}
CODE: Final = PYTHONS | _SHELLS | RUNNERS | _WORDED.keys() | {"node", "pip", "pip3"}
"""Programs that run code of the workspace."""

_PYTHON_FLAGS: Final = frozenset(
    ["-u", "-B", "-I", "-E", "-s", "-S", "-O", "-OO", "-q", "-P", "-V", "--version"]
)
_PYTHON_VALUED: Final = frozenset({"-W", "-X"})


def runs(argv: Argv, operands: tuple[str, ...] = ()) -> Effect:
    """A program that runs code."""
    target = operands[0] if operands else argv[0]
    return Effect(ActionClass.EXECUTE, Reason.RUNS_CODE, target, argv, operands=operands)


def judge_code(name: str, command: Command, argv: Argv) -> list[Effect]:
    """What a program does that runs code. Raises Unreadable as its neighbours do."""
    words = command.words[1:]
    if name in ("pip", "pip3"):
        return judge_pip(words, argv)
    if name in _WORDED:
        return _judge_worded(name, words, argv)
    if name in PYTHONS:
        return _judge_python(words, command, argv)
    if name in _SHELLS:
        return _judge_script(words, argv)
    if name == "node":
        return _judge_node(words, command, argv)
    return [runs(argv)]


def judge_path(command: Command, root: str, argv: Argv) -> list[Effect]:
    """A program that is named by its path: one of the workspace runs, others are unknown."""
    name = command.words[0].text
    if name.startswith("~") or any(
        place_of(name, each, root) is not Place.INSIDE for each in command.cwds
    ):
        return [unknown(Reason.UNKNOWN_PROGRAM, name, argv)]
    return [runs(argv, (name,))]


def _judge_worded(name: str, words: tuple[Word, ...], argv: Argv) -> list[Effect]:
    first = words[0].text if words and words[0].is_static else ""
    if first in _WORDED[name]:
        return [runs(argv)]
    if first in _FETCHING[name]:
        return [Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK, name, argv), runs(argv)]
    if name == "uv" and first == "pip":
        return judge_pip(words[1:], argv)
    return [unknown(Reason.UNKNOWN_OPTION, f"{name} {first}".strip(), argv)]


def _judge_python(words: tuple[Word, ...], command: Command, argv: Argv) -> list[Effect]:
    rest = list(words)
    while rest and rest[0].is_static:
        if rest[0].text in _PYTHON_FLAGS:
            rest.pop(0)
        elif rest[0].text in _PYTHON_VALUED:
            rest = rest[2:]
        else:
            break
    if not rest or rest[0].text == "-":
        return [unknown(Reason.NOT_STATIC, argv[0], argv) if command.is_piped else runs(argv)]
    first = rest[0]
    if not first.is_static:
        return [unknown(Reason.NOT_STATIC, argv[0], argv)]
    if first.text == "-m" and len(rest) > 1 and rest[1].text == "pip":
        return judge_pip(tuple(rest[2:]), argv)
    if first.text in ("-c", "-m"):
        return [runs(argv)]
    if first.text.startswith("-"):
        return [unknown(Reason.UNKNOWN_OPTION, first.text, argv)]
    return [runs(argv, (first.text,))]


def _judge_script(words: tuple[Word, ...], argv: Argv) -> list[Effect]:
    """A shell that runs a file; one that reads commands from elsewhere is unknown."""
    rest = [each for each in words if each.text not in ("-e", "-x", "-u", "-ex", "-eu")]
    if not rest or not rest[0].is_static or rest[0].text.startswith("-"):
        return [unknown(Reason.RUNS_CODE, argv[0], argv)]
    return [runs(argv, (rest[0].text,))]


def _judge_node(words: tuple[Word, ...], command: Command, argv: Argv) -> list[Effect]:
    if not words:
        return [unknown(Reason.NOT_STATIC, "node", argv) if command.is_piped else runs(argv)]
    first = words[0]
    if first.text in ("-e", "-p", "-v", "--version", "--test", "--check"):
        return [runs(argv)]
    if not first.is_static or first.text.startswith("-"):
        return [unknown(Reason.UNKNOWN_OPTION, first.text or "node", argv)]
    return [runs(argv, (first.text,))]
