"""Chunks: lines of a transcript cut into documents, and put together again.

The texts of all chunks in order are the transcript. A line that is longer than a chunk is cut into
parts; only the last of them counts it in `next`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from heliostat_api.documents.port import Document, Fields

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Chunk:
    """Lines `first` up to `next`; without a text they are lost."""

    attempt: int
    first: int
    next: int
    text: str
    part: int = 0

    @property
    def id(self) -> str:
        part = f".{self.part:04d}" if self.part else ""
        return f"{self.attempt:04d}-{self.first:012d}{part}"

    @property
    def is_lost(self) -> bool:
        return not self.text

    def fields(self) -> Fields:
        return {
            "attempt": self.attempt,
            "first": self.first,
            "next": self.next,
            "text": self.text,
        }


def cut(
    attempt: int, first: int, lines: Sequence[str], most_bytes: int = CHUNK_BYTES
) -> list[Chunk]:
    """The chunks of some lines. Raises ValueError for a line with a line break inside."""
    return list(_cut(Chunk(attempt, first, first, ""), lines, most_bytes))


def read_chunk(document: Document) -> Chunk:
    """Raises ValueError for what is none."""
    match document.fields:
        case {"attempt": int(attempt), "first": int(first), "next": int(next_), "text": str(text)}:
            part = document.id.partition(".")[2]
            return Chunk(attempt, first, next_, text, int(part or 0))
    raise ValueError(f"{document.path} is not a chunk of a transcript")


def join(chunks: Iterable[Chunk]) -> Iterator[tuple[int, str]]:
    """Sequence numbers and lines, those of a line in parts once all of them are there."""
    begun: list[str] = []
    for chunk in chunks:
        if chunk.next == chunk.first:
            begun.append(chunk.text)
        elif not chunk.is_lost:
            lines = "".join([*begun, chunk.text]).removesuffix("\n").split("\n")
            begun.clear()
            yield from enumerate(lines, chunk.first)


def _cut(place: Chunk, lines: Sequence[str], most: int) -> Iterator[Chunk]:
    for group in _groups(lines, most):
        place = replace(place, first=place.next, part=0)
        *before, last = _parts(place, "".join(group), most)
        yield from before
        place = replace(last, next=last.first + len(group))
        yield place


def _groups(lines: Sequence[str], most: int) -> Iterator[list[str]]:
    """Lines with their ends, as many as a chunk takes; one that is too long is alone."""
    group: list[str] = []
    size = 0
    for line in lines:
        if "\n" in line:
            raise ValueError("a line of a transcript can't hold a line break")
        length = len(line.encode()) + 1
        if group and size + length > most:
            yield group
            group, size = [], 0
        group.append(f"{line}\n")
        size += length
    if group:
        yield group


def _parts(place: Chunk, text: str, most: int) -> Iterator[Chunk]:
    """Cut between characters, never within one."""
    encoded = text.encode()
    begin = part = 0
    while begin < len(encoded):
        end = min(begin + most, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
            end -= 1
        yield replace(place, text=encoded[begin:end].decode(), part=part)
        begin, part = end, part + 1
