"""Options of a program: those that are known, and which of them take a value."""

from dataclasses import dataclass
from typing import Final

from heliostat_policy.effects import Reason
from heliostat_policy.shell.words import Kind, Unreadable, Word

_GLOBS: Final = ("*", "?", "[")


@dataclass(frozen=True)
class Options:
    """The options that a program may have here. None of them runs a program or writes a file,
    unless who reads them looks after it."""

    flags: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    has_numbers: bool = False
    """Whether -20 is an option."""
    takes_patterns: bool = False
    """Whether a file whose name begins with a dash does no harm as an option."""


@dataclass(frozen=True)
class Arguments:
    """Words after the program's name, sorted."""

    given: tuple[tuple[str, Word | None], ...]
    operands: tuple[Word, ...]

    def values(self, *names: str) -> list[Word]:
        """The values of options, in their order."""
        return [value for name, value in self.given if name in names and value is not None]

    def has(self, *names: str) -> bool:
        """Whether one of the options is given."""
        return any(name in names for name, _ in self.given)


def options(
    flags: str, valued: str = "", *, numbers: bool = False, patterns: bool = False
) -> Options:
    """Options from two lists of names."""
    return Options(
        frozenset(flags.split()),
        frozenset(valued.split()),
        has_numbers=numbers,
        takes_patterns=patterns,
    )


def read_arguments(known: Options, words: tuple[Word, ...]) -> Arguments:
    """Sorts words into options and operands, as getopt of GNU does. Raises Unreadable."""
    given: list[tuple[str, Word | None]] = []
    operands: list[Word] = []
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        if word.kind is Kind.DYNAMIC:
            raise Unreadable(Reason.NOT_STATIC, "")
        if word.kind is Kind.PATTERN and word.text.startswith(_GLOBS) and not known.takes_patterns:
            raise Unreadable(Reason.NOT_STATIC, word.text)
        if word.is_static and word.text == "--":
            operands += reversed(waiting)
            break
        if not word.text.startswith("-") or word.text == "-":
            operands.append(word)
        elif word.kind is Kind.PATTERN and not word.text.startswith("--"):
            raise Unreadable(Reason.NOT_STATIC, word.text)
        elif word.text.startswith("--"):
            given.append(_long(known, word, waiting))
        elif known.has_numbers and word.text[1:].isdigit():
            given.append((word.text, None))
        else:
            given += _short(known, word, waiting)
    if any(each.kind is Kind.DYNAMIC for each in operands):
        raise Unreadable(Reason.NOT_STATIC, "")
    return Arguments(tuple(given), tuple(operands))


def _long(known: Options, word: Word, waiting: list[Word]) -> tuple[str, Word | None]:
    name, equals, value = word.text.partition("=")
    if equals and (name in known.valued or f"{name}=" in known.flags):
        return name, Word(value, word.kind)
    if not equals and name in known.valued and waiting:
        return name, waiting.pop()
    if not equals and name in known.flags:
        return name, None
    raise Unreadable(Reason.UNKNOWN_OPTION, word.text)


def _short(known: Options, word: Word, waiting: list[Word]) -> list[tuple[str, Word | None]]:
    found: list[tuple[str, Word | None]] = []
    for place, letter in enumerate(word.text[1:], start=1):
        name = f"-{letter}"
        if name in known.flags:
            found.append((name, None))
            continue
        if name not in known.valued:
            raise Unreadable(Reason.UNKNOWN_OPTION, word.text)
        rest = word.text[place + 1 :]
        if not rest and not waiting:
            raise Unreadable(Reason.UNKNOWN_OPTION, word.text)
        found.append((name, Word(rest) if rest else waiting.pop()))
        break
    return found
