"""Documents in one SQLite file. Several processes may have it open."""

import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from heliostat_api.documents.cursors import Place, write_cursor
from heliostat_api.documents.paths import check_document, collection_of, kind_of
from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Page,
    Put,
    Query,
)
from heliostat_api.documents.queries import SHAPES, Shape, check_query
from heliostat_api.documents.sqlite.connections import Reader, Writer, connect, mapped_errors
from heliostat_api.documents.sqlite.schema import make_schema
from heliostat_api.documents.sqlite.statements import select_count, select_page
from heliostat_api.documents.values import fields_from_json, fields_to_json
from heliostat_api.documents.writes import MOST_WRITES, checked, is_expected


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
