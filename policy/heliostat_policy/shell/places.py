"""What a program does to the paths that it is given."""

import re
from typing import Final

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.paths import Place, is_secret, place_of
from heliostat_policy.shell.words import Kind, Unreadable, Word
from heliostat_policy.tools import write_effect

_DOT_PATTERN: Final = re.compile(r"(?:^|/)\.[^/]*[*?\[]")


def reads(argv: tuple[str, ...], target: str = "") -> Effect:
    """A program that only reads."""
    return Effect(ActionClass.READ, Reason.READS, target, argv)


def check_reading(words: tuple[Word, ...], cwds: frozenset[str], root: str) -> Effect | None:
    """What is wrong with reading these paths, if anything: credentials, and what can't be told."""
    for word in words:
        if word.kind is Kind.PIPE:
            continue
        if word.kind is Kind.DYNAMIC:
            raise Unreadable(Reason.NOT_STATIC, "")
        for cwd in cwds:
            if is_secret(word.text, cwd):
                return Effect(ActionClass.CREDENTIAL, Reason.CREDENTIAL, word.text)
            if word.kind is Kind.PATTERN and not _is_tame(word.text, cwd, root):
                raise Unreadable(Reason.NOT_STATIC, word.text)
    return None


def _is_tame(pattern: str, cwd: str, root: str) -> bool:
    """Whether a pattern can only be names inside of the workspace, and none that begins with a
    dot."""
    if _DOT_PATTERN.search(pattern) or pattern.startswith("~"):
        return False
    return place_of(pattern, cwd, root) is Place.INSIDE


def writes(
    word: Word, cwds: frozenset[str], root: str, argv: tuple[str, ...], patterns: bool = False
) -> Effect:
    """What a change of one path is. A pattern is taken only where it does no harm to be wrong."""
    if word.kind in (Kind.DYNAMIC, Kind.PIPE) or not word.text:
        return unknown(Reason.NOT_STATIC, "", argv)
    if word.kind is Kind.PATTERN and not (
        patterns and all(_is_tame(word.text, each, root) for each in cwds)
    ):
        return unknown(Reason.NOT_STATIC, word.text, argv)
    path = word.text
    if path.startswith("~"):
        # The home's folder is outside, wherever it is: what programs obey stands in it.
        return Effect(
            ActionClass.DELETE_OUTSIDE, Reason.CHANGES_OUTSIDE, path, argv, writes=(path,)
        )
    found = [write_effect(path, each, root, argv) for each in sorted(cwds)]
    return max(found, key=lambda each: each.class_.severity)
