"""The file: objects and a log of their changes in SQLite, for several processes at once.

Write-ahead log, one short transaction a write. `revision` counts writes, never goes back, and is
each object's resourceVersion. Commits survive the death of a process at any point.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from heliostat_cli.embedded.documents import Document
from heliostat_core.reading import parts, text
from heliostat_core.worlds import KINDS, JsonObject, Ref, UnavailableError

LOG_LENGTH = 10_000  # changes that are kept for watches; an older watch starts again
_BUSY_SECONDS = 10.0
_ENTRIES_AT_ONCE = 50

_TABLES = """
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counters VALUES ('revision', 0), ('trimmed', 0);
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL, PRIMARY KEY (kind, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owners (
    uid TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (owner, uid)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owners_by_uid ON owners (uid);
CREATE TABLE IF NOT EXISTS changes (
    revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, type TEXT NOT NULL,
    document TEXT NOT NULL, previous TEXT);
CREATE INDEX IF NOT EXISTS changes_by_kind ON changes (kind, revision);
"""

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Entry:
    """One row of the change log; `previous` is the object before the change."""

    revision: int
    type: ChangeType
    object: JsonObject
    previous: JsonObject | None


class Store:
    """One open file. Not to be shared between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits = 0
        self.listeners: set[Callable[[], None]] = set()  # called after each commit of our own
        with _mapped_errors():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
            path.chmod(0o600)  # it holds Secrets
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            with self._transaction("IMMEDIATE"):
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)

    def close(self) -> None:
        self._db.close()

    def stamp(self) -> tuple[int, int]:
        """Another one after every commit of any process; much cheaper than to read the log."""
        with _mapped_errors():
            row = self._db.execute("PRAGMA data_version").fetchone()  # of other connections
        version: int = row[0]
        return version, self._commits

    def get(self, ref: Ref) -> JsonObject | None:
        """The object at an address."""
        with _mapped_errors():
            row = self._db.execute(
                "SELECT document FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
                (ref.kind.name, ref.namespace, ref.name),
            ).fetchone()
        return _load(row[0]) if row else None

    def exists(self, uid: str) -> bool:
        """Whether any object has this uid."""
        with _mapped_errors():
            row = self._db.execute("SELECT 1 FROM objects WHERE uid = ?", (uid,)).fetchone()
        return row is not None

    def page(self, kind: str, after: tuple[str, str], size: int) -> list[JsonObject]:
        """Objects of a kind behind a (namespace, name), in that order."""
        with _mapped_errors():
            rows = self._db.execute(
                "SELECT document FROM objects WHERE kind = ? AND (namespace, name) > (?, ?) "
                "ORDER BY namespace, name LIMIT ?",
                (kind, *after, size),
            ).fetchall()
        return [_load(document) for (document,) in rows]

    def snapshot(self, kind: str) -> tuple[int, list[str]]:
        """The revision, and the JSON of all objects of a kind as they were at it."""
        with self._transaction("DEFERRED"):
            revision = self._counter("revision")
            rows = self._db.execute(
                "SELECT document FROM objects WHERE kind = ? ORDER BY namespace, name", (kind,)
            ).fetchall()
        return revision, [document for (document,) in rows]

    def changes(self, kind: str, after: int) -> tuple[int, list[Entry]]:
        """Some changes of a kind after a revision, and the revision up to which these are all.

        Raises UnavailableError when changes after that revision are not kept any more.
        """
        with self._transaction("DEFERRED"):
            trimmed, revision = self._counter("trimmed"), self._counter("revision")
            rows = self._db.execute(
                "SELECT revision, type, document, previous FROM changes "
                "WHERE kind = ? AND revision > ? ORDER BY revision LIMIT ?",
                (kind, after, _ENTRIES_AT_ONCE),
            ).fetchall()
        if after < trimmed:
            raise UnavailableError(f"too old resource version: {after} ({trimmed})")
        entries = [
            Entry(revision, type_, _load(document), _load(previous) if previous else None)
            for revision, type_, document, previous in rows
        ]
        is_all = len(entries) < _ENTRIES_AT_ONCE
        return revision if is_all else entries[-1].revision, entries

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One write transaction: all of it happens, or nothing. Others wait meanwhile."""
        with self._transaction("IMMEDIATE"):
            yield
        self._commits += 1
        for listener in tuple(self.listeners):
            listener()

    def put(self, ref: Ref, obj: Document, previous: JsonObject | None) -> None:
        """Write an object and log the change; sets its resourceVersion. Inside `writing`."""
        revision = self._next_revision()
        metadata = obj["metadata"]
        if not isinstance(metadata, dict):
            raise TypeError("metadata is an object")
        metadata["resourceVersion"] = str(revision)
        uid = text(metadata, "uid")
        document = json.dumps(obj, separators=(",", ":"))
        self._db.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (ref.kind.name, ref.namespace, ref.name, uid, document),
        )
        self._set_owners(uid, {text(each, "uid") for each in parts(metadata, "ownerReferences")})
        self._log(revision, ref, "MODIFIED" if previous else "ADDED", document, previous)

    def remove(self, ref: Ref, obj: JsonObject) -> list[Ref]:
        """Remove an object, log it; returns the addresses of its dependents. Inside `writing`."""
        revision = self._next_revision()
        uid = text(obj, "metadata", "uid")
        self._db.execute(
            "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
            (ref.kind.name, ref.namespace, ref.name),
        )
        self._db.execute("DELETE FROM owners WHERE uid = ?", (uid,))
        last: Document = json.loads(json.dumps(obj))
        last["metadata"] = {**_mapping(last["metadata"]), "resourceVersion": str(revision)}
        self._log(revision, ref, "DELETED", json.dumps(last, separators=(",", ":")), obj)
        return self._dependents(uid)

    def _dependents(self, owner: str) -> list[Ref]:
        rows = self._db.execute(
            "SELECT kind, namespace, name FROM objects JOIN owners USING (uid) WHERE owner = ?",
            (owner,),
        ).fetchall()
        return [Ref(KINDS[kind], namespace, name) for kind, namespace, name in rows]

    def _set_owners(self, uid: str, owners: set[str]) -> None:
        self._db.execute("DELETE FROM owners WHERE uid = ?", (uid,))
        self._db.executemany("INSERT INTO owners VALUES (?, ?)", [(uid, each) for each in owners])

    def _log(
        self, revision: int, ref: Ref, type_: str, document: str, previous: JsonObject | None
    ) -> None:
        before = json.dumps(previous, separators=(",", ":")) if previous else None
        self._db.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?)",
            (revision, ref.kind.name, type_, document, before),
        )
        if revision % 1000 == 0:
            self._db.execute("DELETE FROM changes WHERE revision <= ?", (revision - LOG_LENGTH,))
            self._db.execute(
                "UPDATE counters SET value = max(value, ?) WHERE name = 'trimmed'",
                (revision - LOG_LENGTH,),
            )

    def _next_revision(self) -> int:
        self._db.execute("UPDATE counters SET value = value + 1 WHERE name = 'revision'")
        return self._counter("revision")

    def _counter(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
        value: int = row[0]
        return value

    @contextmanager
    def _transaction(self, mode: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
        with _mapped_errors():
            self._db.execute(f"BEGIN {mode}")
        try:
            with _mapped_errors():
                yield
                self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise


def _load(document: str) -> JsonObject:
    loaded: JsonObject = json.loads(document)
    return loaded


def _mapping(value: object) -> Document:
    return value if isinstance(value, dict) else {}


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise UnavailableError(f"The embedded world's file can't be used: {error}.") from error
