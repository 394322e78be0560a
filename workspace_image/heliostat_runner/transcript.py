"""The transcript: every event to a file in full, to stdout within bounds.

The kubelet rotates a container's log at 10 MiB and the log API shows only the newest file, so
stdout ends with a marker before that; the result document repeats the marker.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from .jsonvalue import JsonObject, JsonValue, dump
from .result import TranscriptRecord

EVENT_BYTES = 16 * 1024
STDOUT_BYTES = 8 * 1024 * 1024
_MARKER_ROOM = 1024
_LINE_BYTES = 64
"""What the container runtime writes before each line, and more: its time, stream and tag."""
MASK = b"[execution key]"


Listener = Callable[[bytes, bool], None]
"""Hears of each line, its end included, and whether the file has it."""
Watcher = Callable[[JsonObject], None]
"""Hears of events that are not written, and of answers."""


class Transcript:
    """Appends JSON lines. A full disk or a closed stdout never ends the run: it is told once."""

    def __init__(
        self,
        path: Path,
        shown: str,
        stdout: int,
        secret: str,
        clock: Callable[[], datetime],
        most_bytes: int,
    ) -> None:
        """`most_bytes`: what comes after is shown and told, and not in the file."""
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._file: int | None = file
        self._shown = shown
        self._stdout: int | None = stdout
        self._secret = secret.encode()
        self._clock = clock
        self._lines = 0
        self._bytes = 0
        self._most_bytes = most_bytes
        self._stdout_left = STDOUT_BYTES - _MARKER_ROOM
        self._marker: str | None = None
        self._listener: Listener | None = None
        self._watcher: Watcher | None = None
        self.born_ns = os.fstat(file).st_ctime_ns
        """When it began, by the clock of the workspace's own file system."""
        self.problem: str | None = None
        """Why the file is not complete."""

    def tell(self, listener: Listener, watcher: Watcher) -> None:
        """From now on, lines are told to the listener, pieces of answers to the watcher."""
        self._listener = listener
        self._watcher = watcher

    def record(self) -> TranscriptRecord:
        return TranscriptRecord(self._shown, self._lines, self._bytes, self._marker)

    def raw(self, line: bytes) -> None:
        """One event as Claude Code wrote it."""
        if self._secret:
            line = line.replace(self._secret, MASK)
        kept = self._to_file(line + b"\n")
        self._to_stdout(line)
        if self._listener is not None:
            self._listener(line + b"\n", kept)

    def piece(self, event: JsonObject) -> None:
        """A piece of an answer, which is not written, or an answer, which is."""
        if self._watcher is not None:
            self._watcher(event)

    def note(self, subtype: str, **facts: JsonValue) -> None:
        """One event of the runner's own."""
        event: JsonObject = {"type": "heliostat", "subtype": subtype}
        event |= facts
        event["time"] = self._clock().astimezone(UTC).isoformat(timespec="milliseconds")
        self.raw(dump(event).encode(errors="replace"))

    def mask(self, text: str) -> str:
        return text.replace(self._secret.decode(), MASK.decode()) if self._secret else text

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _to_file(self, line: bytes) -> bool:
        if self._file is None:
            return False
        if self._bytes + len(line) > self._most_bytes:
            self.problem = f"the transcript ends early: it may have {self._most_bytes} bytes"
            self.close()
            return False
        try:
            _write_all(self._file, line)
        except OSError as error:
            self.problem = f"the transcript ends early: {error.strerror}"
            self.close()
            return False
        self._lines += 1
        self._bytes += len(line)
        return True

    def _to_stdout(self, line: bytes) -> None:
        if self._stdout is None or self._marker is not None:
            return
        shown = shorten(line, len(line), EVENT_BYTES) + b"\n"
        if len(shown) + _LINE_BYTES > self._stdout_left:
            self._marker = (
                f"stdout ends here after {STDOUT_BYTES >> 20} MiB; "
                f"the whole transcript is in {self._shown}"
            )
            end: JsonObject = {"type": "heliostat", "subtype": "stdout_cut", "text": self._marker}
            shown = dump(end).encode() + b"\n"
        self._stdout_left -= len(shown) + _LINE_BYTES
        try:
            _write_all(self._stdout, shown)
        except OSError:
            self._stdout = None  # nobody reads: the file has it all


def shorten(line: bytes, size: int, bound: int) -> bytes:
    """The line itself, or a JSON object that holds its beginning; both shorter than the bound.

    `size` is that of the whole line where only its beginning is at hand.
    """
    if size < bound:
        return line
    head = line[: bound // 3].decode(errors="ignore")  # quoting may double or treble it
    while True:
        cut: JsonObject = {"type": "heliostat", "subtype": "cut", "bytes": size, "head": head}
        shown = dump(cut).encode()
        if len(shown) < bound:
            return shown
        head = head[: len(head) // 2]


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
