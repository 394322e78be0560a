"""Where output goes: lines, one that stays at the bottom, words in colour on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Protocol

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.status import Status
from rich.text import Text
from rich.theme import Theme

_THEME = Theme(
    {
        "words.good": "green",
        "words.bad": "bold red",
        "words.waits": "yellow",
        "words.head": "bold",
        "words.step": "cyan",
    }
)


class _Words(RegexHighlighter):
    base_style = "words."
    highlights: ClassVar[list[str]] = [
        r"\b(?P<good>Succeeded|Verified|Ready|True)\b",
        r"\b(?P<bad>Failed|Cancelled|VerificationFailed|NotReady|error:|failed:)",
        r"(?P<waits>waits:|Pending|Starting|Retrying|Stopping|remedy:?)",
        r"(?P<step>step \d+:)",
    ]


class Screen(Protocol):
    """What following a run writes to."""

    def line(self, text: str) -> None:
        """One line (or several) that stays."""

    def status(self, text: str) -> None:
        """The line at the bottom, in place of the one before."""


class Terminal:
    """stdout for what was asked for, stderr for what is said about it."""

    def __init__(self) -> None:
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)
        self._status: Status | None = None

    def line(self, text: str) -> None:
        self.out.print(Text(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """To stderr, so that stdout stays what a program can read."""
        self.err.print(Text(text), soft_wrap=True)

    def raw(self, text: str) -> None:
        """To stdout as it stands: JSON, YAML, names."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()

    def status(self, text: str) -> None:
        if self._status is not None:
            self._status.update(Text(text))

    @contextmanager
    def live(self) -> Iterator[None]:
        """A line at the bottom while the block runs; on a terminal only."""
        if not self.out.is_terminal:
            yield
            return
        with self.out.status("") as self._status:
            try:
                yield
            finally:
                self._status = None


class TimedScreen:
    """Puts the seconds since the start before every line."""

    def __init__(self, screen: Screen, clock: Callable[[], float]) -> None:
        self._screen = screen
        self._clock = clock
        self._start = clock()

    def line(self, text: str) -> None:
        self._screen.line(f"{self._clock() - self._start:6.1f}s  {text}")

    def status(self, text: str) -> None:
        self._screen.status(text)


def _console(*, stderr: bool) -> Console:
    return Console(stderr=stderr, theme=_THEME, highlighter=_Words(), markup=False, emoji=False)
