"""A whole gateway inside the test: no way past a budget, and after a call nothing is reserved."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from pydantic import JsonValue

from heliostat_gateway.main import Gateway
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.storage import Storage
from support.endpoints import endpoints_of
from support.real_gateway import RealGateway, real_gateway

FAULTS = ("429", "500", "529", "cut-before-first-byte", "cut-before-first-token", "stall")
"""Before any output; `stall` goes on until somebody ends it."""
CALLS = 200
AT_ONCE = 100
PRICES = {"input": "3", "output": "15", "cacheRead": "0", "cacheWrite5m": "0", "cacheWrite1h": "0"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[RealGateway]:
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    for name in FAULTS:
        fault = {"name": name, "after": 0} if name == "stall" else {"name": name}
        turn = {"fault": fault, "steps": [{"text": "never said"}]}
        scenario = {"description": "Fails.", "prices": PRICES, "turns": [turn]}
        (scenarios / f"fails-{name}.yaml").write_text(json.dumps(scenario))
    async with real_gateway(tmp_path, scenarios) as running:
        yield running


async def put_budget(gateway: RealGateway, **definition: JsonValue) -> httpx2.Response:
    async with gateway.by_operator() as operator:
        return await operator.put("/admin/budgets/team", json=definition)


async def new_key(gateway: RealGateway, **wanted: JsonValue) -> httpx2.Response:
    async with gateway.by_operator() as operator:
        return await operator.post(
            "/admin/keys", json={"name": "program", "kind": "service", **wanted}
        )


def asked(model: str, **more: JsonValue) -> dict[str, JsonValue]:
    said: JsonValue = [{"role": "user", "content": "hello"}]
    return {"model": model, "max_tokens": 100, "messages": said, **more}


def held(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many reservations there are, and how many sums they are held on."""
    (reservations,) = connection.execute("SELECT count(*) FROM reservations").fetchone()
    (holds,) = connection.execute("SELECT count(*) FROM holds").fetchone()
    return reservations, holds


async def until_held(storage: Storage, wanted: tuple[int, int]) -> None:
    async with asyncio.timeout(30):
        while await storage.run(held) != wanted:
            await asyncio.sleep(0.01)


async def spent(gateway: RealGateway) -> JsonValue:
    async with gateway.by_operator() as operator:
        found: JsonValue = (await operator.get("/admin/budgets/team")).json()["spentNanos"]
    return found


async def test_streams_that_fail_before_their_first_byte_hold_nothing(
    gateway: RealGateway, tmp_path: Path
) -> None:
    """And those that were under way when the gateway was killed hold nothing after it."""
    await put_budget(gateway, capNanos=10**15)
    key = str((await new_key(gateway, budgets=["team"])).json()["key"])
    parts: Gateway = gateway.app.state.gateway
    storage = parts.storage

    async def call(client: httpx2.AsyncClient, name: str) -> int:
        document = asked(f"scripted/fails-{name}", stream=True)
        return (await client.post("/v1/messages", json=document)).status_code

    async with gateway.client(key) as client:
        failing = [FAULTS[n % (len(FAULTS) - 1)] for n in range(CALLS)]
        for first in range(0, CALLS, AT_ONCE):
            some = failing[first : first + AT_ONCE]
            statuses = await asyncio.gather(*(call(client, each) for each in some))
            assert all(status >= 400 for status in statuses)
        assert await storage.run(held) == (0, 0)
        rows = await gateway.rows("cost_nanos, ended_ms")
        assert (len(rows), await spent(gateway)) == (CALLS, sum(int(cost) for cost, _ in rows))

        stalled = [asyncio.create_task(call(client, "stall")) for _ in range(20)]
        await until_held(storage, (20, 40))
        left = tmp_path / "left by a kill"
        left.mkdir()
        with (
            closing(sqlite3.connect(storage.path)) as reader,
            closing(sqlite3.connect(left / "ledger.sqlite")) as copy,
        ):
            reader.backup(copy)
        for each in stalled:
            each.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)
    await until_held(storage, (0, 0))
    after_kill = Storage(left)
    ledger = SqliteLedger(after_kill)
    assert ledger.recover(int(time.time() * 1000)) == 20
    assert await after_kill.run(held) == (0, 0)
    after_kill.close()


async def test_no_path_of_a_provider_passes_a_budget_that_is_spent(gateway: RealGateway) -> None:
    """Every path that takes a request, by its documented name and with a slash at its end."""
    await put_budget(gateway, capNanos=1)
    key = str((await new_key(gateway, budgets=["team"])).json()["key"])
    assert (await gateway.say(key)).status_code == 200
    paths = {path for method, path in endpoints_of(gateway.app) if method == "POST"}
    models = sorted(path for path in paths if path.startswith("/v1/"))
    assert models == ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"]
    async with gateway.client(key) as client:
        for path in models:
            for spelled in (path, f"{path}/", f"{path}?beta=true"):
                for stream in (True, False):
                    answer = await client.post(spelled, json=asked("scripted/hello", stream=stream))
                    if path.endswith("count_tokens"):
                        assert answer.status_code == 200
                    else:
                        assert (answer.status_code, "budget team" in answer.text) == (402, True)
        for path in ("/anthropic/v1/messages", "/v1/complete", "/v1/responses", "/v1/embeddings"):
            assert (await client.post(path, json=asked("scripted/hello"))).status_code == 404
    assert len(await gateway.rows("id")) == 1


async def test_a_budget_with_a_typing_error_is_refused_wherever_it_stands(
    gateway: RealGateway,
) -> None:
    """In its definition, in a key's fields, and in the name that a key gives."""
    definition = await put_budget(gateway, capNanos=100, perod="day")
    assert (definition.status_code, "perod" in definition.text) == (400, True)
    wrong: list[tuple[dict[str, JsonValue], str]] = [
        ({"budget": {"capNanos": 100}}, "budget"),
        ({"caps": {"maxCostMicro": 100}}, "maxCostMicro"),
    ]
    for fields, named in wrong:
        made = await new_key(gateway, **fields)
        assert (made.status_code, named in made.text) == (400, True)
    await put_budget(gateway, capNanos=10**12)
    key = str((await new_key(gateway, budgets=["taem"])).json()["key"])
    refused = await gateway.say(key)
    assert (refused.status_code, "taem" in refused.text) == (402, True)
