"""What is still to be delivered of the transcript: its file is the spool.

Lines that the file could not take (a full disk) wait in memory, within a bound; beyond it the
oldest give way, and are told as a gap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .transcript import shorten

LINE_BYTES = 128 * 1024
"""A longer event is cut, as it is on stdout; the file has it whole."""
BATCH_BYTES = 1 << 20
BATCH_LINES = 10_000
"""The api takes twice as many at once."""
_PIECE = 1 << 20


@dataclass(frozen=True)
class Batch:
    """Events that follow one another: JSON lines, or none where `count` events are lost."""

    first: int
    count: int
    lines: bytes

    @property
    def next(self) -> int:
        return self.first + self.count

    @property
    def is_gap(self) -> bool:
        return not self.lines


class Spool:
    """Reads what was written from any event on. Opens the file at once: agents may remove it."""

    def __init__(self, path: Path, spare_bytes: int) -> None:
        self._file = path.open("rb")
        self._at = 0
        """Which line the file is read to."""
        self._kept = 0
        """How many lines the file has."""
        self._spare: deque[bytes] = deque()
        self._spare_left = spare_bytes
        self._end = 0
        self._next = 0

    @property
    def end(self) -> int:
        """How many events there are."""
        return self._end

    def add(self, line: bytes, kept: bool) -> None:
        """Hears of a line, as `Transcript.tell` has it."""
        self._end += 1
        if kept:
            self._kept += 1
            return
        self._spare.append(_deliverable(line, len(line)))
        self._spare_left -= len(self._spare[-1])
        while self._spare_left < 0:
            self._drop_spare()

    def seek(self, first: int) -> None:
        """The next batch begins with this event; what comes before it has been taken."""
        self._next = first
        while self._spare and self._end - len(self._spare) < first:
            self._drop_spare()

    def read(self) -> Batch | None:
        """The next events, at most BATCH_BYTES; None when there is none yet."""
        if self._next >= self._end:
            return None
        batch = self._from_file() if self._next < self._kept else self._from_memory()
        self._next = batch.next
        return batch

    def close(self) -> None:
        self._file.close()

    def _drop_spare(self) -> None:
        self._spare_left += len(self._spare.popleft())

    def _from_memory(self) -> Batch:
        oldest = self._end - len(self._spare)
        if self._next < oldest:
            return Batch(self._next, oldest - self._next, b"")
        lines: list[bytes] = []
        size = 0
        for line in islice(self._spare, self._next - oldest, None):
            size += len(line)
            if size > BATCH_BYTES or len(lines) == BATCH_LINES:
                break
            lines.append(line)
        return Batch(self._next, len(lines), b"".join(lines))

    def _from_file(self) -> Batch:
        self._position()
        lines: list[bytes] = []
        size = 0
        while self._at < self._kept and len(lines) < BATCH_LINES:
            place = self._file.tell()
            line = self._line()
            if line is None:
                break
            size += len(line)
            if size > BATCH_BYTES:
                self._file.seek(place)
                self._at -= 1
                break
            lines.append(line)
        if not lines:  # somebody has cut the file
            return Batch(self._next, self._kept - self._next, b"")
        return Batch(self._next, len(lines), b"".join(lines))

    def _position(self) -> None:
        if self._at > self._next:
            self._file.seek(0)
            self._at = 0
        while self._at < self._next and self._line() is not None:
            continue

    def _line(self) -> bytes | None:
        """One line within the bound, None when the file has no whole one; little is held of it."""
        piece = line = self._file.readline(_PIECE)
        size = len(piece)
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(_PIECE)
            size += len(piece)
        if not piece:
            return None
        self._at += 1
        return _deliverable(line, size)


def _deliverable(line: bytes, size: int) -> bytes:
    return line if size <= LINE_BYTES else shorten(line, size, LINE_BYTES) + b"\n"
