"""Words of a command, as bash makes them: quotes taken away, or marked as known only later."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from heliostat_policy.effects import Reason


class Kind(Enum):
    """How much of a word is known."""

    STATIC = auto()
    PATTERN = auto()
    """A name that fits a pattern: `*` and `?` match neither a slash nor a dot at the start."""
    DYNAMIC = auto()
    """Any text, but none of the environment."""
    PIPE = auto()
    """The name of a pipe from or to another command, that of a process substitution."""


@dataclass(frozen=True)
class Word:
    """One argument. `text` of a pattern is the pattern, of anything unknown it is empty."""

    text: str
    kind: Kind = Kind.STATIC
    is_one: bool = False
    """Of a dynamic one: it stands in quotes, and stays one word whatever it is."""

    @property
    def is_static(self) -> bool:
        """Whether this is exactly `text`."""
        return self.kind is Kind.STATIC


DYNAMIC: Final = Word("", Kind.DYNAMIC)
ONE_DYNAMIC: Final = Word("", Kind.DYNAMIC, is_one=True)
PIPE: Final = Word("", Kind.PIPE)


class Unreadable(Exception):  # what it says is a finding, not a fault
    """A part of a command of which nobody can say beforehand what it does."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text[:200]


_UNQUOTED: Final = re.compile(r"\\\n|\\(.)|([*?\[])|(.)", re.DOTALL)
_SPECIAL: Final = frozenset("{}()$`\"'<>|&;\n\t ")
_BRACES: Final = re.compile(r"([\w./-]*)\{([\w./,-]*,[\w./,-]*)\}([\w./-]*)", re.ASCII)
_EXPANDED: Final = re.compile(r"(?<!\\)(?:\\\\)*(?:\$[\w{(\[@*#?$!-]|`)")
_IN_QUOTES: Final = re.compile(r'\\(?:\n|([\\"$`]))')
_PLAIN_ANSI: Final = re.compile(r"\$'(?:[^'\\]|\\[nt\\'])*'", re.DOTALL)
_ANSI: Final = {"n": "\n", "t": "\t", "\\": "\\", "'": "'"}
_SPLITTING: Final = re.compile(r"[\s*?\[\\]")


def unquote_word(raw: str) -> Word:
    """A word without quotes: backslashes are taken away, patterns are noticed."""
    if raw.startswith("#"):
        raise Unreadable(Reason.UNREADABLE, raw)  # a comment to bash, or a trap for who reads it
    text: list[str] = []
    is_pattern = False
    for found in _UNQUOTED.finditer(raw):
        escaped, glob, other = found.groups()
        if escaped is not None and escaped in "*?[":
            raise Unreadable(Reason.NOT_STATIC, raw)
        if other is not None and other in _SPECIAL:
            raise Unreadable(Reason.NOT_STATIC, raw)
        is_pattern = is_pattern or glob is not None
        text.append(escaped or glob or other or "")
    return Word("".join(text), Kind.PATTERN if is_pattern else Kind.STATIC)


def expand_braces(raw: str) -> list[Word] | None:
    """The words of one pair of braces in plain text, such as `out/{a,b}`; None for other words."""
    found = _BRACES.fullmatch(raw)
    if found is None:
        return None
    before, inside, after = found.groups()
    return [Word(f"{before}{each}{after}") for each in inside.split(",")]


def unquote_string(raw: str) -> str:
    """The inside of double quotes, of which the parser says that nothing is expanded there."""
    if _EXPANDED.search(raw):
        raise Unreadable(Reason.NOT_STATIC, raw)
    return _IN_QUOTES.sub(lambda found: found.group(1) or "", raw)


def unquote_ansi(raw: str) -> str:
    """The inside of $'...', if it has no escapes but the simplest."""
    if not _PLAIN_ANSI.fullmatch(raw):
        raise Unreadable(Reason.NOT_STATIC, raw)
    return re.sub(r"\\(.)", lambda found: _ANSI[found.group(1)], raw[2:-1])


def splits(word: Word) -> bool:
    """Whether bash would make something else of the word, where it is used without quotes."""
    return word.kind is Kind.PATTERN or not word.text or bool(_SPLITTING.search(word.text))


def join(parts: list[Word], raw: str) -> Word:
    """One word of several that stand side by side."""
    kinds = {each.kind for each in parts}
    if Kind.PIPE in kinds and len(parts) > 1:
        raise Unreadable(Reason.NOT_STATIC, raw)
    if len(parts) == 1:
        return parts[0]
    if Kind.DYNAMIC in kinds:
        return DYNAMIC
    text = "".join(each.text for each in parts)
    return Word(text, Kind.PATTERN if Kind.PATTERN in kinds else Kind.STATIC)
