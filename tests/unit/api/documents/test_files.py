"""Files of runs: what is missing is told, and two that deliver at once leave nothing behind."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.documents.files import PIECE_BYTES, FileBounds, Files, WorkFile
from heliostat_api.documents.port import (
    Delete,
    Documents,
    Put,
    StoreError,
)
from heliostat_api.documents.sqlite.store import open_sqlite
from support.wrapped_documents import WrappedDocuments

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG = b"x" * (2 * PIECE_BYTES + 9)  # three pieces
RUN = "executions/u"


class RacedDocuments(WrappedDocuments):
    """Somebody else writes just after a commit that deletes something."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(documents)
        self.rival: Callable[[], Awaitable[object]] | None = None

    async def commit(self, *writes: Put | Delete) -> None:
        await super().commit(*writes)
        if self.rival is not None and any(isinstance(each, Delete) for each in writes):
            rival, self.rival = self.rival, None
            await rival()


@pytest_asyncio.fixture
async def documents(tmp_path: Path) -> AsyncIterator[RacedDocuments]:
    raced = RacedDocuments(open_sqlite(tmp_path / "documents.db"))
    yield raced
    await raced.close()


def files_in(documents: Documents) -> Files:
    return Files(documents, lambda: NOW, FileBounds())


def file_of(content: bytes) -> WorkFile:
    return WorkFile(1, "out/report.bin", len(content), hashlib.sha256(content).hexdigest())


async def read(files: Files, file: WorkFile) -> bytes:
    return b"".join([piece async for piece in files.read("u", file)])


async def has_piece(documents: Documents, content: bytes, offset: int) -> bool:
    path = f"{RUN}/pieces/{file_of(content).piece_id(offset)}"
    return await documents.get(path) is not None


async def totals(documents: Documents) -> tuple[object, object]:
    found = await documents.get(f"{RUN}/totals/files")
    assert found is not None
    return found.fields["count"], found.fields["bytes"]


async def test_a_piece_that_is_missing_is_told_after_what_is_there(
    documents: RacedDocuments,
) -> None:
    files, file = files_in(documents), file_of(LONG)
    await files.write("u", file, 0, LONG)
    whole = file.with_stored(len(LONG))
    assert await read(files, whole) == LONG
    await documents.commit(Delete(f"{RUN}/pieces/{file.piece_id(PIECE_BYTES)}"))
    pieces = files.read("u", whole)
    assert await anext(pieces) == LONG[:PIECE_BYTES]
    with pytest.raises(StoreError) as missing:
        await anext(pieces)
    assert str(missing.value) == f"byte {PIECE_BYTES} of 'out/report.bin' is missing"


async def test_a_file_that_another_delivers_while_the_old_one_goes_leaves_nothing_behind(
    documents: RacedDocuments,
) -> None:
    """The rival's content is what has to go then, in all of its pieces."""
    files, theirs = files_in(documents), b"y" * len(LONG)
    await files.write("u", file_of(LONG), 0, LONG)

    async def deliver() -> None:
        await files_in(documents.documents).write("u", file_of(theirs), 0, theirs)

    documents.rival = deliver
    await files.write("u", file_of(b"12"), 0, b"12")
    [found] = await files.list("u")
    assert await read(files, found) == b"12"
    for content in (LONG, theirs):
        offsets = (0, PIECE_BYTES, 2 * PIECE_BYTES)
        assert not any([await has_piece(documents, content, each) for each in offsets])
    assert await totals(documents) == (1, 2)


async def test_a_run_that_is_erased_while_its_old_file_goes_takes_the_new_one(
    documents: RacedDocuments,
) -> None:
    files = files_in(documents)
    await files.write("u", file_of(LONG), 0, LONG)
    documents.rival = lambda: documents.delete_tree(RUN)
    await files.write("u", file_of(b"12"), 0, b"12")
    [found] = await files.list("u")
    assert await read(files, found) == b"12"
    assert await totals(documents) == (1, 2)
