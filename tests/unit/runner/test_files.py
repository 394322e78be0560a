"""Which files of the workspace are the run's work."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from heliostat_runner.files import Bounds, Found, find_files, read_piece

NOBODY = 65534
ROOMY = Bounds(1000, 10_000)


def write(root: Path, path: str, content: bytes = b"x") -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def find(root: Path, since_ns: int = 0, bounds: Bounds = ROOMY) -> Found:
    return find_files(root, root / ".heliostat", since_ns, bounds)


def names(found: Found) -> set[str]:
    return {each.path for each in found.files}


def test_only_what_is_new_or_changed_counts(tmp_path: Path) -> None:
    old, changed = write(tmp_path, "old.csv"), write(tmp_path, "changed.csv")
    since = max(old.stat().st_ctime_ns, changed.stat().st_ctime_ns) + 1
    while write(tmp_path, "new/report.md", b"words").stat().st_ctime_ns < since:
        continue  # until the file system's clock has moved on
    write(tmp_path, "changed.csv", b"more")
    os.utime(changed, (0, 0))  # what a program says of the time does not count
    found = find(tmp_path, since)
    assert names(found) == {"new/report.md", "changed.csv"}
    [report] = [each for each in found.files if each.path == "new/report.md"]
    assert (report.size, report.sha256) == (5, hashlib.sha256(b"words").hexdigest())


def test_hidden_files_caches_links_and_our_own_state_are_no_work(tmp_path: Path) -> None:
    for path in (
        ".env",
        ".cache/x",
        ".heliostat/transcript-1.jsonl",
        "a/__pycache__/x.pyc",
        "node_modules/x/index.js",
        "a/kept.py",
    ):
        write(tmp_path, path)
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    assert names(find(tmp_path)) == {"a/kept.py"}


def test_a_state_folder_of_another_name_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "state/transcript-1.jsonl")
    assert find_files(tmp_path, tmp_path / "state", 0, ROOMY) == Found()


def test_what_is_too_large_is_left_out_by_name_and_reason(tmp_path: Path) -> None:
    write(tmp_path, "huge.bin", b"x" * 1001)
    write(tmp_path, "fits.bin", b"x" * 1000)
    found = find(tmp_path)
    assert names(found) == {"fits.bin"}
    assert found.left_out == (("huge.bin", "1001 bytes; a file may have 1000"),)


def test_all_files_together_are_bounded_and_smaller_ones_still_go(tmp_path: Path) -> None:
    first = write(tmp_path, "first.bin", b"x" * 600)
    while write(tmp_path, "last.bin", b"x" * 600).stat().st_ctime_ns <= first.stat().st_ctime_ns:
        continue
    write(tmp_path, "small.bin", b"x")
    found = find(tmp_path, bounds=Bounds(1000, 1000))
    assert names(found) == {"last.bin", "small.bin"}
    assert [path for path, _ in found.left_out] == ["first.bin"]


@pytest.mark.parametrize("name", [b"\xff.txt", b"a\nb.txt", b"/".join([b"x" * 200] * 6)])
def test_a_name_that_no_page_can_show_is_left_out(tmp_path: Path, name: bytes) -> None:
    write(tmp_path, os.fsdecode(name))
    [(path, why)] = find(tmp_path).left_out
    assert path == os.fsdecode(name)
    assert "printable" in why


@contextmanager
def without_rights() -> Iterator[None]:
    """Root reads everything, so it is nobody for a moment."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_file_that_cannot_be_read_is_left_out() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, "locked").chmod(0)
        folder.chmod(0o755)
        with without_rights():
            found = find(folder)
    assert found.left_out == (("locked", "it can't be read"),)


def test_pieces_end_where_the_file_does_and_when_it_changes(tmp_path: Path) -> None:
    place = write(tmp_path, "a", b"12345")
    [file] = find(tmp_path).files
    assert read_piece(file, 2) == b"345"
    assert read_piece(file, 5) == b""
    place.write_bytes(b"123456")
    assert read_piece(file, 0) is None
    place.unlink()
    assert read_piece(file, 0) is None
