"""How an answer is written in each dialect. Written a second time on purpose: nothing of the
gateway's own translation is used, for this is the witness that it is compared with."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.script import Action


class Report(StrEnum):
    """What a piece tells of usage."""

    NOTHING = "nothing"
    INPUT = "input"  # the input tokens; the output only so far
    FINAL = "final"  # all of it
    REFUSAL = "refusal"  # an error: when nothing came before it, nothing is owed


@dataclass(frozen=True)
class Piece:
    """Bytes of an answer, and what the bill must know about them."""

    raw: bytes
    characters: int = 0  # of text, thinking and tool arguments that it shows
    report: Report = Report.NOTHING


@dataclass(frozen=True)
class Omissions:
    """What an answer lacks by order."""

    usage: bool = False  # the final usage
    end: bool = False  # the last word: message_stop, [DONE], the finish reason of Gemini


COMPLETE = Omissions()


class Rendering(Protocol):
    """One answer in one dialect. An instance is used for one answer, streamed or whole."""

    @property
    def ping(self) -> bytes:
        """What is sent in long silences; may be nothing."""
        ...

    def start(self) -> Iterator[Piece]:
        """What comes before the first block."""
        ...

    def block(self, action: Action, index: int) -> Iterator[Piece]:
        """The events of one text, thinking or tool call; `index` counts from zero."""
        ...

    def end(self) -> Iterator[Piece]:
        """What comes after the last block."""
        ...

    def whole(self) -> Piece:
        """The answer as one document."""
        ...

    def error_event(self, kind: str, message: str) -> bytes:
        """An error inside a stream; `kind` in Anthropic's words."""
        ...

    def bad_json(self) -> bytes:
        """An event whose JSON is broken."""
        ...

    def padding(self, size: int) -> bytes:
        """One event of more than `size` bytes that shows nothing."""
        ...


def padded(document: JsonObject, name: str, size: int) -> bytes:
    """`document` as JSON with a last field `name` of `size` characters.

    Put together by hand: the serialiser would hold up every other answer for half a second.
    """
    return dump_object(document | {name: ""})[:-2] + b"x" * size + b'"}'


def pieces_of_text(text: str, size: int) -> Iterator[str]:
    """`text` cut into deltas of `size` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
