"""Transcripts on each store."""

import asyncio
import json

import pytest

from heliostat_api.documents import transcripts as module
from heliostat_api.documents.port import CursorError, Documents, Query, TooLargeError
from heliostat_api.documents.transcripts import Position, SequenceGapError, Transcripts


def lines(first: int, count: int) -> list[str]:
    return [json.dumps({"n": number}) for number in range(first, first + count)]


async def read_all(transcripts: Transcripts, uid: str, limit: int = 200) -> list[tuple[int, str]]:
    """Every line with its number."""
    found: list[tuple[int, str]] = []
    after: str | None = None
    while True:
        page = await transcripts.read(uid, 1, after, limit)
        found += enumerate(page.events, page.first)
        if page.next is None:
            return found
        after = page.next


@pytest.fixture
def transcripts(documents: Documents) -> Transcripts:
    return Transcripts(documents)


async def test_an_attempt_without_lines_begins_at_nought(transcripts: Transcripts) -> None:
    assert await transcripts.position("e", 1) == Position(0, 0, False)
    page = await transcripts.read("e", 1, None, 10)
    assert (page.first, page.events, page.next) == (0, (), None)


async def test_lines_that_are_delivered_again_are_stored_once(transcripts: Transcripts) -> None:
    assert await transcripts.append("e", 1, 0, lines(0, 3)) == Position(3)
    assert await transcripts.append("e", 1, 0, lines(0, 3)) == Position(3)
    assert await transcripts.append("e", 1, 1, lines(1, 4)) == Position(5)
    assert await read_all(transcripts, "e") == list(enumerate(lines(0, 5)))


async def test_lines_behind_a_gap_are_refused_with_the_number_that_is_missing(
    transcripts: Transcripts,
) -> None:
    await transcripts.append("e", 1, 0, lines(0, 2))
    with pytest.raises(SequenceGapError) as refused:
        await transcripts.append("e", 1, 3, lines(3, 1))
    assert refused.value.next == 2
    with pytest.raises(SequenceGapError):
        await transcripts.lose("e", 1, 3, 1)
    with pytest.raises(SequenceGapError):
        await transcripts.end("e", 1, 3, 0)
    assert await transcripts.position("e", 1) == Position(2)


async def test_a_lost_stretch_shows_as_a_jump_between_pages(transcripts: Transcripts) -> None:
    await transcripts.append("e", 1, 0, lines(0, 2))
    assert await transcripts.lose("e", 1, 2, 5) == Position(7, lost=5)
    assert await transcripts.lose("e", 1, 2, 5) == Position(7, lost=5)
    assert await transcripts.append("e", 1, 7, lines(7, 1)) == Position(8, lost=5)
    page = await transcripts.read("e", 1, None, 10)
    assert (page.first, page.events) == (0, tuple(lines(0, 2)))
    page = await transcripts.read("e", 1, page.next, 10)
    assert (page.first, page.events, page.next) == (7, tuple(lines(7, 1)), None)


async def test_a_stretch_that_is_stored_in_part_is_lost_in_part(transcripts: Transcripts) -> None:
    await transcripts.append("e", 1, 0, lines(0, 4))
    assert await transcripts.lose("e", 1, 2, 5) == Position(7, lost=3)


async def test_an_end_may_be_told_twice(transcripts: Transcripts) -> None:
    await transcripts.append("e", 1, 0, lines(0, 2))
    for _ in range(2):
        assert await transcripts.end("e", 1, 2, 0) == Position(2, 0, ended=True)


async def test_attempts_and_executions_are_apart(transcripts: Transcripts) -> None:
    await transcripts.append("e", 1, 0, lines(0, 2))
    await transcripts.append("e", 2, 0, lines(10, 1))
    await transcripts.append("f", 1, 0, lines(20, 1))
    assert (await transcripts.read("e", 2, None, 10)).events == tuple(lines(10, 1))
    assert (await transcripts.read("f", 1, None, 10)).events == tuple(lines(20, 1))


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_don_t_show_where_chunks_end(transcripts: Transcripts, limit: int) -> None:
    written: list[str] = []
    for size in (1, 3, 2, 5, 1, 1):
        batch = lines(len(written), size)
        await transcripts.append("e", 1, len(written), batch)
        written += batch
    assert await read_all(transcripts, "e", limit) == list(enumerate(written))


@pytest.mark.parametrize("start", range(9))
async def test_reading_may_begin_at_any_line(transcripts: Transcripts, start: int) -> None:
    for first in (0, 3, 4):
        await transcripts.append("e", 1, first, lines(first, 3))
    page = await transcripts.read("e", 1, str(start), 10)
    assert (page.first, page.events) == (start, tuple(lines(0, 7)[start:]))


@pytest.mark.parametrize("cursor", ["", "-1", "x", "1" * 13, "²"])
async def test_a_cursor_that_no_page_gave_is_refused(transcripts: Transcripts, cursor: str) -> None:
    with pytest.raises(CursorError):
        await transcripts.read("e", 1, cursor, 10)


async def test_writers_at_once_store_each_line_once(transcripts: Transcripts) -> None:
    async def deliver(step: int) -> None:
        for first in range(0, 40, step):
            await transcripts.append("e", 1, first, lines(first, step))

    await asyncio.gather(*map(deliver, (1, 2, 4, 5)))
    assert await read_all(transcripts, "e") == list(enumerate(lines(0, 40)))


async def test_a_line_longer_than_a_chunk_comes_back_whole(transcripts: Transcripts) -> None:
    long = "가" * 300_000
    written = ["short", long, "", long, "last"]
    await transcripts.append("e", 1, 0, written)
    assert await read_all(transcripts, "e") == list(enumerate(written))
    assert (await transcripts.read("e", 1, "3", 10)).events == (long, "last")


async def test_what_is_beyond_the_bound_is_one_marked_gap(documents: Documents) -> None:
    bounded = Transcripts(documents, most_bytes=60)
    written = [f"line {number:04}" for number in range(8)]  # 10 bytes each
    assert await bounded.append("e", 1, 0, written[:4]) == Position(4)
    for _ in range(2):  # may be repeated
        assert await bounded.append("e", 1, 4, written[4:]) == Position(8, lost=2)
    assert await bounded.append("e", 1, 8, ["x"]) == Position(9, lost=3), "no holes in between"
    assert await bounded.end("e", 1, 9, 0) == Position(9, lost=3, ended=True)
    assert await read_all(bounded, "e") == list(enumerate(written[:6]))
    assert await Transcripts(documents, most_bytes=60).append("e", 2, 0, ["other attempt"])
    assert await read_all(Transcripts(documents), "e") == list(enumerate(written[:6]))


async def test_a_line_longer_than_a_commit_is_refused_and_named(transcripts: Transcripts) -> None:
    with pytest.raises(TooLargeError, match="line 1 "):
        await transcripts.append("e", 1, 0, ["short", "x" * (module.COMMIT_BYTES + 1)])
    assert await transcripts.position("e", 1) == Position(1)


async def test_50_megabytes_come_back_line_by_line(
    transcripts: Transcripts, documents: Documents
) -> None:
    line = json.dumps({"type": "assistant", "text": "가나다 " * 400})
    written, batch = 0, 200
    size = len(line.encode()) + 1
    while written * size < 50 * 10**6:
        await transcripts.append("e", 1, written, [line] * batch)
        written += batch
    assert await transcripts.position("e", 1) == Position(written)
    read = await read_all(transcripts, "e", 1000)
    assert [number for number, _ in read] == list(range(written))
    assert {text for _, text in read} == {line}
    await documents.delete_tree("executions/e")
    left = Query("executions/e/chunks", None, {"attempt": 1}, "first", descending=False)
    assert (await documents.query(left)).documents == ()
