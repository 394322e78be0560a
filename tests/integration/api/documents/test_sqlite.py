"""What only the file does: versions of its tables, indexes, several processes, crashes."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Expected,
    Put,
    Query,
    StoreError,
    UnavailableError,
)
from heliostat_api.documents.queries import SHAPES, Place, Shape, write_cursor
from heliostat_api.documents.sqlite.schema import MIGRATIONS, SchemaError, make_schema
from heliostat_api.documents.sqlite.statements import select_page
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.documents.transcripts import Transcripts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "documents.sqlite"


async def value_of(store: SqliteDocuments, path: str) -> object:
    found = await store.get(path)
    return found and found.fields["n"]


# ---- the file -------------------------------------------------------------------------------


async def test_what_was_committed_is_there_when_the_file_is_opened_again(path: Path) -> None:
    store = open_sqlite(path)
    await store.commit(Put("things/a", {"n": 1}))
    await store.close()
    store = open_sqlite(path)
    assert await value_of(store, "things/a") == 1
    await store.close()


async def test_only_its_owner_may_read_the_file(path: Path) -> None:
    await open_sqlite(path).close()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("is_later", [False, True], ids=["first page", "later page"])
@pytest.mark.parametrize("shape", sorted(SHAPES), ids=str)
async def test_a_query_reads_its_own_index_and_sorts_nothing(
    path: Path, shape: Shape, is_later: bool
) -> None:
    await open_sqlite(path).close()
    filters: dict[str, str | int | bool] = {name: "x" for name in shape.filters if name != OWNER}
    owner = "ada" if OWNER in shape.filters else None
    query = Query(f"parents/x/{shape.kind}", owner, filters, shape.order, shape.descending)
    if is_later:
        query = replace(query, after=write_cursor(query, Place("2026", "id")))
    statement, parameters = select_page(query)
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    (step,) = [detail for *_, detail in plan]
    index = " ".join([shape.kind, *shape.filters, "by", shape.order])
    assert step.startswith(f"SEARCH documents USING INDEX {index} ")
    assert step.count("=?") == 1 + len(shape.filters)
    if is_later:
        assert f"({shape.order}_rank,{shape.order}_value,id)" in step


async def test_a_folder_that_can_t_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file"):
        open_sqlite(tmp_path / "file" / "documents.sqlite")


@pytest.mark.parametrize("text", ["no database at all " * 100, "short"])
async def test_a_damaged_file_is_named_with_the_remedy(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(StoreError, match="restore a backup") as refused:
        open_sqlite(path)
    assert str(path) in str(refused.value)


# ---- versions -------------------------------------------------------------------------------


async def put_one(path: Path) -> None:
    store = open_sqlite(path)
    await store.commit(Put("things/a", {"n": 1}))
    await store.close()


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def migrate(path: Path, migrations: Sequence[str], shapes: frozenset[Shape] = SHAPES) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        make_schema(connection, shapes, migrations)


async def test_a_migration_keeps_what_is_stored(path: Path) -> None:
    await put_one(path)
    migrate(path, [*MIGRATIONS, "ALTER TABLE documents ADD COLUMN extra TEXT"])
    assert version_of(path) == len(MIGRATIONS) + 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, extra FROM documents").fetchall() == [("a", None)]


async def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    await put_one(path)
    with pytest.raises(sqlite3.OperationalError):
        migrate(
            path, [*MIGRATIONS, "ALTER TABLE documents ADD COLUMN extra TEXT", "NOT A STATEMENT"]
        )
    assert version_of(path) == len(MIGRATIONS)
    store = open_sqlite(path)
    assert await value_of(store, "things/a") == 1
    await store.close()


async def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    await put_one(path)
    migrate(path, [*MIGRATIONS, "ALTER TABLE documents ADD COLUMN extra TEXT"])
    with pytest.raises(SchemaError, match="use a newer Heliostat"):
        open_sqlite(path)
    assert version_of(path) == len(MIGRATIONS) + 1


async def test_a_file_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(SchemaError, match="not a document store"):
        open_sqlite(path)


async def test_indexes_follow_the_declared_queries(path: Path) -> None:
    await put_one(path)
    new = Shape("things", (), "n", descending=False)
    store = open_sqlite(path, [new])
    page = await store.query(Query("things", None, order="n", descending=False))
    assert [each.id for each in page.documents] == ["a"]
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'")
        assert found.fetchall() == [("things by n",)]


async def test_several_may_open_a_new_file_at_once(path: Path) -> None:
    stores = await asyncio.gather(*(asyncio.to_thread(open_sqlite, path) for _ in range(6)))
    await asyncio.gather(
        *(store.commit(Put(f"things/{n}", {"n": n})) for n, store in enumerate(stores))
    )
    assert [await value_of(stores[0], f"things/{n}") for n in range(6)] == list(range(6))
    for store in stores:
        await store.close()


# ---- several writers ------------------------------------------------------------------------


async def test_of_commits_that_share_a_flush_only_the_refused_are_undone(path: Path) -> None:
    store = open_sqlite(path)
    await store.commit(Put("things/taken", {"n": 0}))
    outcomes = await asyncio.gather(
        *(
            store.commit(
                Put(f"things/{n}", {"n": n}),
                Put("things/taken" if n % 3 == 0 else f"things/free{n}", {}, Expected.ABSENT),
            )
            for n in range(30)
        ),
        return_exceptions=True,
    )
    for n, outcome in enumerate(outcomes):
        assert isinstance(outcome, ConflictError) == (n % 3 == 0)
        assert await value_of(store, f"things/{n}") == (None if n % 3 == 0 else n)
    await store.close()


COUNTING = """
import asyncio, sys
from pathlib import Path
from heliostat_api.documents.port import ConflictError, Expected, Put
from heliostat_api.documents.sqlite.store import open_sqlite
async def main():
    store = open_sqlite(Path(sys.argv[1]))
    done = 0
    while done < 100:
        found = await store.get("things/sum")
        n, expect = (found.fields["n"], found.version) if found else (0, Expected.ABSENT)
        try:
            await store.commit(Put("things/sum", {"n": n + 1}, expect))
            done += 1
        except ConflictError:
            pass
    await store.close()
asyncio.run(main())
"""
"""Adds 100 to one document."""

WRITING = """
import asyncio, sys
from pathlib import Path
from heliostat_api.documents.port import Put
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.documents.transcripts import Transcripts
async def main():
    store = open_sqlite(Path(sys.argv[1]))
    transcripts = Transcripts(store)
    found = await store.get("things/left")
    n = found.fields["n"] if found else 0
    lines = (await transcripts.position("e", 1)).next
    while True:
        n, lines = n + 1, lines + 2
        left, right = Put("things/left", {"n": n}), Put("things/right", {"n": n})
        await asyncio.gather(
            store.commit(left, Put(f"things/{n}", {"n": n, "text": "x" * 20_000}), right),
            transcripts.append("e", 1, lines - 2, [f"line {lines - 2}", f"line {lines - 1}"]),
        )
        print(n, lines, flush=True)
asyncio.run(main())
"""
"""Writes without an end, and says what is committed."""


@contextmanager
def running(program: str, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Killed (SIGKILL) at the end if it still runs."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_several_processes_lose_nothing_of_each_other(path: Path) -> None:
    with running(COUNTING, path) as one, running(COUNTING, path) as two:
        assert [one.wait(60), two.wait(60)] == [0, 0]
    store = open_sqlite(path)
    assert await value_of(store, "things/sum") == 200
    await store.close()


async def test_kill_9_in_the_middle_of_writes_leaves_a_consistent_store(path: Path) -> None:
    for round_ in range(4):
        with running(WRITING, path) as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(10 + 7 * round_)]
            process.kill()
            told += process.stdout.readlines()
        # A line may be cut off: what it told of is there all the same.
        n, lines = map(int, [each for each in told if each.endswith("\n")][-1].split())
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        await check_consistent(path, n, lines)


async def check_consistent(path: Path, n: int, lines: int) -> None:
    """What was told of is there; what came after is there as a whole or not at all."""
    store = open_sqlite(path)
    left = await value_of(store, "things/left")
    assert left in (n, n + 1)
    assert await value_of(store, "things/right") == left
    found = [await value_of(store, f"things/{each}") for each in range(1, n + 2)]
    assert found == [*range(1, n + 1), n + 1 if left == n + 1 else None]
    transcripts = Transcripts(store)
    position = await transcripts.position("e", 1)
    assert position.next in (lines, lines + 2)
    page = await transcripts.read("e", 1, None, 1000)
    assert page.events == tuple(f"line {each}" for each in range(position.next))
    await store.close()
