"""A user who is forgotten: no row has the name any more, and no sum is another one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.reports.forgetting import Forgetting, Forgotten
from heliostat_gateway.storage import Storage
from support.ledger_rows import Row, book


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = Storage(tmp_path)
    yield opened
    opened.close()


async def sums(storage: Storage) -> dict[str, int]:
    rows = await storage.run(
        lambda db: db.execute("SELECT user, sum(cost_nanos) FROM requests GROUP BY user").fetchall()
    )
    return {user: cost for user, cost in rows}


async def test_names_go_and_sums_stay(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await book(ledger, [Row(1, user="ann", cost=5), Row(2, user="bob"), Row(3, user="ann")])
    assert await sums(storage) == {"ann": 1005, "bob": 1000}
    before = await ledger.execution("e1")
    assert await Forgetting(storage).forget("ann") == Forgotten(rows=2, open=0)
    assert await sums(storage) == {"": 1005, "bob": 1000}
    assert await ledger.execution("e1") == before
    assert await Forgetting(storage).forget("ann") == Forgotten(rows=0, open=0)


async def test_what_was_booked_on_a_persons_keys_names_nobody(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await book(ledger, [Row(1, user="ann"), Row(2, user="bob")])
    written = "UPDATE requests SET user = ?, key = ?, account = ?, budgets = ? WHERE started_ms = ?"
    budgets = '["guests@all","person-ann@2026-11-22","person-ann-2@all"]'
    others = ("ann-2", "ann-2/talk", "person/ann-2", budgets)
    await storage.run(lambda db: db.execute(written, ("ann", "ann/talk", "person/ann", budgets, 1)))
    await storage.run(lambda db: db.execute(written, (*others, 2)))
    await Forgetting(storage).forget("ann")
    columns = "SELECT user, key, account, budgets FROM requests ORDER BY started_ms"
    rows = await storage.run(lambda db: db.execute(columns).fetchall())
    assert rows == [("", "talk", "", '["guests@all","person-ann-2@all"]'), others]


async def test_an_open_request_is_told_of_and_forgotten_the_next_time(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await book(ledger, [Row(1, user="ann", is_open=True)])
    assert await Forgetting(storage).forget("ann") == Forgotten(rows=0, open=1)
    await storage.run(lambda db: db.execute("UPDATE requests SET open = 0"))
    assert await Forgetting(storage).forget("ann") == Forgotten(rows=1, open=0)
