"""A ledger of an earlier gateway goes on where it stopped."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from heliostat_gateway.money.bookings import CapReachedError, Iteration, Terms, Usage
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.rows import DIED
from heliostat_gateway.money.schema import TABLES, VERSION, NewerSchemaError
from heliostat_gateway.redis_state.requests import BOOKINGS
from heliostat_gateway.storage import Storage
from support.ledgers import booking, holder, opening

OLD = """
CREATE TABLE requests (
  id TEXT PRIMARY KEY, execution TEXT NOT NULL, attempt INTEGER NOT NULL, agent TEXT NOT NULL,
  correlation TEXT NOT NULL, session TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  started_ms INTEGER NOT NULL, ended_ms INTEGER, open INTEGER NOT NULL,
  reported INTEGER NOT NULL, estimated INTEGER NOT NULL, outcome TEXT NOT NULL,
  provider_request TEXT NOT NULL DEFAULT '',
  input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
  web_searches INTEGER NOT NULL, cost_nanos INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_execution ON requests (execution);
CREATE INDEX requests_agent ON requests (agent, cost_nanos);
CREATE INDEX requests_open ON requests (id) WHERE open;
INSERT INTO requests VALUES
 ('1', 'uid', 1, 'default/a', 'c', 's', 'scripted', 'm', 5, 6, 0, 1, 0, 'answered', 'r',
  10, 2, 0, 0, 0, 0, 70),
 ('2', 'uid', 2, 'default/a', 'c', 's', 'scripted', 'm', 7, NULL, 1, 0, 1, 'open', '',
  20, 0, 0, 0, 0, 0, 30);
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.executescript(OLD)
    connection.close()
    return tmp_path


async def test_rows_of_version_0_keep_their_money(old: Path) -> None:
    storage = Storage(old)
    ledger = SqliteLedger(storage)
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled, total.estimated) == (
        100,
        2,
        True,
        True,
    )
    assert [(one.attempt, one.cost_nanos) for one in total.attempts] == [(1, 70), (2, 30)]
    assert await ledger.agent("default/a") == (100, 2)
    [left_open] = await ledger.request("2")
    assert (left_open.ended_ms, left_open.booking.outcome) == (7, DIED)
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("3", holder(cap=100)))
    assert caught.value.spent == 100
    storage.close()


def test_a_file_is_brought_up_to_date_once(old: Path) -> None:
    for _ in range(2):
        storage = Storage(old)
        SqliteLedger(storage)
        (version,) = storage.run_now(lambda c: c.execute("PRAGMA user_version").fetchone())
        assert version == VERSION
        storage.close()


def test_the_files_of_gateways_in_the_field_are_taken_as_they_are(tmp_path: Path) -> None:
    """They have version 1."""
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.executescript(f"{TABLES} PRAGMA user_version = 1;")
    connection.execute("INSERT INTO sums VALUES ('account:a', 7, 0, 1, 7)")
    connection.commit()
    connection.close()
    storage = Storage(tmp_path)
    SqliteLedger(storage)
    found = storage.run_now(lambda c: c.execute("SELECT nanos FROM sums").fetchall())
    assert found == [(7,)]
    storage.close()


def test_a_file_of_a_newer_gateway_is_left_alone(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.run_now(lambda connection: connection.execute("PRAGMA user_version = 99"))
    with pytest.raises(NewerSchemaError, match="99"):
        SqliteLedger(storage)
    storage.close()


async def test_a_file_without_the_terms_of_answers_gets_their_column(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    await ledger.settle([booking("1", 70)], 2)
    storage.run_now(lambda connection: connection.execute("ALTER TABLE requests DROP terms"))
    again = SqliteLedger(storage)
    (row,) = await again.request("1")
    assert row.booking == booking("1", 70)
    terms = Terms("flex", "us", (("input_audio", 3),), (Iteration("compaction", "m", 5),), "0.5")
    usage = Usage(input=9, output=1, terms=replace(terms, unpriced=("speed=warp",)))
    await again.open(opening("2", holder()))
    await again.settle([replace(booking("2", 9), usage=usage)], 3)
    (row,) = await again.request("2")
    assert row.booking.usage == usage
    assert BOOKINGS.validate_json(orjson.dumps([row.booking])) == [row.booking]
    storage.close()


async def test_requests_that_were_never_sent_are_told_from_those_that_were_cut(
    tmp_path: Path,
) -> None:
    """Both were booked as cuts of the first candidate; a cut has a report or is an estimate."""
    storage = Storage(tmp_path)
    ledger = SqliteLedger(storage)
    never = replace(booking("1", 0), usage=Usage(), reported=False, outcome="provider_cut")
    never = replace(never, provider_request="")
    cut = replace(booking("2", 7, estimated=True), outcome="provider_cut")
    silent = replace(never, id="3", estimated=True)  # nothing was heard of it
    for one in (never, cut, silent):
        await ledger.open(opening(one.id, holder()))
        await ledger.settle([one], 2)
    storage.run_now(lambda connection: connection.execute("ALTER TABLE requests DROP terms"))
    again = SqliteLedger(storage)
    found = [row.booking for name in "123" for row in await again.request(name)]
    sent = replace(never, outcome="circuit_open", provider="", credential="")
    assert found == [sent, cut, silent]
    storage.close()
