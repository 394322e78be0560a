"""Backups of the file, made and restored while it is in use."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from heliostat_api.documents.port import ConflictError, Put, Query
from heliostat_api.documents.sqlite.backups import BackupError, back_up, restore
from heliostat_api.documents.sqlite.schema import SchemaError
from heliostat_api.documents.sqlite.store import open_sqlite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "documents.sqlite"


async def test_a_store_in_use_is_restored_as_it_was(path: Path, tmp_path: Path) -> None:
    store = open_sqlite(path)
    await store.commit(Put("things/a", {"n": 1}), Put("things/b", {"n": 1}))
    back_up(path, tmp_path / "backup")
    before = await store.get("things/a")
    assert before is not None
    await store.commit(Put("things/a", {"n": 2}), Put("things/c", {"n": 2}))
    after = await store.get("things/a")
    assert after is not None
    restore(tmp_path / "backup", path)
    assert await store.get("things/a") == before
    assert await store.get("things/c") is None
    with pytest.raises(ConflictError):
        await store.commit(Put("things/a", {"n": 3}, after.version))
    await store.commit(Put("things/a", {"n": 3}, before.version))
    await store.close()


async def test_a_backup_is_one_file_for_its_owner_alone(path: Path, tmp_path: Path) -> None:
    await open_sqlite(path).close()
    folder = tmp_path / "backups"
    folder.mkdir()
    back_up(path, folder / "one")
    restore(folder / "one", tmp_path / "elsewhere" / "documents.sqlite")
    assert os.listdir(folder) == ["one"]
    assert (folder / "one").stat().st_mode & 0o777 == 0o600


async def test_a_backup_made_during_writes_holds_whole_commits(path: Path, tmp_path: Path) -> None:
    store = open_sqlite(path)

    async def write() -> None:
        for n in range(300):
            await store.commit(Put("things/left", {"n": n}), Put("things/right", {"n": n}))

    writing = asyncio.create_task(write())
    for number in range(5):
        await asyncio.to_thread(back_up, path, tmp_path / f"backup-{number}")
    await writing
    await store.close()
    for number in range(5):
        copy = tmp_path / f"copy-{number}"
        restore(tmp_path / f"backup-{number}", copy)
        restored = open_sqlite(copy)
        left, right = await restored.get("things/left"), await restored.get("things/right")
        assert (left and left.fields) == (right and right.fields)
        await restored.close()


async def test_a_restored_store_has_all_indexes(path: Path, tmp_path: Path) -> None:
    store = open_sqlite(path, [])
    await store.commit(Put("agents/a", {"createdAt": 1}))
    await store.close()
    back_up(path, tmp_path / "backup")
    restore(tmp_path / "backup", path)
    store = open_sqlite(path)
    page = await store.query(Query("agents", None))
    assert [each.id for each in page.documents] == ["a"]
    await store.close()


async def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    await open_sqlite(path).close()
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        back_up(path, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"
    with pytest.raises(BackupError, match="not there"):
        back_up(tmp_path / "nothing", tmp_path / "backup")


async def test_what_is_no_whole_backup_is_refused_and_the_store_kept(
    path: Path, tmp_path: Path
) -> None:
    store = open_sqlite(path)
    large = [Put(f"things/{n}", {"text": "x" * 10_000}) for n in range(100)]
    await store.commit(*large)
    back_up(path, tmp_path / "cut")
    os.truncate(tmp_path / "cut", (tmp_path / "cut").stat().st_size // 2)
    (tmp_path / "text").write_text("no database " * 1000)
    (tmp_path / "empty").write_text("")
    for name in ("cut", "text", "empty", "missing"):
        with pytest.raises(BackupError, match=name):
            restore(tmp_path / name, path)
    with closing(sqlite3.connect(tmp_path / "theirs")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(SchemaError):
        restore(tmp_path / "theirs", path)
    assert await store.get("things/99") is not None
    await store.close()


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`python -m heliostat_api`, as somebody calls it in the pod."""
    return subprocess.run(
        [sys.executable, "-m", "heliostat_api", *words],
        env={"HELIOSTAT_API_DATA_DIR": str(folder), **more},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_copies_a_store_that_is_in_use(path: Path, tmp_path: Path) -> None:
    folder, backup = path.parent, str(tmp_path / "backup")
    store = open_sqlite(folder / "documents.sqlite")
    await store.commit(Put("things/a", {"number": 1}))
    made = run(folder, "backup", backup)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    await store.commit(Put("things/a", {"number": 2}), Put("things/b", {"number": 1}))
    restored = run(folder, "restore", backup)
    assert restored.returncode == 0
    [aside] = folder.glob("before-restore-*.sqlite")
    assert restored.stdout == f"what the store held is in {aside}\n"
    restore(aside, tmp_path / "aside.sqlite")
    lost = open_sqlite(tmp_path / "aside.sqlite")
    found = await lost.get("things/a")
    assert found is not None
    assert found.fields == {"number": 2}, "what was there last is not gone"
    await lost.close()
    found = await store.get("things/a")
    assert found is not None
    assert found.fields == {"number": 1}
    assert await store.get("things/b") is None
    await store.close()


@pytest.mark.parametrize(
    ("words", "more", "code", "said"),
    [
        (("backup", "{there}"), {}, 1, "heliostat-api: {there} exists already: name a new file"),
        (("restore", "{none}"), {}, 1, "heliostat-api: {none} is not there: name the file"),
        (("restore",), {}, 2, "the following arguments are required: file"),
        (("mend", "{none}"), {}, 2, "invalid choice: 'mend'"),
        (("backup", "{none}"), {"HELIOSTAT_API_PORT": "x"}, 2, "HELIOSTAT_API_PORT: "),
        (
            ("backup", "{none}"),
            {"HELIOSTAT_API_STORE": "firestore", "GOOGLE_CLOUD_PROJECT": "p"},
            2,
            "gcloud firestore export",
        ),
    ],
)
def test_the_command_says_why_not(
    tmp_path: Path, words: tuple[str, ...], more: dict[str, str], code: int, said: str
) -> None:
    open_sqlite(tmp_path / "documents.sqlite")
    names = {"there": str(tmp_path / "documents.sqlite"), "none": str(tmp_path / "none")}
    ended = run(tmp_path, *(each.format(**names) for each in words), **more)
    assert ended.returncode == code
    assert said.format(**names) in ended.stderr
    assert "Traceback" not in ended.stderr
