"""The ledger: written ahead, settled once, capped, and booked when its gateway died."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.access.keyring import Revocations
from heliostat_gateway.money.bookings import (
    AttemptTotal,
    Booking,
    Bound,
    CapReachedError,
    ExecutionTotal,
    Iteration,
    LedgerMode,
    LedgerRow,
    LedgerState,
    Terms,
    UnknownBudgetError,
    Usage,
    first_booking,
    head_of,
    sum_usages,
    turns_of,
)
from heliostat_gateway.money.budgets import Budget, BudgetPeriod
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.money.rows import read_rows, settled_sum, write_settled
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


# ---- rows ----------------------------------------------------------------------------------------

COUNTS = Usage(1, 2, 3, 4, 5, 6, 7, "fast")
ODD = Booking("1", 1, "vertex", "opus", "key-2", COUNTS, 8, True, False, "cut", "req-9")
TERMED = replace(
    ODD,
    part=2,
    provider="bedrock",
    usage=replace(COUNTS, terms=Terms("flex", "us", (("input_audio", 3),), (Iteration("x"),))),
    reported=False,
    estimated=True,
)


@pytest.mark.parametrize("ended", [None, 9])
async def test_what_is_written_of_a_part_is_read_again(storage: Storage, ended: int | None) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", run("uid", Caps()), started_ms=4))
    if ended is None:
        await ledger.note([TERMED, ODD])
    else:
        await ledger.settle([TERMED, ODD], ended)
    assert await ledger.request("1") == [
        LedgerRow("uid/1", 4, ended, part) for part in (ODD, TERMED)
    ]
    assert await ledger.request("2") == []


async def test_the_sum_of_an_execution_has_all_its_parts(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", run("uid", Caps())))
    await ledger.open(opening("2", run("uid", Caps(), attempt=3), started_ms=7))
    await ledger.settle([ODD, TERMED], 9)
    await ledger.settle([replace(ODD, id="2", model="haiku")], 9)
    three_parts = Usage(3, 6, 9, 12, 15, 18, 21)
    assert await ledger.execution("uid") == ExecutionTotal(
        cost_nanos=24,
        requests=2,
        settled=True,
        estimated=True,
        usage=three_parts,
        provider="vertex",
        model="haiku",
        attempts=(AttemptTotal(1, 16, 1), AttemptTotal(3, 8, 1)),
    )


async def test_an_execution_without_calls_has_no_sums(storage: Storage) -> None:
    assert await SqliteLedger(storage).execution("nobody") == ExecutionTotal()
    assert await SqliteLedger(storage).agent("nobody") == (0, 0)


def test_a_ledger_of_its_own_serves_one_gateway_and_waits_for_nothing(storage: Storage) -> None:
    state = SqliteLedger(storage).state()
    assert state == LedgerState(LedgerMode.EMBEDDED, spooled=0, gateways=1, outages=0, reason="")


def test_the_row_that_is_written_ahead_is_an_estimate() -> None:
    asked = replace(opening("1", run("uid", Caps()), cost=70, size=9), credential="key-2")
    assert first_booking(asked) == Booking(
        "1", 1, "scripted", "m", "key-2", Usage(input=9), 70, False, True, "open"
    )
    assert (first_booking(asked).provider_request, opening("1", holder()).credential) == ("", "")


def test_the_head_of_a_request_says_whose_it_is() -> None:
    asked = replace(opening("1", run("uid", Caps(), attempt=2), started_ms=5), session="s")
    head = head_of(asked, ("account:uid",))
    assert (head.id, head.account, head.key, head.kind) == ("1", "uid", "uid/2", "execution")
    assert (head.user, head.agent, head.execution, head.attempt) == (
        "user",
        "default/a",
        "uid",
        2,
    )
    assert (head.session, head.started_ms, head.counted) == ("s", 5, ("account:uid",))


def test_tokens_are_summed_by_kind() -> None:
    assert sum_usages([TERMED.usage]) is TERMED.usage
    assert sum_usages([COUNTS, TERMED.usage]) == Usage(2, 4, 6, 8, 10, 12, 14)
    assert sum_usages([]) == Usage()
    assert (COUNTS.total_input, COUNTS.total) == (1 + 3 + 4 + 5, 1 + 2 + 3 + 4 + 5)


@pytest.mark.parametrize(
    ("cost", "usage", "turns"),
    [(0, Usage(), 0), (1, Usage(), 1), (0, Usage(input=1), 1), (0, Usage(output=1), 1)],
)
def test_a_request_that_used_anything_is_one_turn(cost: int, usage: Usage, turns: int) -> None:
    free = booking("1", 0, usage=Usage())
    assert turns_of([free, booking("1", cost, usage=usage, part=2)]) == turns


# ---- open calls ----------------------------------------------------------------------------------


async def left(ledger: SqliteLedger) -> int:
    """Nano-dollars that are neither spent nor held."""
    (total,) = await ledger.budgets(5)
    assert total.budget.cap_nanos is not None
    return total.budget.cap_nanos - total.spent_nanos


@pytest.mark.parametrize(
    ("strict", "reported", "held"), [(False, True, 35), (False, False, 100), (True, True, 100)]
)
async def test_a_report_gives_back_what_a_plain_key_does_not_need(
    storage: Storage, strict: bool, reported: bool, held: int
) -> None:
    ledger = SqliteLedger(storage)
    await ledger.put_budget(Budget("team", cap_nanos=1000))
    who = service("one", Caps(strict=strict), budgets=("team",))
    bound = Bound(input_tokens=10, input_nanos=100, max_tokens=0, output_rate=0)
    asked = opening("1", who, bound=bound)
    estimate = replace(asked.estimate, output_nanos=5)
    await ledger.open(replace(asked, estimate=estimate))
    assert await left(ledger) == 900
    await ledger.note([booking("1", 30, reported=reported)])
    assert await left(ledger) == 1000 - held
    (total,) = await ledger.budgets(5)
    assert total.spent_tokens == (7 if held == 35 else 10)


async def test_the_last_part_says_whether_the_input_is_known(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.put_budget(Budget("team", cap_nanos=1000))
    await ledger.open(opening("1", service("one", Caps(), budgets=("team",))))
    await ledger.note([booking("1", 10), booking("1", 20, part=2, reported=False)])
    assert await left(ledger) == 900
    await ledger.note([booking("1", 20, part=2)])
    assert await left(ledger) == 970


async def test_one_note_may_be_about_several_requests(storage: Storage) -> None:
    """One of them may be settled already."""
    ledger = SqliteLedger(storage)
    for name in ("1", "2", "3"):
        await ledger.open(opening(name, run(f"uid-{name}", Caps())))
    await ledger.settle([booking("1", 7)], 2)
    await ledger.note([booking("3", 50), booking("1", 99), booking("2", 60)])
    found = [(await ledger.execution(f"uid-{name}")).cost_nanos for name in ("1", "2", "3")]
    assert found == [7, 60, 50]
    await ledger.settle([booking("3", 5), booking("1", 99), booking("2", 6)], 3)
    found = [(await ledger.execution(f"uid-{name}")).cost_nanos for name in ("1", "2", "3")]
    assert found == [7, 6, 5]


async def test_what_a_dead_gateway_left_says_so(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    await ledger.open(opening("1", holder()))
    await ledger.note([booking("1", 60)])
    ledger.recover(9)
    [row] = await ledger.request("1")
    assert (row.booking.outcome, row.booking.estimated, row.ended_ms) == ("gateway_died", True, 9)
    assert row.booking == replace(booking("1", 60), outcome="gateway_died", estimated=True)


async def test_a_budget_that_is_defined_anew_keeps_what_is_spent(storage: Storage) -> None:
    ledger = SqliteLedger(storage)
    for cap in (100, 500):
        await ledger.put_budget(Budget("team", cap_nanos=cap))
        await ledger.open(opening(str(cap), service("one", Caps(), budgets=("team",)), cost=100))
    assert await left(ledger) == 300
    found = await ledger.budget("team", 5)
    assert found is not None
    assert (found.budget.cap_nanos, found.spent_nanos) == (500, 200)
    assert await ledger.budget("nobody", 5) is None


# ---- what gateways bring later -------------------------------------------------------------------


def test_the_word_of_a_gateway_that_seemed_dead_replaces_what_was_booked_for_it(
    storage: Storage,
) -> None:
    SqliteLedger(storage)
    head = head_of(opening("1", run("uid", Caps())), ("account:uid", "budget:team@all"))
    died = [replace(ODD, outcome="gateway_died"), replace(TERMED, outcome="gateway_died")]
    word = [ODD, replace(TERMED, cost_nanos=5, outcome="answered")]

    def write(parts: list[Booking]) -> tuple[bool, int, list[str]]:
        done = storage.run_now(lambda connection: write_settled(connection, head, parts, 3))
        sums = storage.run_now(
            lambda connection: [settled_sum(connection, key) for key in head.counted]
        )
        assert sums[0] == sums[1]
        rows = storage.run_now(lambda connection: read_rows(connection, "1"))
        return done, sums[0].nanos, [row.booking.outcome for row in rows]

    assert write(died) == (True, 16, ["gateway_died"] * 2)
    assert write(died) == (False, 16, ["gateway_died"] * 2)
    assert write(word) == (True, 13, ["cut", "answered"])
    assert write(died) == (False, 13, ["cut", "answered"])
    assert write(word) == (False, 13, ["cut", "answered"])
