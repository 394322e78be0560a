"""Files of runs in either store: whole and right, or not there."""

import hashlib
from datetime import UTC, datetime

import pytest

from heliostat_api.documents.files import (
    PIECE_BYTES,
    FileBounds,
    FileRefusedError,
    Files,
    OffsetError,
    WorkFile,
)
from heliostat_api.documents.port import Documents, Put

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTENT = bytes(range(256)) * 5000  # 1.28 MB


def make_files(documents: Documents, bounds: FileBounds | None = None) -> Files:
    return Files(documents, lambda: NOW, bounds or FileBounds())


def make_file(path: str = "out/report.bin", content: bytes = CONTENT, attempt: int = 1) -> WorkFile:
    return WorkFile(attempt, path, len(content), hashlib.sha256(content).hexdigest())


async def content_of(files: Files, uid: str, file: WorkFile) -> bytes:
    return b"".join([piece async for piece in files.read(uid, file)])


async def test_a_file_comes_in_pieces_and_is_there_when_the_last_has_come(
    documents: Documents,
) -> None:
    files, file = make_files(documents), make_file()
    assert await files.position("u", file) == 0
    assert await files.write("u", file, 0, CONTENT[:1_000_000]) == 1_000_000
    assert await files.list("u") == ()
    assert await files.find("u", file.id) is None
    assert await files.position("u", file) == 1_000_000
    assert await files.write("u", file, 1_000_000, CONTENT[1_000_000:]) == len(CONTENT)
    [found] = await files.list("u")
    assert found == file.with_stored(len(CONTENT)) == await files.find("u", file.id)
    assert await content_of(files, "u", found) == CONTENT


async def test_a_piece_that_comes_again_changes_nothing(documents: Documents) -> None:
    files, file = make_files(documents), make_file()
    await files.write("u", file, 0, CONTENT[:600_000])
    assert await files.write("u", file, 0, CONTENT[:600_000]) == 600_000
    assert await files.write("u", file, 0, CONTENT[:900_000]) == 900_000
    assert await files.write("u", file, 900_000, CONTENT[900_000:]) == len(CONTENT)
    assert await files.write("u", file, 900_000, CONTENT[900_000:]) == len(CONTENT)
    [found] = await files.list("u")
    assert await content_of(files, "u", found) == CONTENT


async def test_a_piece_that_comes_too_early_is_refused(documents: Documents) -> None:
    files, file = make_files(documents), make_file()
    with pytest.raises(OffsetError) as refused:
        await files.write("u", file, 5, CONTENT[5:])
    assert refused.value.next == 0


async def test_another_checksum_is_never_complete_and_begins_anew(documents: Documents) -> None:
    files, file = make_files(documents), make_file()
    await files.write("u", file, 0, CONTENT[:-1])
    with pytest.raises(OffsetError) as refused:
        await files.write("u", file, len(CONTENT) - 1, b"?")
    assert refused.value.next == 0
    assert await files.list("u") == ()
    await files.write("u", file, 0, CONTENT)
    [found] = await files.list("u")
    assert await content_of(files, "u", found) == CONTENT


async def test_an_empty_file_is_a_file(documents: Documents) -> None:
    files, file = make_files(documents), make_file(content=b"")
    assert await files.write("u", file, 0, b"") == 0
    assert await files.list("u") == (file,)
    with pytest.raises(OffsetError):
        await files.write("u", WorkFile(1, "other", 0, "0" * 64), 0, b"")


async def test_new_content_takes_the_place_of_the_old(documents: Documents) -> None:
    files = make_files(documents, FileBounds(run_bytes=len(CONTENT)))
    await files.write("u", make_file(), 0, CONTENT)
    shorter = make_file(content=CONTENT[7:])
    assert await files.position("u", shorter) == 0
    await files.write("u", shorter, 0, CONTENT[7:])
    [found] = await files.list("u")
    assert await content_of(files, "u", found) == CONTENT[7:]


async def test_nothing_stays_of_the_content_before(documents: Documents) -> None:
    files, file = make_files(documents), make_file()
    await files.write("u", file, 0, CONTENT[:700_000])
    await files.write("u", file, 700_000, CONTENT[700_000:-1])
    with pytest.raises(OffsetError):
        await files.write("u", file, len(CONTENT) - 1, b"?")
    old = (0, PIECE_BYTES, 700_000, 700_000 + PIECE_BYTES)
    assert [await has_piece(documents, file, each) for each in old] == [False] * 4
    await files.write("u", file, 0, CONTENT)
    shorter = make_file(content=CONTENT[:9])
    await files.write("u", shorter, 0, CONTENT[:9])
    assert [await has_piece(documents, file, each) for each in old] == [False] * 4
    assert await content_of(files, "u", (await files.list("u"))[0]) == CONTENT[:9]


async def test_more_pieces_than_one_commit_takes_go_too(documents: Documents) -> None:
    files, file, most = make_files(documents), make_file("a", b"x" * 900), 450
    for first in (0, most):
        await documents.commit(
            *(Put(path_of(file, first + each), {"content": "eA=="}) for each in range(most))
        )
    stored = Put(f"executions/u/files/{file.id}", file.with_stored(900).fields(NOW))
    await documents.commit(stored)
    assert await content_of(files, "u", file.with_stored(900)) == b"x" * 900
    await files.write("u", make_file("a", b"12"), 0, b"12")
    assert not any([await has_piece(documents, file, each) for each in range(900)])
    assert [each.size for each in await files.list("u")] == [2]


def path_of(file: WorkFile, offset: int) -> str:
    return f"executions/u/pieces/{file.piece_id(offset)}"


async def has_piece(documents: Documents, file: WorkFile, offset: int) -> bool:
    return await documents.get(path_of(file, offset)) is not None


async def test_attempts_and_runs_keep_their_own(documents: Documents) -> None:
    files = make_files(documents)
    for uid, attempt, content in (("u", 1, b"one"), ("u", 2, b"two"), ("v", 1, b"three")):
        await files.write(uid, make_file("a", content, attempt), 0, content)
    found = {each.attempt: await content_of(files, "u", each) for each in await files.list("u")}
    assert found == {1: b"one", 2: b"two"}


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (FileBounds(file_bytes=2), "a file may have 2"),
        (FileBounds(run_bytes=4), "one too many"),
        (FileBounds(run_files=1), "one too many"),
    ],
)
async def test_what_is_beyond_the_bounds_is_refused(
    documents: Documents, bounds: FileBounds, words: str
) -> None:
    files = make_files(documents, bounds)
    await files.write("u", make_file("a", b"12"), 0, b"12")
    with pytest.raises(FileRefusedError, match=words):
        await files.write("u", make_file("b", b"123"), 0, b"123")
    assert [each.path for each in await files.list("u")] == ["a"]


async def test_more_bytes_than_were_announced_are_refused(documents: Documents) -> None:
    files = make_files(documents)
    with pytest.raises(FileRefusedError, match="said to have 3 bytes"):
        await files.write("u", make_file("a", b"123"), 0, b"1234")
