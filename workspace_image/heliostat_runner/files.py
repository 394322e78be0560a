"""Files that the attempt made or changed, within bounds: what people want to have of a run."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from .jsonvalue import JsonObject

PIECE_BYTES = 1 << 20
_MOST_FILES = 1000
_LONGEST_PATH = 1024
_LISTED = 100
_NOT_WORK = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True)
class Bounds:
    file_bytes: int
    run_bytes: int


@dataclass(frozen=True)
class WorkFile:
    """A regular file; `path` is relative to the workspace, with slashes."""

    place: Path
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Found:
    """What is to be delivered, and the paths of what is not, with the reason."""

    files: tuple[WorkFile, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> JsonObject:
        """For an event: at most 100 of each, and how many there are."""
        return {
            "count": len(self.files),
            "files": [{"path": each.path, "bytes": each.size} for each in self.files[:_LISTED]],
            "leftOutCount": len(self.left_out),
            "leftOut": [{"path": path, "why": why} for path, why in self.left_out[:_LISTED]],
        }


@dataclass(frozen=True)
class _Candidate:
    place: Path
    path: str
    size: int
    changed_ns: int


def find_files(workspace: Path, state_dir: Path, since_ns: int, bounds: Bounds) -> Found:
    """Changed since then, the latest first; hidden ones and caches are no work of the run.

    By the time of the last change of the inode, which no program can set back.
    """
    candidates = [each for each in _walk(workspace, state_dir) if each.changed_ns >= since_ns]
    candidates.sort(key=lambda each: (-each.changed_ns, each.path))
    files: list[WorkFile] = []
    left_out: list[tuple[str, str]] = []
    room = bounds.run_bytes
    for each in candidates:
        why = _why_not(each, bounds, room, len(files))
        digest = "" if why else _digest(each.place)
        if digest:
            files.append(WorkFile(each.place, each.path, each.size, digest))
            room -= each.size
        else:
            left_out.append((each.path, why or "it can't be read"))
    return Found(tuple(files), tuple(left_out))


def read_piece(file: WorkFile, offset: int) -> bytes | None:
    """At most PIECE_BYTES from there; None when the file is no longer what was listed."""
    try:
        with _open(file.place) as handle:
            if os.fstat(handle.fileno()).st_size != file.size:
                return None
            handle.seek(offset)
            return handle.read(PIECE_BYTES)
    except OSError:
        return None


def _why_not(candidate: _Candidate, bounds: Bounds, room: int, count: int) -> str:
    if not candidate.path.isprintable() or len(candidate.path) > _LONGEST_PATH:
        return "its name is too long, or is not made of printable characters"
    if candidate.size > bounds.file_bytes:
        return f"{candidate.size} bytes; a file may have {bounds.file_bytes}"
    if candidate.size > room:
        return f"all files of a run together may have {bounds.run_bytes} bytes"
    if count >= _MOST_FILES:
        return f"a run may have {_MOST_FILES} files"
    return ""


def _walk(workspace: Path, state_dir: Path) -> Iterator[_Candidate]:
    for folder, folders, names in os.walk(workspace):
        here = Path(folder)
        folders[:] = [name for name in folders if _is_work(name) and here / name != state_dir]
        for name in names:
            place = here / name
            if _is_work(name) and (candidate := _look(place, workspace)) is not None:
                yield candidate


def _look(place: Path, workspace: Path) -> _Candidate | None:
    try:
        seen = place.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    path = place.relative_to(workspace).as_posix()
    return _Candidate(place, path, seen.st_size, seen.st_ctime_ns)


def _is_work(name: str) -> bool:
    return not name.startswith(".") and name not in _NOT_WORK


def _digest(place: Path) -> str:
    try:
        with _open(place) as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return ""


def _open(place: Path) -> BufferedReader:
    return os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), "rb")
