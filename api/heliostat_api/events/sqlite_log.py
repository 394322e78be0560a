"""The event log in one SQLite file: for one replica, and the default without Redis.

Calls are short transactions made in place: faster than a hop to a thread.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time_ns

from heliostat_api.documents.port import UnavailableError
from heliostat_api.events.log import (
    REPORT_BYTES,
    USUAL,
    Bounds,
    Logged,
    Report,
    Slice,
    bound_of,
    kept_of,
    read_report,
)
from heliostat_api.events.notifier import ChangeNotifier

_SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    audience TEXT NOT NULL,
    key TEXT NOT NULL,
    type TEXT NOT NULL,
    execution TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    time TEXT NOT NULL,
    payload TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0  -- bytes of the payload
);
CREATE INDEX IF NOT EXISTS of_audience ON reports (audience, id);
CREATE UNIQUE INDEX IF NOT EXISTS once ON reports (audience, key) WHERE key != '';
CREATE TABLE IF NOT EXISTS audiences (
    audience TEXT PRIMARY KEY,
    kept INTEGER NOT NULL,
    dropped INTEGER NOT NULL,  -- the newest id that is gone
    bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS beginning (id INTEGER NOT NULL);  -- none in a file of before
"""
_SIZES = """
ALTER TABLE reports ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audiences ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE reports SET size = length(CAST(payload AS BLOB));
UPDATE audiences SET bytes = (
    SELECT coalesce(sum(size), 0) FROM reports WHERE reports.audience = audiences.audience
);
"""
# The newest report that is one too many, by number or by bytes; the last one always stays.
_NEWEST_TO_DROP = """
SELECT id FROM (
    SELECT id, row_number() OVER newer AS number, sum(size) OVER newer AS total
    FROM reports WHERE audience = ? WINDOW newer AS (ORDER BY id DESC)
) WHERE number > ? OR (total > ? AND number > 1) ORDER BY id DESC LIMIT 1
"""
# Audiences that hold something: their newest report, what they cost; who is silent longest first.
_SILENT = """
SELECT audience, last, cost FROM (
    SELECT audience, bytes + kept * ? AS cost,
        (SELECT max(id) FROM reports WHERE reports.audience = audiences.audience) AS last
    FROM audiences WHERE audience != ? AND kept > 0
) ORDER BY last
"""
_Row = tuple[int, str, str, str, str, str]


class SqliteEventLog:
    """An EventLog over a file."""

    def __init__(self, path: Path, bounds: Bounds = USUAL) -> None:
        """Raises UnavailableError."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
            self._connection.executescript(_SCHEMA)
            self._add_sizes()
            self._begin()
            self._total = self._cost()
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"the event log {path} can't be used ({error}): without it, a new one is made"
            ) from error
        self._bounds = bounds
        self._bells = ChangeNotifier()

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        """Once per key and audience, as long as that report is kept."""
        payload = report.payload_text
        size = len(payload.encode())
        with self._writing():
            written = self._connection.execute(
                "INSERT OR IGNORE INTO reports"
                " (id, audience, key, type, execution, correlation_id, time, payload, size)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    max(self._end() + 1, _now()),
                    audience,
                    key,
                    report.type.value,
                    report.execution,
                    report.correlation_id,
                    report.time.isoformat(),
                    payload,
                    size,
                ),
            ).rowcount
            if written:
                self._count(audience, size)
        if written:
            self._bells.ring(audience)

    async def read(self, audiences: Collection[str], after: int, limit: int = 500) -> Slice:
        """A cursor from elsewhere is a gap."""
        names = tuple(audiences)
        with _mapped_errors():
            is_older = 0 < after < self._beginning
            if after > self._end() or is_older or after < self._dropped(names):
                return Slice((), after, has_gap=True)
            rows: Sequence[_Row] = self._connection.execute(
                "SELECT id, type, execution, correlation_id, time, payload FROM reports"
                f" WHERE audience IN ({_marks(names)}) AND id > ? ORDER BY id LIMIT ?",
                (*names, after, limit),
            ).fetchall()
        reports = tuple(_read_row(row) for row in rows)
        return Slice(reports, reports[-1].id if reports else after)

    async def end(self) -> int:
        """The newest id ever given, of any audience."""
        with _mapped_errors():
            return self._end()

    async def wait(self, audiences: Collection[str], after: int, seconds: float) -> None:
        """Only this process appends, so a bell in it is enough."""

        async def has_news() -> bool:
            return bool((await self.read(audiences, after, 1)).reports)

        await self._bells.wait(audiences, seconds, has_news)

    async def forget(self, audience: str) -> None:
        """In one transaction."""
        with self._writing():
            self._drop(audience, self._end())
        self._bells.ring(audience)

    async def erase(self, audience: str) -> None:
        """In one transaction."""
        with self._writing():
            for table in ("reports", "audiences"):
                self._connection.execute(f"DELETE FROM {table} WHERE audience = ?", (audience,))
        self._bells.ring(audience)

    async def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction. Raises UnavailableError."""
        with _mapped_errors(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def _end(self) -> int:
        found: tuple[int] | None = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'reports'"
        ).fetchone()
        return found[0] if found else 0

    def _begin(self) -> None:
        """A new log begins now: cursors of one that was here before are older."""
        self._connection.execute("BEGIN IMMEDIATE")
        if not self._end():
            begin = (_now(),)
            self._connection.execute("INSERT INTO sqlite_sequence VALUES ('reports', ?)", begin)
            self._connection.execute("INSERT INTO beginning VALUES (?)", begin)
        self._connection.execute("COMMIT")
        [found] = self._connection.execute("SELECT max(id) FROM beginning").fetchall()
        self._beginning: int = found[0] or 0

    def _add_sizes(self) -> None:
        """A file of before sizes were kept gets them."""
        columns = self._connection.execute("PRAGMA table_info(reports)").fetchall()
        if "size" not in {name for _, name, *_ in columns}:
            self._connection.executescript(f"BEGIN IMMEDIATE; {_SIZES} COMMIT;")

    def _count(self, audience: str, size: int) -> None:
        """One more is kept; drops the oldest when that is too many, or too much."""
        kept, total = self._connection.execute(
            "INSERT INTO audiences VALUES (?, 1, 0, ?)"
            " ON CONFLICT (audience) DO UPDATE SET kept = kept + 1, bytes = bytes + excluded.bytes"
            " RETURNING kept, bytes",
            (audience, size),
        ).fetchone()
        bounds = self._bounds
        bound, slack = bound_of(audience, bounds.bound), bound_of(audience, bounds.slack)
        if kept >= bound + slack or total > bounds.most_bytes:
            self._trim(audience, bound)
        self._total += size + REPORT_BYTES
        if self._total > bounds.total_bytes:
            self._drop_silent(audience)

    def _cost(self) -> int:
        """Bytes of all that is kept."""
        [found] = self._connection.execute(
            "SELECT coalesce(sum(bytes + kept * ?), 0) FROM audiences", (REPORT_BYTES,)
        ).fetchall()
        return int(found[0])

    def _drop_silent(self, speaking: str) -> None:
        """The audiences that were silent for longest go whole, until all fit."""
        most = self._bounds.total_bytes
        self._total = self._cost()
        if self._total <= most:
            return
        silent = self._connection.execute(_SILENT, (REPORT_BYTES, speaking)).fetchall()
        for audience, last, cost in silent:
            if self._total <= kept_of(most):
                return
            self._drop(audience, last)
            self._total -= cost

    def _drop(self, audience: str, last: int) -> None:
        """All that it heard; a cursor from before `last` is a gap."""
        self._connection.execute("DELETE FROM reports WHERE audience = ?", (audience,))
        self._connection.execute(
            "INSERT INTO audiences VALUES (?, 0, ?, 0)"
            " ON CONFLICT (audience) DO UPDATE SET kept = 0, bytes = 0, dropped = excluded.dropped",
            (audience, last),
        )

    def _trim(self, audience: str, bound: int) -> None:
        most = kept_of(self._bounds.most_bytes)
        found: tuple[int] | None = self._connection.execute(
            _NEWEST_TO_DROP, (audience, bound, most)
        ).fetchone()
        if found is None:
            return
        self._connection.execute(
            "DELETE FROM reports WHERE audience = ? AND id <= ?", (audience, found[0])
        )
        self._connection.execute(
            "UPDATE audiences SET dropped = ?, (kept, bytes) ="
            " (SELECT count(*), sum(size) FROM reports WHERE audience = ?) WHERE audience = ?",
            (found[0], audience, audience),
        )

    def _dropped(self, audiences: Sequence[str]) -> int:
        found: tuple[int | None] = self._connection.execute(
            f"SELECT max(dropped) FROM audiences WHERE audience IN ({_marks(audiences)})",
            tuple(audiences),
        ).fetchone()
        return found[0] or 0


@contextmanager
def _mapped_errors() -> Iterator[None]:
    """SQLite's errors as ours: who appends goes on later, as with any other log."""
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError(f"the event log can't be used: {error}") from error


def _now() -> int:
    """In microseconds."""
    return time_ns() // 1000


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)


def _read_row(row: _Row) -> Logged:
    number, kind, execution, correlation_id, time, payload = row
    return Logged(number, read_report(kind, time, payload, correlation_id, execution))
