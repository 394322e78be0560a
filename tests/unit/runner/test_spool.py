"""The transcript's file as the spool of what is still to be delivered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliostat_runner.spool import BATCH_BYTES, BATCH_LINES, LINE_BYTES, Batch, Spool


class Written:
    """A transcript's file and the spool that reads it."""

    def __init__(self, path: Path, spare_bytes: int = 1000) -> None:
        self._file = path.open("ab", buffering=0)
        self.path = path
        self.spool = Spool(path, spare_bytes)

    def write(self, *lines: bytes) -> None:
        for line in lines:
            self._file.write(line + b"\n")
            self.spool.add(line + b"\n", True)

    def fail_to_write(self, *lines: bytes) -> None:
        for line in lines:
            self.spool.add(line + b"\n", False)

    def close(self) -> None:
        self._file.close()
        self.spool.close()


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "transcript.jsonl")


@pytest.fixture(autouse=True)
def closing(written: Written) -> object:
    yield
    written.close()


def test_what_is_written_is_read_once_and_what_follows_later(written: Written) -> None:
    assert written.spool.read() is None
    written.write(b'{"a":1}', b'{"a":2}')
    assert written.spool.read() == Batch(0, 2, b'{"a":1}\n{"a":2}\n')
    assert written.spool.read() is None
    written.write(b'{"a":3}')
    assert written.spool.read() == Batch(2, 1, b'{"a":3}\n')


def test_a_seek_goes_back_and_forth(written: Written) -> None:
    written.write(b"0", b"1", b"2", b"3")
    written.spool.read()
    written.spool.seek(1)
    assert written.spool.read() == Batch(1, 3, b"1\n2\n3\n")
    written.spool.seek(6)  # the api has more than this runner: it was here before
    written.write(b"4", b"5")
    assert written.spool.read() is None
    written.write(b"6")
    assert written.spool.read() == Batch(6, 1, b"6\n")


def test_a_batch_holds_at_most_a_mebibyte(written: Written) -> None:
    line = b"x" * (LINE_BYTES - 2)
    written.write(*[line] * 20)
    sizes = []
    while (batch := written.spool.read()) is not None:
        sizes.append((batch.first, batch.count))
        assert len(batch.lines) <= BATCH_BYTES
    assert sizes == [(0, 8), (8, 8), (16, 4)]


def test_a_line_beyond_the_bound_is_delivered_cut(written: Written) -> None:
    written.write(b'{"a":"' + b"x" * (3 << 20) + b'"}', b'{"b":2}')
    batch = written.spool.read()
    assert batch is not None
    first, second = batch.lines.splitlines()
    assert len(first) < LINE_BYTES
    assert json.loads(first)["subtype"] == "cut"
    assert json.loads(first)["bytes"] == (3 << 20) + 9
    assert second == b'{"b":2}'


def test_what_the_disk_did_not_take_is_delivered_from_memory(written: Written) -> None:
    written.write(b"0")
    written.fail_to_write(b"1", b"2")
    assert written.spool.read() == Batch(0, 1, b"0\n")
    assert written.spool.read() == Batch(1, 2, b"1\n2\n")
    written.spool.seek(2)
    assert written.spool.read() == Batch(2, 1, b"2\n")
    assert written.spool.end == 3


def test_beyond_the_bound_the_oldest_are_told_as_a_gap(written: Written) -> None:
    written.write(b"0")
    line = b"y" * 299
    written.fail_to_write(*[line] * 7)  # 2100 bytes; 1000 are kept
    written.spool.seek(1)
    gap = written.spool.read()
    assert gap == Batch(1, 4, b"")
    assert gap.is_gap
    assert written.spool.read() == Batch(5, 3, (line + b"\n") * 3)


def test_memory_is_free_again_once_it_was_taken(written: Written) -> None:
    line = b"y" * 299
    for number in range(20):
        written.fail_to_write(line)
        assert written.spool.read() == Batch(number, 1, line + b"\n")
        written.spool.seek(number + 1)


def test_a_file_that_somebody_cut_ends_in_a_gap(written: Written) -> None:
    written.write(b"0", b"1", b"2")
    with written.path.open("r+b") as file:
        file.truncate(3)
    assert written.spool.read() == Batch(0, 1, b"0\n")
    assert written.spool.read() == Batch(1, 2, b"")
    written.fail_to_write(b"3")
    assert written.spool.read() == Batch(3, 1, b"3\n")


def test_a_file_that_was_removed_is_still_read(written: Written) -> None:
    written.path.unlink()
    written.write(b"0")
    assert written.spool.read() == Batch(0, 1, b"0\n")


@pytest.mark.parametrize("is_written", [True, False])
def test_a_batch_has_no_more_lines_than_the_api_takes(tmp_path: Path, is_written: bool) -> None:
    many = Written(tmp_path / "many.jsonl", spare_bytes=BATCH_BYTES)
    put = many.write if is_written else many.fail_to_write
    put(*[b"{}"] * (BATCH_LINES + 1))
    counts = [many.spool.read(), many.spool.read(), many.spool.read()]
    assert [each and each.count for each in counts] == [BATCH_LINES, 1, None]
    many.close()
