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


async def test_an_open_request_is_told_of_and_forgotten_the_next_time(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await book(ledger, [Row(1, user="ann", is_open=True)])
    assert await Forgetting(storage).forget("ann") == Forgotten(rows=0, open=1)
    await storage.run(lambda db: db.execute("UPDATE requests SET open = 0"))
    assert await Forgetting(storage).forget("ann") == Forgotten(rows=1, open=0)
