"""Backups of the file, made and restored while others have it open.

Both copy by SQLite's own backup: a copy of the files would miss the write-ahead log.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from heliostat_api.documents.port import StoreError
from heliostat_api.documents.queries import SHAPES
from heliostat_api.documents.sqlite.schema import make_schema, read_version
from heliostat_api.documents.sqlite.store import connect, mapped_errors


class BackupError(StoreError):
    """No backup was made, or none can be restored; the text says why."""


def back_up(path: Path, target: Path) -> None:
    """Writes one file that holds the store as it is at a moment. `target` appears whole or not.

    Raises BackupError, among others when `target` exists.
    """
    if not path.is_file():
        raise BackupError(f"{path} is not there: name the file of a document store")
    if target.exists():
        raise BackupError(f"{target} exists already: name a new file")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with mapped_errors(target):
            unfinished.touch(mode=0o600)
            _copy(path, unfinished)
            os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def restore(backup: Path, path: Path, aside: Path | None = None) -> None:
    """Makes the store what the backup holds; what it held goes to the new file `aside`, if there
    was anything. In one transaction: who has the store open sees all of it at once. Raises
    BackupError when the backup is not whole.
    """
    if not backup.is_file():
        raise BackupError(f"{backup} is not there: name the file of a backup")
    with closing(_open_to_read(backup)) as source:
        _check(source, backup)
        if aside is not None and path.is_file():
            back_up(path, aside)
        with mapped_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            with closing(connect(path)) as store:
                source.backup(store)
                make_schema(store, SHAPES)


def _copy(path: Path, target: Path) -> None:
    with closing(connect(path)) as store, closing(sqlite3.connect(target)) as copy:
        store.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _open_to_read(backup: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)


def _check(source: sqlite3.Connection, backup: Path) -> None:
    """Raises BackupError."""
    try:
        if not read_version(source):
            raise BackupError(f"{backup} is empty: it is no backup")
        (verdict,) = source.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{backup} can't be read: {error}") from error
    if verdict != "ok":
        raise BackupError(f"{backup} is damaged: {verdict}")
