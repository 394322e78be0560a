"""The file's tables, and how a file of an earlier version becomes one of this.

Indexes follow from the declared queries and are mended at each opening, without a version.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from heliostat_api.documents.port import StoreError
from heliostat_api.documents.queries import Shape
from heliostat_api.documents.sqlite.statements import column_names, extract, order_columns

APPLICATION: Final = 0x48656C69
"""`Heli`: says to whom the file belongs."""

MIGRATIONS: Final = (
    """
CREATE TABLE documents (
  collection TEXT NOT NULL, id TEXT NOT NULL,
  kind TEXT NOT NULL,    -- the last name of the collection's path
  version TEXT NOT NULL, -- random: never the same again, not even after a restore
  fields TEXT NOT NULL,  -- JSON, see values.py
  PRIMARY KEY (collection, id)
) STRICT
""",
)
"""Statement n leads from version n to n + 1."""


class SchemaError(StoreError):
    """Not a file of ours, or one of a newer version."""


def make_schema(
    connection: sqlite3.Connection, shapes: Iterable[Shape], migrations: Sequence[str] = MIGRATIONS
) -> None:
    """Brings a file up to date, all or nothing. Raises SchemaError."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = read_version(connection, len(migrations))
        for migration in migrations[version:]:
            connection.execute(migration)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        _make_indexes(connection, sorted(shapes))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def read_version(connection: sqlite3.Connection, newest: int = len(MIGRATIONS)) -> int:
    """The file's version, 0 of an empty one. Raises SchemaError."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION:
        raise SchemaError("the file is not a document store of Heliostat: name another path")
    if version > newest:
        raise SchemaError(
            f"the file has version {version}, this program knows {newest}: use a newer Heliostat"
        )
    return int(version)


def _make_indexes(connection: sqlite3.Connection, shapes: Sequence[Shape]) -> None:
    known = {row[1] for row in connection.execute("PRAGMA table_xinfo(documents)")}
    for field in sorted({shape.order for shape in shapes}):
        for name, expression in order_columns(field):
            if name not in known:
                connection.execute(
                    f"ALTER TABLE documents ADD COLUMN {name} ANY AS ({expression}) VIRTUAL"
                )
    wanted = dict(map(_index, shapes))
    found = dict(
        connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
    )
    for name in found.keys() - wanted.keys():
        connection.execute(f'DROP INDEX "{name}"')
    for name in sorted(wanted.keys() - found.keys()):
        connection.execute(wanted[name])


def _index(shape: Shape) -> tuple[str, str]:
    """Name and statement. Read backwards, it serves the other direction too."""
    rank, value = column_names(shape.order)
    name = " ".join([shape.kind, *shape.filters, "by", shape.order])
    columns = ", ".join(["collection", *map(extract, shape.filters), rank, value, "id"])
    return name, f"CREATE INDEX \"{name}\" ON documents ({columns}) WHERE kind = '{shape.kind}'"
