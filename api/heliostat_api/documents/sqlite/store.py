"""Documents in one SQLite file. Several processes may have it open.

One connection reads in place, one commits in a thread of its own. A page of documents is read in
less time than a hop to a thread takes. And in a thread each row would wait for the interpreter,
which a busy event loop gives away every five milliseconds only.

Commits wait for the disk. The standard library in a thread, not aiosqlite: a transaction here is
one hop to the thread and can't be interleaved with another's; aiosqlite hops for every statement.
Commits that wait at the same time share one flush. A commit that was awaited is on the disk.
"""

import asyncio
import secrets
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Page,
    Put,
    Query,
    StoreError,
    UnavailableError,
    check_document,
    collection_of,
    kind_of,
)
from heliostat_api.documents.queries import SHAPES, Place, Shape, check_query, write_cursor
from heliostat_api.documents.sqlite.schema import make_schema
from heliostat_api.documents.sqlite.statements import select_count, select_page
from heliostat_api.documents.values import fields_from_json, fields_to_json
from heliostat_api.documents.writes import MOST_WRITES, checked, is_expected

T = TypeVar("T")
Write: TypeAlias = Callable[[sqlite3.Connection], None]
_BUSY_SECONDS = 10.0
_CACHE_KIB = 8 * 1024  # of pages; SQLite's own 2 MiB are few for many indexes


def open_sqlite(path: Path, shapes: Iterable[Shape] = SHAPES) -> "SqliteDocuments":
    """The store in that file, which is made where there is none. Raises StoreErrors."""
    with mapped_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # it holds what people keep to themselves
        connection = connect(path)
        try:
            make_schema(connection, shapes)
        finally:
            connection.close()
    return SqliteDocuments(path, shapes)


class SqliteDocuments:
    """See Documents."""

    def __init__(self, path: Path, shapes: Iterable[Shape]) -> None:
        """The file has its tables already (see `open_sqlite`)."""
        self._shapes = frozenset(shapes)
        self._reader = Reader(path)
        self._writer = Writer(path)

    async def get(self, path: str) -> Document | None:
        """See Documents."""
        check_document(path)
        row = self._reader.run(lambda connection: _find(connection, path))
        return Document(path, fields_from_json(row[1]), row[0]) if row else None

    async def query(self, query: Query) -> Page:
        """See Documents."""
        check_query(query, self._shapes)
        statement = select_page(query)
        rows = self._reader.run(lambda connection: connection.execute(*statement).fetchall())
        documents = tuple(
            Document(f"{query.collection}/{id_}", fields_from_json(fields), version)
            for id_, version, fields in rows[: query.limit]
        )
        if len(rows) <= query.limit:
            return Page(documents)
        last = documents[-1]
        return Page(documents, write_cursor(query, Place(last.fields[query.order], last.id)))

    async def count(self, query: Query) -> int:
        """See Documents."""
        check_query(query, self._shapes)
        statement = select_count(query)
        (found,) = self._reader.run(lambda connection: connection.execute(*statement).fetchone())
        return int(found)

    async def commit(self, *writes: Put | Delete) -> None:
        """See Documents."""
        normal = checked(writes)
        await self._writer.run(lambda connection: _write(connection, normal))

    async def delete_tree(self, path: str) -> None:
        """See Documents. What is below goes first, a few at a time: others may write between."""
        check_document(path)
        while below := self._reader.run(lambda connection: _below(connection, path)):
            await self.commit(*map(Delete, below))
        await self.commit(Delete(path))

    async def close(self) -> None:
        """See Documents."""
        self._writer.close()
        self._reader.close()


class Reader:
    """Reads one after the other; writers don't hinder it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)

    def close(self) -> None:
        self._connection.close()

    def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        with mapped_errors(self._path):
            return read(self._connection)


class Writer:
    """Commits, all or nothing each. A refused one undoes nothing of the others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._thread = ThreadPoolExecutor(1, "documents-writer")
        self._waiting: deque[tuple[Write, Future[None]]] = deque()

    async def run(self, write: Write) -> None:
        done: Future[None] = Future()
        self._waiting.append((write, done))
        self._thread.submit(self._commit_waiting)
        await asyncio.wrap_future(done)

    def close(self) -> None:
        """Finishes what waits."""
        self._thread.shutdown()
        self._connection.close()

    def _commit_waiting(self) -> None:
        group = []
        while self._waiting:
            write, done = self._waiting.popleft()
            if done.set_running_or_notify_cancel():
                group.append((write, done))
        outcomes = self._commit([write for write, _ in group]) if group else []
        for (_, done), refusal in zip(group, outcomes, strict=True):
            if refusal is None:
                done.set_result(None)
            else:
                done.set_exception(refusal)

    def _commit(self, writes: list[Write]) -> list[Exception | None]:
        """What each came to; None is good."""
        try:
            with mapped_errors(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                outcomes = [self._attempt(write) for write in writes]
                self._connection.execute("COMMIT")
                return outcomes
        except Exception as error:  # noqa: BLE001  belongs to those who await
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            return [error for _ in writes]

    def _attempt(self, write: Write) -> Exception | None:
        self._connection.execute("SAVEPOINT one")
        refusal = None
        try:
            write(self._connection)
        except StoreError as error:
            self._connection.execute("ROLLBACK TO one")
            refusal = error
        self._connection.execute("RELEASE one")
        return refusal


def connect(path: Path) -> sqlite3.Connection:
    """Raises StoreErrors."""
    with mapped_errors(path):
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise UnavailableError(f"the document store {path} can't be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the document store {path} is damaged ({error}): restore a backup"
        ) from error


def _find(connection: sqlite3.Connection, path: str) -> tuple[str, str] | None:
    """Version and fields."""
    row: tuple[str, str] | None = connection.execute(
        "SELECT version, fields FROM documents WHERE collection = ? AND id = ?", _key(path)
    ).fetchone()
    return row


def _below(connection: sqlite3.Connection, path: str) -> list[str]:
    """Some paths below a document; '0' is the character after '/'."""
    rows = connection.execute(
        "SELECT collection, id FROM documents WHERE collection > ? AND collection < ? LIMIT ?",
        (f"{path}/", f"{path}0", MOST_WRITES),
    )
    return [f"{collection}/{id_}" for collection, id_ in rows]


def _write(connection: sqlite3.Connection, writes: Sequence[Put | Delete]) -> None:
    """Raises ConflictError; then nothing may stay of it."""
    for write in writes:
        found = _find(connection, write.path)
        if not is_expected(write.expect, found[0] if found else None):
            raise ConflictError(write.path)
        if isinstance(write, Delete):
            connection.execute(
                "DELETE FROM documents WHERE collection = ? AND id = ?", _key(write.path)
            )
        else:
            _put(connection, write, found[1] if found else None)


def _put(connection: sqlite3.Connection, write: Put, before: str | None) -> None:
    fields = fields_to_json(write.fields)
    if fields != before:
        collection, id_ = _key(write.path)
        connection.execute(
            "INSERT INTO documents (collection, id, kind, version, fields) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET version = excluded.version, fields = excluded.fields",
            (collection, id_, kind_of(collection), secrets.token_hex(8), fields),
        )


def _key(path: str) -> tuple[str, str]:
    collection = collection_of(path)
    return collection, path.removeprefix(f"{collection}/")
