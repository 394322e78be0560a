"""Caps and budgets over HTTP on two gateways and one Redis: how far, how said, how sent."""

import asyncio
import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.scripts import MONEY
from heliostat_gateway.reports.exports import columns_of
from heliostat_scripted.bill import BillEntry
from support.redis_server import NoRedisError, run_redis

from .gateway_process import Reply
from .proof_books import LedgerRow, read_rows
from .proof_stage import DEADLINE_SECONDS, Stage, run_stage

COST_NANOS = 1_000_000
CALLS = 200
FOR = 50
# 100 tokens in and 60 out at these prices cost a thousandth of a dollar, as those of `even` do.
PRICES = {"input": "4", "output": "10", "cacheRead": "1", "cacheWrite5m": "4", "cacheWrite1h": "4"}
SCENARIO = {
    "description": "Costs the same each time.",
    "prices": PRICES,
    "turns": [
        {
            "name": "refused",
            "when": {"said": "refuse"},
            "fault": {"name": "500"},
        },
        {
            "name": "long",
            "when": {"said": "long"},
            "steps": [{"text": "On and on. " * 1000}],
            "usage": {"input": 5, "output": 3000},
        },
        {
            "name": "cut",
            "when": {"said": "cut"},
            "fault": {"name": "cut-before-first-byte"},
            "steps": [{"text": "never"}],
        },
        {"steps": [{"text": "Even."}], "usage": {"input": 100, "output": 60}},
    ],
}
MODELS = {"even-m": "anthropic", "even-c": "openai", "even-g": "gemini"}
PROVIDER_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")


def write_routes(folder: Path) -> None:
    (folder / "scenarios").mkdir()
    for model in MODELS:
        (folder / "scenarios" / f"{model}.yaml").write_text(json.dumps(SCENARIO))
    hops = {name: {"provider": where, "model": name} for name, where in MODELS.items()}
    routes = {
        "prices": {f"{where}/{name}": PRICES for name, where in MODELS.items()},
        "models": {
            **{name: {"chain": [hop]} for name, hop in hops.items()},
            "even-chain": {"chain": [hops["even-c"], hops["even-g"]]},
        },
    }
    (folder / "routes.yaml").write_text(json.dumps(routes, indent=1))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("limits")
    write_routes(folder)
    (folder / "redis").mkdir()
    try:
        with (
            run_redis(folder / "redis") as redis,
            run_stage(folder, redis, HELIOSTAT_GATEWAY_BREAKER_MINIMUM="1000") as stage,
        ):
            yield stage
    except NoRedisError as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def stage(running: Stage) -> Stage:
    for index in (0, 1):
        await running.until_ledger(index, local=False)
    return running


async def service_key(stage: Stage, **fields: object) -> str:
    gateway = stage.gateways[0]
    wanted = {"name": "program", "kind": "service", **fields}
    made = await gateway.ask("/admin/keys", document=wanted, headers=gateway.admin_headers())
    assert made.status == 201, made.text
    key: str = json.loads(made.body)["key"]
    return key


async def budget(stage: Stage, name: str, **fields: object) -> None:
    gateway = stage.gateways[0]
    made = await gateway.ask(
        f"/admin/budgets/{name}", method="PUT", document=fields, headers=gateway.admin_headers()
    )
    assert made.status == 200, made.text


async def call(
    stage: Stage,
    key: str,
    model: str,
    *,
    replica: int = 0,
    chat: bool = False,
    most: int = 100,
    text: str = "hello there",
) -> Reply:
    document = {
        "model": model,
        "max_tokens": most,
        "messages": [{"role": "user", "content": text}],
    }
    return await stage.gateways[replica].ask(
        "/v1/chat/completions" if chat else "/v1/messages",
        document=document,
        headers={"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"},
    )


async def call_all(stage: Stage, key: str, model: str) -> Counter[int]:
    replies = await asyncio.gather(
        *(call(stage, key, model, replica=n % 2, chat=n % 3 == 0) for n in range(CALLS))
    )
    return Counter(reply.status for reply in replies)


async def settled_rows(stage: Stage, key: str) -> list[LedgerRow]:
    """The rows of a key, once nothing is open."""
    redis = open_redis(stage.redis.url)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await redis.keys(f"{MONEY}request:*") or await redis.xlen(f"{MONEY}records"):
            await asyncio.sleep(0.05)
    await redis.aclose()
    account = key.split("_")[1]
    return [row for row in read_rows(stage.rows) if account in row.account]


@pytest.mark.parametrize("by", ["cap", "budget"])
async def test_plain_keys_overspend_by_no_more_than_the_calls_in_flight(
    stage: Stage, by: str
) -> None:
    if by == "cap":
        key = await service_key(stage, caps={"maxCostMicros": FOR * COST_NANOS // 1000})
    else:
        await budget(stage, "team", capNanos=FOR * COST_NANOS, period="none")
        key = await service_key(stage, budgets=["team"])
    first = await call(stage, key, "even-m")  # from here on its cost is what a call holds
    assert first.status == 200, first.text
    statuses = await call_all(stage, key, "even-m")
    assert set(statuses) == {200, 402}
    rows = await settled_rows(stage, key)
    assert len(rows) == statuses[200] + 1
    last = max(row.started_ms for row in rows)
    settled = sum(row.charge.nanos for row in rows if row.ended_ms < last)
    in_flight = sum(row.ended_ms >= last for row in rows)
    assert settled < FOR * COST_NANOS
    spent = sum(row.charge.nanos for row in rows)
    assert FOR * COST_NANOS <= spent <= FOR * COST_NANOS + in_flight * COST_NANOS


async def test_strict_keys_never_overspend(stage: Stage) -> None:
    key = await service_key(stage, caps={"maxCostMicros": FOR * COST_NANOS // 1000, "strict": True})
    statuses = await call_all(stage, key, "even-chain")
    assert set(statuses) == {200, 402}
    spent = sum(row.charge.nanos for row in await settled_rows(stage, key))
    assert 0 < spent <= FOR * COST_NANOS
    # What was held and not used is free again, until not even one token fits.
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (reply := await call(stage, key, "even-chain")).status == 200:
            pass
    assert reply.status == 402
    rows = await settled_rows(stage, key)
    spent = sum(row.charge.nanos for row in rows)
    assert FOR * COST_NANOS * 9 // 10 < spent <= FOR * COST_NANOS


@pytest.mark.parametrize("chat", [False, True], ids=["messages", "chat"])
async def test_a_refused_call_says_which_cap_how_much_and_until_when(
    stage: Stage, chat: bool
) -> None:
    name = "daily-of-chat" if chat else "daily-of-messages"
    await budget(stage, name, capNanos=COST_NANOS, period="day", timeZone="UTC")
    cases: list[tuple[dict[str, object], int, str, list[str]]] = [
        (
            {"caps": {"maxCostMicros": 1000}},
            402,
            "billing_error",
            ["cost limit", "$0.001000 of $0.001000"],
        ),
        ({"caps": {"maxTokens": 160}}, 402, "billing_error", ["token limit", "160 of 160 tokens"]),
        ({"caps": {"maxTurns": 1}}, 402, "billing_error", ["limit of calls", "1 of 1 calls"]),
        (
            {"budgets": [name]},
            429,
            "rate_limit_error",
            [f"The budget {name}", "$0.001000 of $0.001000", "It starts anew at", "T00:00:00Z"],
        ),
        (
            {"caps": {"maxCostMicros": 1200, "strict": True}},
            402,
            "billing_error",
            ["cost limit", "This request may need $", "and $0.000200 is left"],
        ),
    ]
    for fields, status, kind, words in cases:
        in_chat = "insufficient_quota" if status == 402 else "rate_limit_error"
        key = await service_key(stage, **fields)
        done = await call(stage, key, "even-m", most=60)
        assert done.status == 200, done.text
        # The second one meets it on the other gateway.
        reply = await call(stage, key, "even-m", replica=1, chat=chat)
        assert (reply.status, reply.headers["x-should-retry"]) == (status, "false"), reply.text
        error: dict[str, str] = json.loads(reply.body)["error"]
        assert error["type"] == (in_chat if chat else kind), error
        assert [word for word in words if word not in error["message"]] == []
        assert ("param" in error) == chat


async def test_a_strict_key_asks_one_provider_that_may_cost(stage: Stage) -> None:
    key = await service_key(stage, caps={"maxCostMicros": 10**6, "strict": True})
    free = await call(stage, key, "even-chain", text="refuse, both of you")
    spent = await call(stage, key, "even-chain", text="cut, both of you")
    assert (free.headers["x-heliostat-attempts"], free.status) == ("2", 503) or free.status == 500
    assert (spent.headers["x-heliostat-attempts"], spent.status) == ("1", 502)
    plain = await service_key(stage)
    assert (await call(stage, plain, "even-chain", text="cut")).headers[
        "x-heliostat-attempts"
    ] == "2"


@pytest.mark.parametrize("chat", [False, True], ids=["messages", "chat"])
@pytest.mark.parametrize("model", MODELS)
async def test_strict_lowers_what_the_provider_is_asked_for(
    stage: Stage, model: str, chat: bool
) -> None:
    """The scripted server stops where the request says, and bills it."""
    key = await service_key(stage, caps={"maxCostMicros": 4000, "strict": True})
    before = {entry.id for entry in stage.providers.bill()}
    reply = await call(stage, key, model, chat=chat, most=5000, text="a long one")
    assert reply.status == 200, reply.text
    (entry,) = [entry for entry in stage.providers.bill() if entry.id not in before]
    # 4,000 micro-dollars are 400 tokens of output, less what the input may cost.
    assert 250 < entry.output < 400
    assert b'"length"' in reply.body if chat else b'"max_tokens"' in reply.body
    assert reply.headers["x-heliostat-cost"] == str(entry.cost_nanos)


async def test_the_audit_finds_an_export_of_the_bill_equal(stage: Stage) -> None:
    key = await service_key(stage)
    replies = await asyncio.gather(
        *(call(stage, key, model, replica=n % 2) for n, model in enumerate([*MODELS] * 5))
    )
    assert {reply.status for reply in replies} == {200}
    await settled_rows(stage, key)
    export = stage.folder / "export.csv"
    bill = stage.providers.bill()
    for model, where in MODELS.items():
        entries = [entry for entry in bill if entry.model == model]
        assert len(entries) >= 5
        assert audit(stage, export, where, entries) == 0
    assert audit(stage, export, where, entries[1:]) == 1


def audit(stage: Stage, export: Path, provider: str, entries: list[BillEntry]) -> int:
    """The exit code of `heliostat gateway audit` for the bill as the provider would export it."""
    columns = {figure: names[0] for figure, names in columns_of(provider).items()}
    with export.open("w", newline="") as file:
        table = csv.DictWriter(file, ["date", "model", *columns.values()])
        table.writeheader()
        for entry in entries:
            figures = exported(entry)
            row = {column: figures[figure] for figure, column in columns.items()}
            table.writerow({"date": f"{datetime.now(UTC):%Y-%m-%d}", "model": entry.model} | row)
    command = [str(Path(sys.executable).with_name("heliostat")), "gateway", "audit"]
    command += ["--export", str(export), "--provider", provider, "--ledger", str(stage.rows)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ("equal" in done.stdout) == (done.returncode == 0), done.stdout + done.stderr
    return done.returncode


def exported(entry: BillEntry) -> dict[str, int | str]:
    written = entry.cache_write5m + entry.cache_write1h
    return {
        "input": entry.input,
        "allInput": entry.input + entry.cache_read + written,
        "output": entry.output,
        "cacheRead": entry.cache_read,
        "cacheWrite": written,
        "cacheWrite5m": entry.cache_write5m,
        "cacheWrite1h": entry.cache_write1h,
        "webSearches": entry.web_searches,
        "requests": 1,
        "costNanos": f"{Decimal(entry.cost_nanos).scaleb(-9):f}",
    }
