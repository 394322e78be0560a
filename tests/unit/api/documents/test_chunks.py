"""Lines are cut into chunks and come back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.documents.chunks import Chunk, cut, join, read_chunk
from heliostat_api.documents.port import Document

lines = st.lists(st.text("ab한🙂 {", max_size=12), max_size=12)


@given(lines, st.integers(0, 99), st.integers(4, 20))
def test_any_lines_come_back_with_their_numbers(written: list[str], first: int, most: int) -> None:
    chunks = cut(1, first, written, most)
    assert list(join(chunks)) == list(enumerate(written, first))
    assert all(0 < len(chunk.text.encode()) <= most for chunk in chunks)


@given(lines, st.integers(4, 20))
def test_ids_are_ordered_as_the_chunks_are(written: list[str], most: int) -> None:
    chunks = cut(1, 95, written, most)
    ordered = sorted(chunks, key=lambda chunk: (chunk.first, chunk.id))
    assert ordered == chunks
    assert len({chunk.id for chunk in chunks}) == len(chunks)


@given(lines, st.integers(4, 20))
def test_numbers_follow_without_a_gap(written: list[str], most: int) -> None:
    chunks = cut(1, 7, written, most)
    place = 7
    for chunk in chunks:
        assert chunk.first == place
        place = chunk.next
    assert place == 7 + len(written)


def test_a_chunk_is_read_from_what_was_written_of_it() -> None:
    for chunk in cut(3, 5, ["short", "x" * 30], 10):
        document = Document(f"executions/e/chunks/{chunk.id}", chunk.fields(), "1")
        assert read_chunk(document) == chunk


def test_lost_lines_are_none() -> None:
    before, after = Chunk(1, 0, 1, "a\n"), Chunk(1, 5, 6, "b\n")
    assert list(join([before, Chunk(1, 1, 5, ""), after])) == [(0, "a"), (5, "b")]


def test_a_line_break_within_a_line_is_refused() -> None:
    with pytest.raises(ValueError, match="line break"):
        cut(1, 0, ["a\nb"])


def test_what_is_no_chunk_is_named() -> None:
    with pytest.raises(ValueError, match="executions/e/chunks/x"):
        read_chunk(Document("executions/e/chunks/x", {"text": "a"}, "1"))
