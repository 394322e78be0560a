"""The proof: thousands of random requests, and the ledger equals the provider's bill.

Two gateways and a writer on one real Redis, providers of three dialects, callers of two; faults,
fallbacks, clients that leave; Redis is killed and started again, so is each gateway, one of them
while Redis is away. A failing run is repeated with the seed that it prints:
HELIOSTAT_PROOF_SEED=N HELIOSTAT_PROOF_REQUESTS=5000.
"""

import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

from heliostat_gateway.money.rows import DIED
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.scripts import MONEY
from support.redis_server import RedisServer

from .gateway_process import GatewayProcess
from .proof_books import (
    Charge,
    LedgerRow,
    by_request,
    out_of_bounds,
    read_charges,
    read_rows,
    unequal,
)
from .proof_callers import BillTail, Callers, Ending, Told
from .proof_requests import Leaving, random_requests
from .proof_script import PROVIDERS, Account, write_script
from .proof_stage import DEADLINE_SECONDS, Stage, run_stage

REQUESTS = int(os.environ.get("HELIOSTAT_PROOF_REQUESTS", "5000"))
SEED = int(os.environ.get("HELIOSTAT_PROOF_SEED", "20261122"))
AT_ONCE = 64
ENOUGH = 2000  # from which on something is under way whenever a gateway is killed
STRICT_MICROS = 250_000
ACCOUNTS = [
    *(Account(f"run{number}") for number in range(10)),
    Account("capped-cost", weight=3, cap_nanos=700_000_000),
    Account("capped-tokens", weight=3, cap_tokens=150_000),
    Account("team", is_execution=False, key={"budgets": ["all", "team"]}),
    Account("daily", weight=3, is_execution=False, key={"budgets": ["all", "daily"]}),
    Account("turns", weight=3, is_execution=False, key={"caps": {"maxTurns": 40}}),
    Account(
        "strict",
        weight=4,
        is_execution=False,
        key={"caps": {"maxCostMicros": STRICT_MICROS, "strict": True}, "budgets": ["all"]},
        is_strict=True,
    ),
]
DAILY_NANOS = 900_000_000
BUDGETS: dict[str, dict[str, object]] = {
    "all": {"capNanos": 10**13, "period": "none"},
    "team": {"capNanos": 10**13, "period": "month", "timeZone": "Europe/Berlin"},
    "daily": {"capNanos": DAILY_NANOS, "period": "day"},
}


async def make_keys(gateway: GatewayProcess) -> tuple[dict[tuple[str, int], str], dict[str, str]]:
    """Keys by account and attempt, and the id of each service key."""
    headers = gateway.admin_headers()
    for name, budget in BUDGETS.items():
        path = f"/admin/budgets/{name}"
        made = await gateway.ask(path, method="PUT", document=budget, headers=headers)
        assert made.status == 200, made.text
    keys: dict[tuple[str, int], str] = {}
    ids: dict[str, str] = {}
    for account in ACCOUNTS:
        if account.is_execution:
            for attempt in (1, 2):
                keys[account.name, attempt] = gateway.key(
                    account.name,
                    attempt=attempt,
                    cap=account.cap_nanos,
                    tokens=account.cap_tokens,
                )
            continue
        wanted = {"name": account.name, "kind": "service", **account.key}
        made = await gateway.ask("/admin/keys", document=wanted, headers=headers)
        assert made.status == 201, made.text
        issued = json.loads(made.body)
        ids[account.name] = issued["details"]["id"]
        keys |= {(account.name, attempt): issued["key"] for attempt in (1, 2)}
    return keys, ids


async def break_things(stage: Stage, callers: Callers) -> None:
    """Redis dies, and a gateway while it is away; later the other gateway. Early, for what a dead
    gateway left is booked after its lease.
    """
    await callers.until_done(REQUESTS * 15 // 100)
    await asyncio.to_thread(stage.redis.kill)
    await asyncio.gather(*(stage.until_ledger(index, local=True) for index in (0, 1)))
    await callers.until_done(len(callers.told) + REQUESTS // 50)
    await stage.kill_gateway(1)
    await asyncio.to_thread(stage.redis.start)
    await stage.start_gateway(1)
    await asyncio.gather(*(stage.until_ledger(index, local=False) for index in (0, 1)))
    await callers.until_done(REQUESTS * 30 // 100)
    await stage.kill_gateway(0)
    await stage.start_gateway(0)


async def until_nothing_is_open(stage: Stage) -> None:
    """Waits until every call has ended, and every reservation and record is a row."""
    async with asyncio.timeout(DEADLINE_SECONDS), open_redis(stage.redis.url) as redis:
        for gateway in stage.gateways:
            while b"heliostat_gateway_open_calls 0.0" not in await gateway.get("/metrics"):
                await asyncio.sleep(0.05)
        while await redis.keys(f"{MONEY}request:*") or await redis.xlen(f"{MONEY}records"):
            await asyncio.sleep(0.1)
    for gateway in stage.gateways:
        assert [*(gateway.folder / "data" / "spool").glob("*")] == []


async def test_the_ledger_equals_the_bill(redis_server: RedisServer, tmp_path: Path) -> None:
    say(f"seed {SEED}, {REQUESTS} requests")
    chance = Random(SEED)
    write_script(tmp_path, ACCOUNTS, chance)
    requests = random_requests(REQUESTS, ACCOUNTS, chance)
    with run_stage(tmp_path, redis_server, HELIOSTAT_GATEWAY_BREAKER_MINIMUM="40") as stage:
        for index in (0, 1):
            await stage.until_ledger(index, local=False)
        keys, ids = await make_keys(stage.gateways[0])
        bill = BillTail(stage.providers.bill_file)
        callers = Callers(stage.urls, keys, bill)
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(bill.follow())
            breaking = tasks.create_task(break_things(stage, callers))
            await callers.run(requests, AT_ONCE)
            await breaking
            following.cancel()
        ended = time.monotonic()
        await until_nothing_is_open(stage)
        say(f"requests {ended - began:.1f} s, their end {time.monotonic() - ended:.1f} s")
        bill.read()
        rows = read_rows(stage.rows)
        check_requests(callers.told, rows, read_charges(bill.latest.values()))
        for gateway in stage.gateways:
            await check_sums(gateway, rows)
        check_limits(rows, ids)


def check_requests(
    told: list[Told], rows: list[LedgerRow], charges: dict[str, list[Charge]]
) -> None:
    """Each request by itself: its rows are its entries on the bill."""
    found = by_request(rows)
    died = {row.name for row in rows if row.outcome == DIED}
    left = {each.wanted.name for each in told if left_anywhere(each)}
    broken = {each.wanted.name for each in told if each.ending is Ending.BROKEN}
    unseen = died | left | broken
    problems: list[str] = []
    for each in told:
        name = each.wanted.name
        own, theirs = found.get(name, []), charges.get(name, [])
        judge = out_of_bounds if name in unseen else unequal
        words = [judge(own, theirs), misplaced(each, own)]
        problems += [f"{each}: {word}; {own}" for word in words if word]
    ledger, billed = sum_of(rows), sum(one.nanos for each in charges.values() for one in each)
    apart = sum(
        sum(one.nanos for one in charges.get(name, [])) - sum_of(found.get(name, []))
        for name in unseen
    )
    say(
        f"ledger {ledger}, bill {billed}; apart by {apart} in {len(died | broken)} requests of "
        f"killed gateways and {len(left)} whose client left while bytes were moving\n"
        f"{len(rows)} rows, {sum(row.charge.estimated for row in rows)} of them estimated; "
        f"outcomes {dict(Counter(row.outcome for row in rows))}\n"
        f"endings {dict(Counter(each.ending.value for each in told))}, "
        f"{sum(each.is_refused for each in told)} refused by the gateway"
    )
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:10])
    assert billed - ledger == apart
    assert {*found} | {*charges} <= {each.wanted.name for each in told}
    # What the proof speaks of did happen.
    assert died or REQUESTS < ENOUGH
    assert broken or REQUESTS < ENOUGH
    assert any(row.part > 1 for row in rows)
    assert {row.charge.provider for row in rows} >= {*PROVIDERS.values()}


def misplaced(told: Told, rows: list[LedgerRow]) -> str:
    """What is wrong with the rows of one request, whatever they cost; empty when nothing is."""
    ids = {row.request for row in rows}
    if any(row.open for row in rows):
        return "a row is open"
    if [row.part for row in rows] != [*range(1, len(rows) + 1)]:
        return "its parts are not numbered"
    if told.is_refused or told.ending is not Ending.TOLD:
        return "" if len(ids) <= 1 else f"it is there {len(ids)} times"
    return "" if ids == {told.request} else f"it was told as {told.request}"


async def check_sums(gateway: GatewayProcess, rows: list[LedgerRow]) -> None:
    """The sums that a gateway tells are those of the rows."""
    for account in ACCOUNTS:
        if account.is_execution:
            own = [row for row in rows if row.execution == account.name]
            cost = await gateway.cost(account.name)
            assert (cost.cost_nanos, cost.settled) == (sum_of(own), True)
            assert cost.requests == len({row.request for row in own})
            assert cost.estimated == any(row.charge.estimated for row in own)
            tokens = [sum(row.charge.tokens[kind] for row in own) for kind in range(5)]
            assert [*cost.usage.values()] == [*tokens[:3], tokens[3] + tokens[4]]
    agent = json.loads(await gateway.get("/admin/agents/default/tester"))
    assert agent["costNanos"] == sum_of([row for row in rows if row.execution])
    budgets = json.loads(await gateway.get("/admin/budgets"))["budgets"]
    spent = {budget["name"]: budget["spentNanos"] for budget in budgets}
    # In the ledger a budget's name has its period behind it.
    assert spent["all"] == sum_of([row for row in rows if '"all' in row.budgets])


def check_limits(rows: list[LedgerRow], ids: dict[str, str]) -> None:
    """A strict cap is not passed; a plain one by no more than the calls in flight cost."""
    spent = {name: sum_of([row for row in rows if row.account == ids[name]]) for name in ids}
    assert 0 < spent["strict"] <= STRICT_MICROS * 1000
    dearest = max(row.charge.nanos for row in rows)
    assert spent["daily"] <= DAILY_NANOS + AT_ONCE * dearest


def left_anywhere(told: Told) -> bool:
    return told.ending is Ending.LEFT and told.wanted.leaving is Leaving.ANYWHERE


def sum_of(rows: list[LedgerRow]) -> int:
    return sum(row.charge.nanos for row in rows)


def say(words: str) -> None:
    print(words)  # noqa: T201
