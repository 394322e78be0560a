"""Runs that were out of the ordinary, kept for people to look at; the last thousand."""

import sqlite3
from dataclasses import dataclass, fields
from typing import Final

from heliostat_gateway.reports.anomalies import Against
from heliostat_gateway.storage import Storage

KEPT: Final = 1000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS anomalies (
  execution TEXT PRIMARY KEY, agent TEXT NOT NULL, seen_ms INTEGER NOT NULL,
  cost_nanos INTEGER NOT NULL, median_nanos INTEGER NOT NULL, times_basis_points INTEGER,
  score_basis_points INTEGER NOT NULL, against TEXT NOT NULL, known INTEGER NOT NULL,
  peers_median_nanos INTEGER, action TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True)
class Finding:
    """An execution as it stood when it was flagged. `action` is what was done about its agent.

    `times` is cost / median (None for median 0) and `score` the modified z-score, in basis points.
    """

    execution: str
    agent: str
    seen_ms: int
    cost_nanos: int
    median_nanos: int
    times_basis_points: int | None
    score_basis_points: int
    against: Against
    known: int
    peers_median_nanos: int | None
    action: str


_NAMES: Final = tuple(each.name for each in fields(Finding))
_COLUMNS: Final = ", ".join(_NAMES)
_AGAINST: Final = _NAMES.index("against")


class Findings:
    """The list, newest first, in memory and on the disk."""

    def __init__(self, storage: Storage, kept: int = KEPT) -> None:
        self._storage = storage
        self._kept = kept
        storage.run_now(lambda connection: connection.execute(_SCHEMA))
        self._found = {each.execution: each for each in storage.run_now(_read)}

    def __contains__(self, execution: str) -> bool:
        return execution in self._found

    def newest(self, limit: int, agent: str | None = None) -> list[Finding]:
        """The last findings, of one agent or of all."""
        found = (each for each in self._found.values() if agent in (None, each.agent))
        return sorted(found, key=lambda each: (-each.seen_ms, each.execution))[:limit]

    async def add(self, finding: Finding) -> None:
        """Keeps a finding; the oldest go. Raises StorageError."""
        found = self._found | {finding.execution: finding}
        dropped = sorted(found.values(), key=lambda each: -each.seen_ms)[self._kept :]

        def work(connection: sqlite3.Connection) -> None:
            values = tuple(getattr(finding, name) for name in _NAMES)
            marks = ", ".join("?" * len(values))
            connection.execute(
                f"INSERT OR REPLACE INTO anomalies ({_COLUMNS}) VALUES ({marks})", values
            )
            connection.executemany(
                "DELETE FROM anomalies WHERE execution = ?", [(each.execution,) for each in dropped]
            )

        await self._storage.run(work)
        for each in dropped:
            found.pop(each.execution)
        self._found = found


def _read(connection: sqlite3.Connection) -> list[Finding]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM anomalies ORDER BY seen_ms").fetchall()
    return [
        Finding(**dict(zip(_NAMES, row, strict=True)) | {"against": Against(row[_AGAINST])})
        for row in found
    ]
