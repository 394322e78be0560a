"""The ledger's tables, and how a file of an earlier version becomes one of this."""

import sqlite3
from typing import Final

from heliostat_gateway.storage import StorageError

VERSION: Final = 1

TABLES: Final = """
CREATE TABLE requests (
  id TEXT NOT NULL, part INTEGER NOT NULL, account TEXT NOT NULL, key TEXT NOT NULL,
  kind TEXT NOT NULL, user TEXT NOT NULL, agent TEXT NOT NULL, execution TEXT NOT NULL,
  attempt INTEGER NOT NULL, correlation TEXT NOT NULL, session TEXT NOT NULL,
  budgets TEXT NOT NULL,
  provider TEXT NOT NULL, model TEXT NOT NULL, credential TEXT NOT NULL,
  started_ms INTEGER NOT NULL, ended_ms INTEGER, open INTEGER NOT NULL,
  reported INTEGER NOT NULL, estimated INTEGER NOT NULL, outcome TEXT NOT NULL,
  provider_request TEXT NOT NULL,
  input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
  web_searches INTEGER NOT NULL, thinking INTEGER NOT NULL, speed TEXT NOT NULL,
  cost_nanos INTEGER NOT NULL, terms TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (id, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_execution ON requests (execution);
CREATE INDEX requests_agent ON requests (agent, open, part, cost_nanos);
CREATE INDEX requests_started ON requests (started_ms);
-- Settled sums of accounts and budget periods, kept by the transaction that settles.
CREATE TABLE sums (
  counted TEXT PRIMARY KEY, nanos INTEGER NOT NULL, tokens INTEGER NOT NULL,
  turns INTEGER NOT NULL, dearest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Open requests: what they hold, and their head as JSON.
CREATE TABLE reservations (
  id TEXT PRIMARY KEY, head TEXT NOT NULL, nanos INTEGER NOT NULL, tokens INTEGER NOT NULL,
  output_nanos INTEGER NOT NULL, output_tokens INTEGER NOT NULL, strict INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE holds (
  counted TEXT NOT NULL, id TEXT NOT NULL, nanos INTEGER NOT NULL, tokens INTEGER NOT NULL,
  PRIMARY KEY (counted, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE budgets (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE drained (one INTEGER PRIMARY KEY CHECK (one = 1), entry TEXT NOT NULL) STRICT;
"""

# Later than version 1, and of no matter to a gateway that does not know it.
_INDEX_OF_USERS: Final = "CREATE INDEX IF NOT EXISTS requests_user ON requests (user, started_ms)"

# Version 0: one row per call, execution keys only. What a dead gateway left open there has no
# reservation, and is booked as it is.
_FROM_0: Final = """
INSERT INTO requests
  SELECT id, 1, execution, execution || '/' || attempt, 'execution', '', agent, execution, attempt,
  correlation, session, '[]', provider, model, '', started_ms,
  CASE WHEN open THEN started_ms ELSE ended_ms END, 0, reported, estimated,
  CASE WHEN open THEN 'gateway_died' ELSE outcome END, provider_request, input, output, cache_read,
  cache_write_5m, cache_write_1h, web_searches, 0, '', cost_nanos, '' FROM requests_0;
INSERT INTO sums
  SELECT 'account:' || account, sum(cost_nanos),
  sum(input + output + cache_read + cache_write_5m + cache_write_1h),
  sum(cost_nanos > 0 OR input + output + cache_read + cache_write_5m + cache_write_1h > 0),
  max(cost_nanos) FROM requests GROUP BY account;
DROP TABLE requests_0;
"""

_TERMS: Final = "ALTER TABLE requests ADD COLUMN terms TEXT NOT NULL DEFAULT '';"
# Before that column, what no provider was asked for was booked as a cut of the first candidate: a
# real cut has a report or is an estimate.
_NEVER_SENT: Final = """
UPDATE requests SET outcome = 'circuit_open', provider = '', credential = ''
WHERE outcome = 'provider_cut' AND NOT open AND NOT reported AND NOT estimated AND cost_nanos = 0
  AND provider_request = '';
"""


class NewerSchemaError(StorageError):
    """The file was written by a newer gateway."""


def make_schema(connection: sqlite3.Connection) -> None:
    """Makes the tables, or brings those of an earlier version up to date, all or nothing.

    Raises NewerSchemaError.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerSchemaError(
            f"The ledger has version {version}, this gateway knows {VERSION}: use a newer gateway."
        )
    if version == VERSION:
        connection.execute(_INDEX_OF_USERS)
        _add_terms(connection)
        return
    had_rows = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'requests'"
    ).fetchone()[0]
    before, after = "", ""
    if had_rows:
        before = (
            "DROP INDEX IF EXISTS requests_execution; DROP INDEX IF EXISTS requests_agent; "
            "DROP INDEX IF EXISTS requests_open; ALTER TABLE requests RENAME TO requests_0;"
        )
        after = _FROM_0
    connection.executescript(
        f"BEGIN IMMEDIATE; {before} {TABLES} {after} {_NEVER_SENT} {_INDEX_OF_USERS}; "
        f"PRAGMA user_version = {VERSION}; COMMIT;"
    )


def _add_terms(connection: sqlite3.Connection) -> None:
    """Adds the column that version 1 got later; a gateway that does not know it leaves it empty.

    With it the rows of requests that were never sent are told from those that were cut.
    """
    known = {str(row[1]) for row in connection.execute("PRAGMA table_info(requests)")}
    if "terms" not in known:
        connection.executescript(f"BEGIN IMMEDIATE; {_TERMS} {_NEVER_SENT} COMMIT;")
