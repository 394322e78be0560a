"""What people are told that they spent is what the ledger has, to the last nano-dollar."""

import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.base.roles import Claims
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import PersonRepository
from heliostat_core.money import micros_from_nanos
from heliostat_gateway.main import Gateway
from heliostat_gateway.money.bookings import Usage
from support.ledger_rows import Row, book
from support.real_gateway import RealGateway
from support.shared_api import ApiApp, api_app

ANN, BOB = new_guest_id(), new_guest_id()
SEOUL = ZoneInfo("Asia/Seoul")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NOVEMBER = {"from": "2026-11-01", "to": "2026-11-30"}


@pytest_asyncio.fixture
async def api(tmp_path: Path, gateway: RealGateway) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path, gateway=gateway.place) as opened:
        yield opened


def make_rows(users: tuple[str, ...], count: int = 60) -> list[Row]:
    """Calls of three weeks, not one of them a round figure."""
    chance = random.Random(7)
    return [
        Row(
            started_ms=int((BEGIN + timedelta(minutes=chance.randrange(30000))).timestamp()) * 1000,
            agent=chance.choice(["default/sales", "default/tests", ""]),
            model=chance.choice(["claude-opus-5-5", "claude-haiku-5-5"]),
            cost=chance.randrange(10**7),
            usage=Usage(
                input=chance.randrange(1000),
                output=chance.randrange(1000),
                cache_read=chance.randrange(1000),
                cache_write_5m=chance.randrange(1000),
                cache_write_1h=chance.randrange(1000),
            ),
            user=chance.choice(users),
        )
        for _ in range(count)
    ]


async def fill(gateway: RealGateway, rows: list[Row]) -> None:
    parts: Gateway = gateway.app.state.gateway
    await book(parts.backends.ledger, rows)


async def report(api: ApiApp, person: str, **asked: str) -> Mapping[str, JsonValue]:
    async with api.browser(person) as browser:
        answer = await browser.get("/api/usage", params={**NOVEMBER, **asked})
    assert answer.status_code == 200, answer.text
    told: Mapping[str, JsonValue] = answer.json()
    return told


def sums(rows: list[Row], key: str) -> dict[str, int]:
    """Nano-dollars by group, from the calls themselves."""
    found: dict[str, int] = {}
    for row in rows:
        started = datetime.fromtimestamp(row.started_ms / 1000, SEOUL)
        name = {"day": f"{started:%Y-%m-%d}", "model": row.model, "agent": row.agent}[key]
        found[name] = found.get(name, 0) + row.cost
    return found


def costs(told: Mapping[str, JsonValue]) -> dict[JsonValue, JsonValue]:
    rows = told["rows"]
    assert isinstance(rows, list)
    return {each["key"]: each["costMicros"] for each in rows if isinstance(each, dict)}


@pytest.mark.parametrize("by", ["day", "model", "agent"])
async def test_own_calls_only_and_exactly_as_the_ledger_has_them(
    gateway: RealGateway, api: ApiApp, by: str
) -> None:
    agent = await api.give_agent(ANN)
    rows = make_rows((ANN, BOB, ""))
    await fill(gateway, rows)
    own = [row for row in rows if row.user == ANN]
    told = await report(api, ANN, by=by, timeZone="Asia/Seoul")
    names = {"default/sales": agent}
    expected = {names.get(k, k): micros_from_nanos(v) for k, v in sums(own, by).items()}
    assert costs(told) == expected
    assert told["totalCostMicros"] == micros_from_nanos(sum(row.cost for row in own))
    assert (told["from"], told["to"], told["timeZone"]) == (*NOVEMBER.values(), "Asia/Seoul")
    if by == "day":
        assert list(costs(told)) == sorted(costs(told), key=str)


async def test_tokens_and_requests_are_the_ledgers_too(gateway: RealGateway, api: ApiApp) -> None:
    rows = make_rows((ANN,), 20)
    await fill(gateway, rows)
    told = (await report(api, ANN, by="model"))["rows"]
    assert isinstance(told, list)
    for each in told:
        assert isinstance(each, dict)
        own = [row for row in rows if row.model == each["key"]]
        assert each["requests"] == len(own)
        assert each["usage"] == {
            "inputTokens": sum(row.usage.input for row in own),
            "outputTokens": sum(row.usage.output for row in own),
            "cacheReadTokens": sum(row.usage.cache_read for row in own),
            "cacheWriteTokens": sum(
                row.usage.cache_write_5m + row.usage.cache_write_1h for row in own
            ),
        }


async def test_test_runs_count_for_the_agent_that_was_tested(
    gateway: RealGateway, api: ApiApp
) -> None:
    async with api.browser(ANN) as browser:
        spec = {"prompt": "Count.", "model": {"name": "scripted/hello"}}
        made = (await browser.post("/api/agents", json={"name": "Sales", "spec": spec})).json()
        for key in "ab":
            await browser.post(
                f"/api/agents/{made['agent']}/test", json={}, headers={"Idempotency-Key": key}
            )
        runs = (await browser.get("/api/executions")).json()["items"]
    assert len(runs) == 2
    assert runs[0]["agent"] != runs[1]["agent"]
    rows = [Row(int(BEGIN.timestamp()) * 1000, f"default/{r['agent']}", user=ANN) for r in runs]
    await fill(gateway, rows)
    told = await report(api, ANN, by="agent")
    assert told["rows"] == [
        {
            "key": made["agent"],
            "label": "Sales",
            "costMicros": 2,
            "requests": 2,
            "usage": {
                "inputTokens": 20,
                "outputTokens": 10,
                "cacheReadTokens": 0,
                "cacheWriteTokens": 0,
            },
        }
    ]


async def test_what_a_guest_spent_is_the_users_after_they_signed_in(
    gateway: RealGateway, api: ApiApp
) -> None:
    register = PersonRepository(api.documents, api.clock)
    eve = Identity("https://issuer", "eve", Claims())
    await register.see_user(eve)
    for guest in (ANN, BOB):
        await register.see_guest(guest)
    assert await register.begin_move(ANN, eve.person_id)
    rows = make_rows((ANN, BOB, eve.person_id))
    await fill(gateway, rows)
    told = await report(api, eve.person_id)
    own = sum(row.cost for row in rows if row.user != BOB)
    assert told["totalCostMicros"] == micros_from_nanos(own)


async def test_a_forecast_where_there_is_history(gateway: RealGateway, api: ApiApp) -> None:
    assert (await report(api, ANN))["forecast"] is None
    now = datetime.now(UTC)
    days = [now - timedelta(days=number) for number in range(1, 10)]
    rows = [Row(int(day.timestamp()) * 1000, cost=10**9, user=ANN) for day in days]
    await fill(gateway, rows)
    forecast = (await report(api, ANN))["forecast"]
    assert isinstance(forecast, dict)
    low, cost, high = (forecast[k] for k in ("lowMicros", "monthCostMicros", "highMicros"))
    assert isinstance(low, int)
    assert isinstance(cost, int)
    assert isinstance(high, int)
    assert 0 < low <= cost <= high <= low + 1  # every day cost the same
    assert "this month" in str(forecast["text"])
    assert (await report(api, BOB))["forecast"] is None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"timeZone": "Mars/Olympus"}, "query.timeZone"),
        ({"from": "2026-12-02", "to": "2026-12-01"}, "query.to"),
        ({"from": "2024-12-02"}, "query.from"),
        ({"from": "9999-12-01", "to": "9999-12-31"}, "query.from"),
        ({"to": "9999-12-31"}, "query.to"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "query.from"),
        ({"by": "user"}, "query.by"),
        ({"from": "yesterday"}, "query.from"),
    ],
)
async def test_a_mistake_is_named(api: ApiApp, asked: Mapping[str, str], field: str) -> None:
    async with api.browser(ANN) as browser:
        answer = await browser.get("/api/usage", params={**NOVEMBER, **asked})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_who_has_no_cap_is_told_what_today_cost(gateway: RealGateway, api: ApiApp) -> None:
    eve = Identity("https://issuer", "eve", Claims())
    await PersonRepository(api.documents, api.clock).see_user(eve)
    at = int(api.clock().timestamp()) * 1000
    await fill(gateway, [Row(at, cost=5000, user=eve.person_id), Row(at, cost=7000, user=BOB)])
    async with api.browser(eve.person_id) as browser:
        told = (await browser.get("/api/me")).json()["spending"]
    assert told == {"capMicros": None, "spentMicros": 5, "untilTime": None, "reached": None}
