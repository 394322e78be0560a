"""What a person may spend a day binds their chat and their runs, and nobody else's."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.account.guest_resources import MovingResources
from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.chat.model_connection import NoKeyError, SignedPersonKeys
from heliostat_api.chat.schemas import StatusCode
from heliostat_api.gateway.keeping import Keeping
from heliostat_api.people.identities import new_guest_id
from heliostat_core.agents import Agent
from heliostat_core.names import BUDGETS_ANNOTATION, OWNER_ANNOTATION
from heliostat_core.worlds import AGENT, EXECUTION
from heliostat_operator.model.effects import Charge
from heliostat_operator.runs.admission import charge_of
from support.builders.resources import make_execution
from support.real_gateway import RealGateway
from support.shared_api import ApiApp, api_app

ANN = Person(new_guest_id(), PersonKind.GUEST)
BOB = Person(new_guest_id(), PersonKind.GUEST)
EVE = Person("user-eve", PersonKind.USER)
ONE_CALL = 1  # a micro-dollar: the first call is let in, and reaches it
DRAFT: JsonValue = {
    "name": "sales",
    "description": "",
    "spec": {"prompt": "Count.", "model": {"name": "scripted/hello"}},
}


@pytest_asyncio.fixture
async def api(tmp_path: Path, gateway: RealGateway) -> AsyncIterator[ApiApp]:
    """Each guest may make one call."""
    settings = ApiSettings(guest_daily_micros=ONE_CALL, guests_daily_micros=3 * 10**6)
    async with api_app(tmp_path, settings, gateway=gateway.place) as opened:
        yield opened


def keys_of(api: ApiApp) -> SignedPersonKeys:
    """As the chat has them."""
    return SignedPersonKeys(api.parts.money.gateway, api.parts.money.caps)


async def say(gateway: RealGateway, api: ApiApp, person: Person) -> httpx2.Response:
    """One model call of a chat."""
    return await gateway.say(await keys_of(api).key_for(person, "c-1"))


async def refusal(api: ApiApp, person: Person) -> str:
    """What the chat is told instead of getting a key."""
    with pytest.raises(NoKeyError) as refused:
        await keys_of(api).key_for(person, "c-1")
    assert refused.value.code is StatusCode.CAP_REACHED
    return str(refused.value)


async def activate(api: ApiApp, person: Person) -> tuple[str, Agent]:
    """An agent of theirs that is active: its id, and its resource."""
    async with api.browser(person.id) as browser:
        made = (await browser.post("/api/agents", json=DRAFT)).json()["agent"]
        active = await browser.post(f"/api/agents/{made}/activate", headers={"If-Match": "*"})
        assert active.status_code == 202, active.text
    found = [Agent.model_validate(each) async for each in api.world.list(AGENT)]
    own = [each for each in found if each.metadata.annotations[OWNER_ANNOTATION] == person.id]
    return made, own[-1]


async def spending(api: ApiApp, person: Person) -> Mapping[str, JsonValue]:
    async with api.browser(person.id) as browser:
        told: Mapping[str, JsonValue] = (await browser.get("/api/me")).json()["spending"]
    return told


async def test_a_guest_at_the_cap_neither_chats_nor_runs_until_tomorrow(
    gateway: RealGateway, api: ApiApp
) -> None:
    agent_id, resource = await activate(api, ANN)
    assert (await say(gateway, api, ANN)).status_code == 200
    refused = await refusal(api, ANN)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    assert f"It starts anew at {tomorrow}" in refused
    told = await spending(api, ANN)
    assert told["reached"] == "own"
    assert told["untilTime"] == tomorrow
    async with api.browser(ANN.id) as browser:
        run = await browser.post(f"/api/agents/{agent_id}/run", json={})
        test = await browser.post(f"/api/agents/{agent_id}/test", json={})
    assert (run.status_code, test.status_code) == (429, 429)
    assert tomorrow in run.json()["detail"]
    assert int(run.headers["Retry-After"]) > 0
    assert [each async for each in api.world.list(EXECUTION)] == []

    # What starts by itself, without the api, is refused by the gateway all the same.
    charge = charge_of(make_execution("by-schedule"), resource)
    assert charge.user == ANN.id
    answer = await gateway.say(gateway.execution_key(*charge.budgets, user=charge.user))
    assert answer.status_code == 429
    assert f"person-{ANN.id} has reached its cost limit" in answer.text


async def test_a_run_uses_up_what_its_person_could_have_chatted_with(
    gateway: RealGateway, api: ApiApp
) -> None:
    _, resource = await activate(api, ANN)
    charge = charge_of(make_execution(), resource)
    key = gateway.execution_key(*charge.budgets, user=charge.user)
    assert (await gateway.say(key)).status_code == 200
    await refusal(api, ANN)
    assert (await say(gateway, api, BOB)).status_code == 200
    assert (await say(gateway, api, EVE)).status_code == 200


async def test_all_guests_together_have_a_cap_and_nobody_else_is_touched(
    tmp_path: Path, gateway: RealGateway
) -> None:
    settings = ApiSettings(guest_daily_micros=10**6, guests_daily_micros=ONE_CALL)
    async with api_app(tmp_path, settings, gateway=gateway.place) as api:
        assert (await say(gateway, api, ANN)).status_code == 200
        assert "of all guests together" in await refusal(api, BOB)
        told = await spending(api, BOB)
        assert (told["capMicros"], told["spentMicros"], told["reached"]) == (10**6, 0, "guests")
        for _ in range(2):
            assert (await say(gateway, api, EVE)).status_code == 200
        assert await api.parts.money.caps.ensure(EVE) == ()


async def test_a_person_has_a_cap_where_one_is_set(tmp_path: Path, gateway: RealGateway) -> None:
    settings = ApiSettings(person_daily_micros=ONE_CALL)
    async with api_app(tmp_path, settings, gateway=gateway.place) as api:
        assert (await say(gateway, api, EVE)).status_code == 200
        assert "of yours" in await refusal(api, EVE)


async def test_a_raised_cap_holds_at_once_and_what_is_spent_stays_spent(
    tmp_path: Path, gateway: RealGateway
) -> None:
    for micros, answers in ((ONE_CALL, True), (ONE_CALL, False), (10**6, True)):
        settings = ApiSettings(guest_daily_micros=micros)
        async with api_app(tmp_path, settings, gateway=gateway.place) as api:
            if answers:
                assert (await say(gateway, api, ANN)).status_code == 200
            else:
                await refusal(api, ANN)
    async with gateway.by_api() as client:
        budget = (await client.get(f"/admin/budgets/person-{ANN.id}")).json()
    booked = [cost for (cost,) in await gateway.rows("cost_nanos") if isinstance(cost, int)]
    assert budget["spentNanos"] == sum(booked)
    assert len(booked) == 2


async def test_budgets_that_agents_name_are_defined_anew_where_the_gateway_lost_them(
    gateway: RealGateway, api: ApiApp
) -> None:
    _, resource = await activate(api, ANN)
    names = resource.metadata.annotations[BUDGETS_ANNOTATION].split(",")
    assert names == [f"person-{ANN.id}", "guests"]
    key = gateway.execution_key(*names, user=ANN.id)
    async with gateway.by_operator() as operator:
        for name in names:
            assert (await operator.delete(f"/admin/budgets/{name}")).status_code == 204
    assert (await gateway.say(key)).status_code == 402
    await Keeping(api.world, api.parts.money.caps).keep()
    assert (await gateway.say(key)).status_code == 200


@pytest.mark.parametrize("cap", [0, 10**6])
async def test_who_signs_in_is_bound_by_a_users_caps_and_by_a_guests_no_more(
    tmp_path: Path, gateway: RealGateway, cap: int
) -> None:
    settings = ApiSettings(guest_daily_micros=ONE_CALL, person_daily_micros=cap)
    async with api_app(tmp_path, settings, gateway=gateway.place) as api:
        _, resource = await activate(api, ANN)
        await MovingResources(api.world, api.parts.money.caps).move(ANN.id, EVE.id)
        found = [Agent.model_validate(each) async for each in api.world.list(AGENT)]
        (moved,) = found
        assert moved.metadata.name == resource.metadata.name
        charge = charge_of(make_execution(), moved)
        assert charge == Charge(EVE.id, (f"person-{EVE.id}",) if cap else ())
        for _ in range(2):
            key = gateway.execution_key(*charge.budgets, user=charge.user)
            assert (await gateway.say(key)).status_code == 200


async def test_while_the_gateway_is_away_nothing_of_a_capped_person_starts(
    tmp_path: Path, gateway: RealGateway
) -> None:
    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    place = replace(gateway.place, transport=httpx2.MockTransport(away))
    async with api_app(tmp_path, ApiSettings(), gateway=place) as api:
        assert await spending(api, ANN) is None
        with pytest.raises(NoKeyError) as refused:
            await keys_of(api).key_for(ANN, "c-1")
        assert refused.value.code is StatusCode.UNAVAILABLE
        async with api.browser(ANN.id) as browser:
            made = (await browser.post("/api/agents", json=DRAFT)).json()["agent"]
            active = await browser.post(f"/api/agents/{made}/activate", headers={"If-Match": "*"})
        assert active.status_code == 503
        assert active.headers["Retry-After"]


def test_an_executions_own_owner_comes_first_and_budgets_are_the_agents() -> None:
    agent = Agent.model_validate(
        {
            "metadata": {"annotations": {OWNER_ANNOTATION: "ann", BUDGETS_ANNOTATION: " a, b,,a "}},
            "spec": {"prompt": "x", "model": {"name": "y"}},
        }
    )
    run = make_execution()
    assert charge_of(run, agent) == Charge("ann", ("a", "b"))
    owned = run.metadata.model_copy(update={"annotations": {OWNER_ANNOTATION: "bob"}})
    assert charge_of(run.model_copy(update={"metadata": owned}), agent).user == "bob"
