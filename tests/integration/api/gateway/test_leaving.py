"""Who leaves is forgotten by the gateway too: keys and budget go, sums stay and name nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest_asyncio

from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.roles import Claims
from heliostat_api.gateway.client import Gateway as Client
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import REST, PersonRepository
from heliostat_core.keys import person_budget
from heliostat_gateway.main import Gateway
from support.ledger_rows import Row, book, booking_of
from support.real_gateway import RealGateway
from support.shared_api import ApiApp, api_app

EVE = Identity("https://issuer", "eve", Claims()).person_id
BOB = Identity("https://issuer", "bob", Claims()).person_id
GUEST = new_guest_id()
SETTINGS = ApiSettings(person_daily_micros=10**6)
KEY = {"name": "laptop", "scopes": ["models"]}
ALL = "user, key, account, budgets"


@pytest_asyncio.fixture
async def api(tmp_path: Path, gateway: RealGateway) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path, SETTINGS, gateway=gateway.place) as opened:
        register = PersonRepository(opened.documents, opened.clock)
        for name in ("eve", "bob"):
            await register.see_user(Identity("https://issuer", name, Claims()))
        yield opened


async def leave(api: ApiApp) -> None:
    body = {"confirm": "delete everything"}
    async with api.browser(EVE) as eve:
        assert (await eve.request("DELETE", "/api/me", json=body)).status_code == 202


async def spend(gateway: RealGateway, api: ApiApp, person: str) -> str:
    """A call each by a key of theirs, of a conversation and of a run; the key."""
    async with api.browser(person) as browser:
        key = str((await browser.post("/api/keys", json=KEY)).json()["key"])
    budgets = (person_budget(person),)
    talk = gateway.place.identity.person_key(person, "talk", budgets)
    run = gateway.execution_key(*budgets, user=person)
    for each in (key, talk, run):
        assert (await gateway.say(each)).status_code == 200
    return key


async def be_before(api: ApiApp, gateway: RealGateway) -> None:
    """Eve called a model when she was a guest."""
    register = PersonRepository(api.documents, api.clock)
    await register.see_guest(GUEST)
    assert await register.begin_move(GUEST, EVE)
    await register.end_move(GUEST)
    assert (await gateway.say(gateway.execution_key(user=GUEST))).status_code == 200


async def total(gateway: RealGateway) -> list[tuple[str | int, ...]]:
    return await gateway.rows("count(*), sum(cost_nanos), sum(input + output)")


async def test_sums_stay_and_no_row_names_who_left(gateway: RealGateway, api: ApiApp) -> None:
    key = await spend(gateway, api, EVE)
    await spend(gateway, api, BOB)
    await be_before(api, gateway)
    before, of_bob = await total(gateway), [row for row in await gateway.rows(ALL) if BOB in row]
    await leave(api)
    await api.parts.erasing.resume()
    assert (await gateway.say(key)).status_code == 401, "keys end before all else goes"
    assert EVE in str(await gateway.rows(ALL))
    api.clock.go_on(REST)
    assert await api.parts.erasing.resume()
    rows = await gateway.rows(ALL)
    assert EVE not in str(rows)
    assert GUEST not in str(rows)
    assert [row for row in rows if BOB in row] == of_bob
    assert await total(gateway) == before
    async with gateway.by_operator() as operator:
        assert (await operator.get(f"/admin/budgets/{person_budget(EVE)}")).status_code == 404
    assert await api.documents.get(f"people/{EVE}") is None


async def test_who_is_still_answered_is_forgotten_at_the_end_of_the_answer(
    gateway: RealGateway, api: ApiApp
) -> None:
    parts: Gateway = gateway.app.state.gateway
    await book(parts.backends.ledger, [Row(1, user=EVE, is_open=True)])
    await leave(api)
    api.clock.go_on(REST)
    assert not await api.parts.erasing.resume()
    assert await api.documents.get(f"people/{EVE}")
    await parts.backends.ledger.settle([booking_of("row-0", Row(1, user=EVE))], 2)
    assert await api.parts.erasing.resume()
    assert await gateway.rows("user, cost_nanos") == [("", 1000)]


async def test_with_a_shared_ledger_its_writer_is_asked(gateway: RealGateway) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(f"{request.method} {request.url.host}{request.url.path}")
        return httpx2.Response(HTTPStatus.OK, json={"rows": 1, "open": 0})

    place = replace(
        gateway.place, reports_url="http://writer", transport=httpx2.MockTransport(answer)
    )
    assert await Client(place).forget("ann/2")
    assert asked == ["DELETE writer/admin/users/ann/2"]
