from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from heliostat_runner.transcript import EVENT_BYTES, STDOUT_BYTES, Transcript

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def stdout(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path / "stdout", os.O_RDWR | os.O_CREAT)
    yield handle
    os.close(handle)


def make_transcript(tmp_path: Path, stdout: int, secret: str = "s3cret") -> Transcript:
    return Transcript(tmp_path / "file", "shown.jsonl", stdout, secret, lambda: NOON, 1 << 20)


def test_both_places_get_the_event_without_the_key(tmp_path: Path, stdout: int) -> None:
    transcript = make_transcript(tmp_path, stdout)
    transcript.raw(b'{"a":"my s3cret"}')
    transcript.note("exit", exitCode=0)
    transcript.close()

    lines = (tmp_path / "file").read_bytes().splitlines()
    assert lines[0] == b'{"a":"my [execution key]"}'
    assert json.loads(lines[1]) == {
        "type": "heliostat",
        "subtype": "exit",
        "exitCode": 0,
        "time": "2026-11-21T12:00:00.000+00:00",
    }
    assert (tmp_path / "stdout").read_bytes().splitlines() == lines
    record = transcript.record()
    assert (record.lines, record.bytes) == (2, (tmp_path / "file").stat().st_size)


@pytest.mark.parametrize("part", ["x", '"', "\\", "\0", "😀"])
def test_a_long_event_is_cut_on_stdout_into_valid_json(
    tmp_path: Path, stdout: int, part: str
) -> None:
    transcript = make_transcript(tmp_path, stdout)
    line = part.encode() * 30_000
    transcript.raw(line)

    [shown] = (tmp_path / "stdout").read_bytes().splitlines()
    assert len(shown) < EVENT_BYTES
    assert json.loads(shown)["bytes"] == len(line)
    assert (tmp_path / "file").stat().st_size == len(line) + 1


def test_stdout_ends_in_time_with_a_marker(tmp_path: Path, stdout: int) -> None:
    transcript = make_transcript(tmp_path, stdout)
    line = b'"' + b"x" * 10_000 + b'"'
    for _ in range(STDOUT_BYTES // 10_000 + 10):
        transcript.raw(line)

    shown = (tmp_path / "stdout").read_bytes()
    assert len(shown) <= STDOUT_BYTES
    marker = transcript.record().marker
    assert marker is not None
    assert "shown.jsonl" in marker
    assert json.loads(shown.splitlines()[-1])["text"] == marker


@pytest.mark.parametrize("width", [1, 40, 10_000])
def test_stdout_ends_before_the_kubelet_rotates_it(tmp_path: Path, stdout: int, width: int) -> None:
    transcript = make_transcript(tmp_path, stdout)
    line = b"x" * width
    while transcript.record().marker is None:
        transcript.raw(line)

    shown = (tmp_path / "stdout").read_bytes()
    before_each = len("2026-11-24T20:37:00.123456789+00:00 stdout F ")
    assert len(shown) + before_each * shown.count(b"\n") < 10 * 2**20


def test_a_full_disk_and_a_closed_stdout_are_survived(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    (tmp_path / "file").symlink_to("/dev/full")
    transcript = make_transcript(tmp_path, writer)

    transcript.raw(b"{}")
    transcript.raw(b"{}")
    os.close(writer)

    assert transcript.problem == "the transcript ends early: No space left on device"
    assert transcript.record().lines == 0


def test_a_listener_hears_each_line_without_the_key_and_whether_the_file_has_it(
    tmp_path: Path, stdout: int
) -> None:
    heard: list[tuple[bytes, bool]] = []
    transcript = make_transcript(tmp_path, stdout)
    transcript.raw(b"{}")
    transcript.tell(lambda line, kept: heard.append((line, kept)), lambda _: None)
    transcript.raw(b'{"a":"s3cret"}')
    transcript.close()
    transcript.raw(b'{"b":1}')

    assert heard == [(b'{"a":"[execution key]"}\n', True), (b'{"b":1}\n', False)]


def test_without_a_key_nothing_is_masked(tmp_path: Path, stdout: int) -> None:
    transcript = make_transcript(tmp_path, stdout, secret="")
    transcript.raw(b"{}")

    assert transcript.mask("abc") == "abc"
