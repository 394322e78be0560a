"""What the api says to people, in the language that they asked for.

That is the language of the request or the socket at hand; what nobody asked for is in English, and
so is what only programs and those who run the server meet.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from operator import itemgetter
from typing import Final, NewType

Text = NewType("Text", str)
"""In the language at hand, or on purpose in English: `bilingual` and `plain` alone make one."""

LANGUAGES: Final = ("en", "ko")
_LANGUAGE: ContextVar[str] = ContextVar("language", default="en")


def bilingual(*, en: str, ko: str) -> Text:
    """The one that is asked for."""
    return Text(ko if _LANGUAGE.get() == "ko" else en)


def plain(words: str) -> Text:
    """For programs and for those who run the server, or somebody else's words."""
    return Text(words)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """That language in the block, and in the tasks that are begun there."""
    token = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def preferred(accepted: str) -> str:
    """The first of our languages in the order of an Accept-Language; English where there is none.

    >>> preferred("fr, ko-KR;q=0.8, en;q=0.5")
    'ko'
    """
    asked = []
    for part in accepted.split(","):
        name, _, weight = part.partition(";")
        with suppress(ValueError):
            quality = float(weight.strip().removeprefix("q=") or 1)
            asked.append((-quality, name.strip().lower().partition("-")[0]))
    ours = (name for least, name in sorted(asked, key=itemgetter(0)) if least < 0)
    return next((name for name in ours if name in LANGUAGES), LANGUAGES[0])
