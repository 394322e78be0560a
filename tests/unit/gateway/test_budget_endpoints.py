"""Budgets over HTTP: defined, read with what is spent, and taken away."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.errors import RefusalError
from heliostat_gateway.money.budget_endpoints import Budgets
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.storage import Storage
from support.ledgers import opening, service

LIMIT = 2**53


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    storage = Storage(tmp_path)
    yield SqliteLedger(storage)
    storage.close()


@pytest_asyncio.fixture
async def admin(ledger: SqliteLedger) -> AsyncIterator[httpx2.AsyncClient]:
    app, router = FastAPI(), APIRouter()
    Budgets(ledger).add_to(router)
    app.include_router(router)

    @app.exception_handler(RefusalError)
    async def refuse(request: Request, error: RefusalError) -> Response:  # noqa: ARG001
        return Response(error.message, error.status)

    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


async def test_a_budget_is_defined_and_read(admin: httpx2.AsyncClient) -> None:
    answer = await admin.put("/budgets/team", json={"capNanos": 5, "capTokens": 7})
    assert answer.status_code == 200
    expected = {
        "name": "team",
        "capNanos": 5,
        "capTokens": 7,
        "period": "none",
        "timeZone": "UTC",
        "spentNanos": 0,
        "spentTokens": 0,
        "leftNanos": 5,
        "leftTokens": 7,
        "current": "all",
        "untilMs": None,
    }
    assert answer.json() == expected
    assert (await admin.get("/budgets/team")).json() == expected
    await admin.put(
        "/budgets/all", json={"capTokens": 0, "period": "day", "timeZone": "Asia/Seoul"}
    )
    listed = (await admin.get("/budgets")).json()["budgets"]
    assert [each["name"] for each in listed] == ["all", "team"]
    assert (listed[0]["leftNanos"], listed[0]["leftTokens"]) == (None, 0)
    assert (listed[0]["timeZone"], listed[0]["period"]) == ("Asia/Seoul", "day")
    now = time.time() * 1000
    assert now - 60_000 < listed[0]["untilMs"] <= now + 24 * 3600 * 1000


async def test_what_is_reserved_counts_and_nothing_is_less_than_nothing(
    admin: httpx2.AsyncClient, ledger: SqliteLedger
) -> None:
    await admin.put("/budgets/team", json={"capNanos": 1000, "capTokens": 1000})
    await ledger.open(opening("1", service("key", Caps(), ("team",))))
    found = (await admin.get("/budgets/team")).json()
    assert (found["spentNanos"], found["spentTokens"]) == (100, 10)
    assert (found["leftNanos"], found["leftTokens"]) == (900, 990)
    await admin.put("/budgets/team", json={"capNanos": 1, "capTokens": 1})
    found = (await admin.get("/budgets/team")).json()
    assert (found["leftNanos"], found["leftTokens"]) == (0, 0)


async def test_a_budget_is_taken_away_once(admin: httpx2.AsyncClient) -> None:
    await admin.put("/budgets/team", json={"capNanos": 5})
    assert (await admin.delete("/budgets/team")).status_code == 204
    for answer in (await admin.delete("/budgets/team"), await admin.get("/budgets/team")):
        assert (answer.status_code, answer.text) == (404, "There is no budget team.")


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"period": "day"},
        {"capNanos": -1},
        {"capTokens": -1},
        {"capNanos": LIMIT + 1},
        {"capTokens": LIMIT + 1},
        {"capNanos": 1, "timeZone": "Europe/Berlim"},
        {"capNanos": 1, "timeZone": "x" * 65},
        {"capNanos": 1, "period": "week"},
        {"capNanos": 1, "unknown": 1},
    ],
)
async def test_a_definition_that_caps_nothing_or_is_mistaken_is_refused(
    admin: httpx2.AsyncClient, definition: dict[str, object]
) -> None:
    assert (await admin.put("/budgets/team", json=definition)).status_code == 422
    assert (await admin.get("/budgets/team")).status_code == 404


@pytest.mark.parametrize("definition", [{"capNanos": 0}, {"capTokens": LIMIT, "capNanos": LIMIT}])
async def test_bounds_are_taken(admin: httpx2.AsyncClient, definition: dict[str, object]) -> None:
    assert (await admin.put("/budgets/team", json=definition)).status_code == 200


@pytest.mark.parametrize("name", ["Team", "-team", "team-", "x" * 64, "a_b"])
async def test_a_name_is_written_as_names_are(admin: httpx2.AsyncClient, name: str) -> None:
    assert (await admin.put(f"/budgets/{name}", json={"capNanos": 1})).status_code == 422


def test_every_operation_has_a_name_of_its_own(ledger: SqliteLedger) -> None:
    """Clients are generated from them."""
    router = APIRouter()
    Budgets(ledger).add_to(router)
    names = {route.name for route in router.routes if isinstance(route, APIRoute)}
    assert names == {"list_budgets", "put_budget", "get_budget", "delete_budget"}
