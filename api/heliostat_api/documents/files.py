"""Files of runs: in pieces beside the transcript, taken once their checksum is right.

They are a stranger's content: whoever serves them must never let a browser run them.
"""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
    StoreError,
    UnavailableError,
)

FILE_BYTES: Final = 20 * 2**20
FILES_BYTES: Final = 100 * 2**20
PIECE_BYTES = 512 * 1024
"""As base64 well below what a document may have."""
_TRIES = 20
_MOST_DELETED = 400
"""Pieces in one commit."""


class OffsetError(StoreError):
    """What was sent does not follow on what is stored: go on from `next`."""

    def __init__(self, next_: int) -> None:
        super().__init__(f"go on from byte {next_}")
        self.next = next_


class FileRefusedError(StoreError):
    """A file that is not taken; the text says why."""


@dataclass(frozen=True)
class FileBounds:
    """What is kept of a run, all attempts together."""

    file_bytes: int = FILE_BYTES
    run_bytes: int = FILES_BYTES
    run_files: int = 1000


@dataclass(frozen=True)
class WorkFile:
    """A file as an attempt left it; `path` is relative to the workspace."""

    attempt: int
    path: str
    size: int
    sha256: str
    stored: int = 0

    @property
    def id(self) -> str:
        """The same for every version that this attempt delivers of it."""
        return f"{self.attempt:04d}-{_digest(self.path)}"

    @property
    def is_complete(self) -> bool:
        return self.stored == self.size

    def piece_id(self, offset: int) -> str:
        content = _digest(f"{self.path}\0{self.size}\0{self.sha256}")
        return f"{self.attempt:04d}-{content}-{offset:012d}"

    def with_stored(self, stored: int) -> "WorkFile":
        return WorkFile(self.attempt, self.path, self.size, self.sha256, stored)

    def fields(self, now: datetime) -> Fields:
        return {
            "attempt": self.attempt,
            "path": self.path,
            "size": self.size,
            "sha256": self.sha256,
            "stored": self.stored,
            "createdAt": now,
        }


class Files:
    """All files of runs. Every call may be repeated and raises StoreErrors."""

    def __init__(
        self, documents: Documents, clock: Callable[[], datetime], bounds: FileBounds
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._bounds = bounds

    async def position(self, uid: str, file: WorkFile) -> int:
        """Where delivery goes on: the first byte that is not stored."""
        known = await self._documents.get(_file_path(uid, file))
        return _stored_of(known, file)

    async def write(self, uid: str, file: WorkFile, offset: int, content: bytes) -> int:
        """Stores a piece without what is stored already. Returns the first byte that is missing.

        Raises OffsetError, also when the whole has another checksum, and FileRefusedError.
        """
        self._refuse(file, offset + len(content))
        for _ in range(_TRIES):
            try:
                return await self._write(uid, file, offset, content)
            except ConflictError:
                continue
        raise UnavailableError(f"too many deliver {file.path} at once")

    async def list(self, uid: str) -> tuple[WorkFile, ...]:
        """What is there as a whole, the latest first."""
        limit = self._bounds.run_files
        page = await self._documents.query(Query(f"executions/{uid}/files", None, limit=limit))
        files = (read_file(each.fields) for each in page.documents)
        return tuple(each for each in files if each.is_complete)

    async def find(self, uid: str, file_id: str) -> WorkFile | None:
        """One that is there as a whole."""
        found = await self._documents.get(f"executions/{uid}/files/{file_id}")
        file = read_file(found.fields) if found else None
        return file if file and file.is_complete else None

    async def read(self, uid: str, file: WorkFile) -> AsyncIterator[bytes]:
        """What is stored of it, in order."""
        offset = 0
        async for piece in self._stored_pieces(uid, file):
            yield piece
            offset += len(piece)
        if offset < file.stored:
            raise StoreError(f"byte {offset} of {file.path!r} is missing")

    async def _stored_pieces(self, uid: str, file: WorkFile) -> AsyncIterator[bytes]:
        """As far as they are there."""
        offset = 0
        while offset < file.stored:
            found = await self._documents.get(_piece_path(uid, file, offset))
            content = found.fields.get("content") if found else None
            if not isinstance(content, str) or not content:
                return
            piece = base64.b64decode(content)
            yield piece
            offset += len(piece)

    def _refuse(self, file: WorkFile, end: int) -> None:
        if file.size > self._bounds.file_bytes:
            raise FileRefusedError(
                f"{file.path!r} has {file.size} bytes; a file may have {self._bounds.file_bytes}"
            )
        if end > file.size:
            raise FileRefusedError(f"{file.path!r} was said to have {file.size} bytes, not {end}")

    async def _write(self, uid: str, file: WorkFile, offset: int, content: bytes) -> int:
        known = await self._documents.get(_file_path(uid, file))
        start = _stored_of(known, file)
        if offset > start:
            raise OffsetError(start)
        new = content[start - offset :]
        if not new and start > 0:
            return start
        if not await self._may_be_right(uid, file.with_stored(start), new):
            if start > 0:
                await self._drop(uid, known)
            raise OffsetError(0)
        counted = [await self._count(uid, known, file)] if start == 0 else []
        if start == 0:
            known = await self._drop(uid, known)
        after = file.with_stored(start + len(new))
        pieces = _pieces(uid, file, start, new)
        await self._documents.commit(self._put(uid, known, after), *pieces, *counted)
        return after.stored

    async def _drop(self, uid: str, known: Document | None) -> Document | None:
        """Of the content that is known nothing stays: the bounds count what files are, not what
        they were. The last pieces go first, so that what is said to be stored is there.

        Raises ConflictError.
        """
        if known is None:
            return None
        file, offsets, end = read_file(known.fields), list[int](), 0
        async for piece in self._stored_pieces(uid, file):
            offsets.append(end)
            end += len(piece)
        while offsets:
            last = offsets[-_MOST_DELETED:]
            del offsets[-_MOST_DELETED:]
            left = file.with_stored(last[0])
            gone = (Delete(_piece_path(uid, file, each)) for each in last)
            await self._documents.commit(self._put(uid, known, left), *gone)
            found = await self._documents.get(known.path)
            if found is None or read_file(found.fields) != left:
                raise ConflictError(known.path)
            known = found
        return known

    def _put(self, uid: str, known: Document | None, file: WorkFile) -> Put:
        expect = known.version if known else Expected.ABSENT
        return Put(_file_path(uid, file), file.fields(self._clock()), expect)

    async def _may_be_right(self, uid: str, file: WorkFile, new: bytes) -> bool:
        """Asked before the last piece is stored: a file that is complete has its checksum."""
        if file.stored + len(new) < file.size:
            return True
        digest = hashlib.sha256()
        async for piece in self.read(uid, file):
            digest.update(piece)
        digest.update(new)
        return digest.hexdigest() == file.sha256

    async def _count(self, uid: str, known: Document | None, file: WorkFile) -> Put:
        """The run's sums with this file in the place of what was known of it."""
        path = f"executions/{uid}/totals/files"
        found = await self._documents.get(path)
        before = read_file(known.fields) if known else None
        size = _number(found, "bytes") + file.size - (before.size if before else 0)
        count = _number(found, "count") + (0 if before else 1)
        if size > self._bounds.run_bytes or count > self._bounds.run_files:
            raise FileRefusedError(
                f"{file.path!r} is one too many: a run may have {self._bounds.run_files} files "
                f"with {self._bounds.run_bytes} bytes together"
            )
        expect = found.version if found else Expected.ABSENT
        return Put(path, {"bytes": size, "count": count}, expect)


def read_file(fields: Mapping[str, object]) -> WorkFile:
    """Raises StoreError for what is none."""
    match fields:
        case {
            "attempt": int(attempt),
            "path": str(path),
            "size": int(size),
            "sha256": str(sha256),
            "stored": int(stored),
        }:
            return WorkFile(attempt, path, size, sha256, stored)
    raise StoreError("the record of a file is damaged")


def _stored_of(known: Document | None, file: WorkFile) -> int:
    """Nothing is stored of a file whose content is another now."""
    found = read_file(known.fields) if known else None
    same = found is not None and (found.size, found.sha256) == (file.size, file.sha256)
    return found.stored if found is not None and same else 0


def _pieces(uid: str, file: WorkFile, start: int, content: bytes) -> list[Put]:
    return [
        Put(
            _piece_path(uid, file, start + at),
            {"content": base64.b64encode(content[at : at + PIECE_BYTES]).decode()},
        )
        for at in range(0, len(content), PIECE_BYTES)
    ]


def _number(document: Document | None, name: str) -> int:
    value = document.fields.get(name) if document else None
    return value if isinstance(value, int) else 0


def _file_path(uid: str, file: WorkFile) -> str:
    return f"executions/{uid}/files/{file.id}"


def _piece_path(uid: str, file: WorkFile, offset: int) -> str:
    return f"executions/{uid}/pieces/{file.piece_id(offset)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
