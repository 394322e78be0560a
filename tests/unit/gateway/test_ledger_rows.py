"""The ledger: written ahead, settled once, capped, and booked when its gateway died."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.access.keyring import Revocations
from heliostat_gateway.money.bookings import CapReachedError, UnknownBudgetError, Usage
from heliostat_gateway.money.budgets import Budget, BudgetPeriod
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.storage import Storage, StorageError
from support.ledgers import booking, holder, opening, run, service

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


async def test_sums_follow_the_rows(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.settled, total.requests) == (100, False, 1)
    await ledger.settle([booking("1", 70)], 2)
    await ledger.open(opening("2", holder(attempt=2)))
    await ledger.settle([booking("2", 30, estimated=True)], 3)
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.settled, total.estimated) == (100, True, True)
    assert total.usage == Usage(input=10, output=4)
    assert [(a.attempt, a.cost_nanos, a.requests) for a in total.attempts] == [
        (1, 70, 1),
        (2, 30, 1),
    ]
    assert await ledger.agent("default/a") == (100, 2)


async def test_an_execution_without_calls_is_all_zeros(storage: Storage) -> None:
    total = await SqliteLedger(storage).execution("nobody")
    assert (total.cost_nanos, total.settled, total.estimated, total.model) == (0, True, False, None)


async def test_a_note_that_comes_after_the_settlement_changes_nothing(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    await ledger.settle([booking("1", 70)], 2)
    await ledger.note([booking("1", 5)])
    assert (await ledger.execution("uid")).cost_nanos == 70


async def test_a_token_cap_counts_what_came_from_the_cache_and_went_into_it(
    storage: Storage,
) -> None:
    ledger = SqliteLedger(storage)
    who = run("uid", Caps(tokens=31))
    await ledger.open(opening("1", who))
    usage = Usage(input=1, output=2, cache_read=4, cache_write_5m=8, cache_write_1h=16)
    await ledger.settle([booking("1", 5, usage=usage)], 2)
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("2", who))
    assert (caught.value.what, caught.value.spent) == ("tokens", 31)


async def test_all_attempts_share_one_cost_cap(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder(cap=200)))
    await ledger.settle([booking("1", 200)], 2)
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("2", holder(cap=200, attempt=2)))
    assert (caught.value.what, caught.value.cap, caught.value.spent) == ("cost", 200, 200)
    assert (await ledger.execution("uid")).requests == 1


async def test_the_token_cap_counts_every_kind(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder(tokens=7)))
    await ledger.settle([booking("1", 1)], 2)
    with pytest.raises(CapReachedError, match="tokens"):
        await ledger.open(opening("2", holder(tokens=7)))


async def test_parallel_calls_reserve_before_they_are_made(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    results = await asyncio.gather(
        *(ledger.open(opening(str(n), holder(cap=1000))) for n in range(200)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, CapReachedError)]
    assert (len(results), len(refused)) == (200, 190)


async def test_an_unreported_call_counts_at_most_as_the_dearest_settled_one(
    storage: Storage,
) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder(cap=1000)))
    await ledger.settle([booking("1", 50)], 2)
    await ledger.open(opening("2", holder(cap=1000), cost=5000))  # a long, cached conversation
    await ledger.open(opening("3", holder(cap=1000), cost=5000))
    await ledger.note([booking("2", 950)])
    with pytest.raises(CapReachedError):
        await ledger.open(opening("4", holder(cap=1000)))


async def test_free_answers_do_not_make_reservations_free(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder(cap=150)))
    await ledger.settle([booking("1", 0)], 2)
    await ledger.open(opening("2", holder(cap=150)))
    await ledger.open(opening("3", holder(cap=150)))
    with pytest.raises(CapReachedError):
        await ledger.open(opening("4", holder(cap=150)))


async def test_what_a_dead_gateway_left_open_is_booked_as_estimated(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder(), cost=40))
    await ledger.open(opening("2", holder(), cost=40))
    await ledger.note([booking("2", 60)])
    storage.close()
    storage = Storage(tmp_path)
    ledger = SqliteLedger(storage)
    assert (ledger.recover(9), ledger.recover(9)) == (2, 0)
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.settled, total.estimated) == (100, True, True)
    storage.close()


def test_one_ledger_has_one_writer(tmp_path: Path, storage: Storage) -> None:
    assert storage
    with pytest.raises(StorageError, match="in use by another gateway"):
        Storage(tmp_path)


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="HELIOSTAT_GATEWAY_DATA_DIR"):
        Storage(tmp_path / "file" / "data")


async def test_revocations_are_kept_until_expiry(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    await Revocations(storage).add("uid/1", 1000, now=500)
    storage.close()
    storage = Storage(tmp_path)
    revocations = Revocations(storage)
    assert "uid/1" in revocations
    await revocations.add("uid/2", 9000, now=5000)
    assert ("uid/1" in revocations, "uid/2" in revocations) == (False, True)
    storage.close()


async def test_one_failing_job_undoes_nothing_of_the_others(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    results = await asyncio.gather(
        ledger.open(opening("1", holder())),
        ledger.open(opening("2", holder(cap=0))),
        ledger.open(opening("3", holder())),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == [
        "Reserved",
        "CapReachedError",
        "Reserved",
    ]
    assert (await ledger.execution("uid")).requests == 2


async def test_parts_of_one_request_are_rows_of_their_own(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    parts = [booking("1", 30, estimated=True), replace(booking("1", 40, part=2), provider="other")]
    await ledger.note(parts)
    await ledger.settle(parts, 2)
    await ledger.settle([booking("1", 999)], 3)
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.requests, total.provider) == (70, 1, "other")
    assert await ledger.agent("default/a") == (70, 1)


async def test_a_part_that_was_noted_and_proved_free_is_no_row(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    under_way = booking("1", 50, part=2, estimated=True, outcome="open")
    await ledger.note([booking("1", 30, estimated=True), under_way])
    await ledger.settle([booking("1", 30, estimated=True)], 5)  # the second provider refused
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.requests, total.settled) == (30, 1, True)


async def test_a_request_that_used_nothing_gives_its_turn_back(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    who = run("uid", Caps(turns=1))
    await ledger.open(opening("1", who))
    with pytest.raises(CapReachedError, match="turns"):
        await ledger.open(opening("2", who))
    await ledger.settle([booking("1", 0, usage=Usage())], 2)
    await ledger.open(opening("2", who))
    await ledger.settle([booking("2", 5)], 3)
    with pytest.raises(CapReachedError, match="turns"):
        await ledger.open(opening("3", who))


async def test_an_opening_whose_caller_went_is_taken_back(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    task = asyncio.create_task(ledger.open(opening("1", holder())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while (await ledger.execution("uid")).requests:
            await asyncio.sleep(0.01)


async def test_a_budget_is_shared_by_keys_and_starts_anew(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    budget = Budget("team", cap_nanos=100, period=BudgetPeriod.DAY)
    await ledger.put_budget(budget)
    one, two = (service(name, Caps(), budgets=("team",)) for name in ("one", "two"))
    await ledger.open(opening("1", one))
    with pytest.raises(CapReachedError) as caught:
        await ledger.open(opening("2", two))
    assert (caught.value.budget, caught.value.until_ms) == ("team", DAY_MS)
    await ledger.settle([booking("1", 60)], 2)
    (total,) = await ledger.budgets(5)
    assert (total.budget, total.spent_nanos, total.spent_tokens) == (budget, 60, 7)
    await ledger.open(opening("3", two, started_ms=DAY_MS))
    assert [one.spent_nanos for one in await ledger.budgets(DAY_MS)] == [100]


async def test_a_key_with_a_budget_that_nobody_defined_is_refused(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.put_budget(Budget("team", cap_nanos=100))
    assert (await ledger.drop_budget("team"), await ledger.drop_budget("team")) == (True, False)
    with pytest.raises(UnknownBudgetError, match="team"):
        await ledger.open(opening("1", service("one", Caps(), budgets=("team",))))


async def test_a_part_that_the_last_word_leaves_out_is_not_booked(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    await ledger.note([booking("1", 30), booking("1", 40, part=2)])
    await ledger.settle([booking("1", 35)], 2)
    total = await ledger.execution("uid")
    assert (total.cost_nanos, total.settled) == (35, True)
