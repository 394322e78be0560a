"""The api's own key pair at a real gateway: what it opens, and what stays closed."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from heliostat_core.keys import new_private_key, sign_admin_token, sign_api_token
from support.real_gateway import RealGateway, real_gateway, utc_now

CAP = {"capNanos": 1000, "period": "day"}


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[RealGateway]:
    async with real_gateway(tmp_path) as running:
        yield running


def endpoints_of(gateway: RealGateway) -> list[tuple[str, str]]:
    """Method and path of everything under /admin, with names that the api may use."""
    found = []
    for each in iter_route_contexts(gateway.app.routes):
        path = str(each.path)
        if path.startswith("/admin"):
            real = re.sub(r"\{name\}", "person-ann", path)
            real = re.sub(r"\{[^}]+\}", "x", real)
            found += [(method, real) for method in (each.methods or set()) - {"HEAD"}]
    return found


OPEN = {
    ("GET", "/admin/budgets/person-ann"),
    ("PUT", "/admin/budgets/person-ann"),
    ("DELETE", "/admin/budgets/person-ann"),
    ("GET", "/admin/people/x/keys"),
    ("POST", "/admin/people/x/keys"),
    ("DELETE", "/admin/people/x/keys/x"),
    ("POST", "/admin/keys/check"),
    ("DELETE", "/admin/users/x"),
    ("GET", "/admin/usage"),
    ("GET", "/admin/forecast"),
    ("GET", "/admin/models"),
    ("GET", "/admin/catalog"),
}


async def test_its_token_opens_what_it_needs_and_nothing_else(gateway: RealGateway) -> None:
    endpoints = endpoints_of(gateway)
    assert set(endpoints) >= OPEN
    opened = set()
    async with gateway.by_api() as api:
        for method, path in endpoints:
            answer = await api.request(method, path, json={} if method != "GET" else None)
            if answer.status_code != 403:
                opened.add((method, path))
            else:
                assert "for its people's budgets, keys and usage" in answer.text
    assert opened == OPEN


@pytest.mark.parametrize("name", ["team", "guest", "guests2", "aperson-x", "person"])
async def test_it_touches_no_budget_but_its_peoples(gateway: RealGateway, name: str) -> None:
    async with gateway.by_operator() as operator, gateway.by_api() as api:
        made = await operator.put(f"/admin/budgets/{name}", json=CAP)
        assert made.status_code == 200
        for method in ("GET", "PUT", "DELETE"):
            answer = await api.request(method, f"/admin/budgets/{name}", json=CAP)
            assert answer.status_code == 403, method
        assert (await operator.get(f"/admin/budgets/{name}")).json()["capNanos"] == 1000
        assert (await api.put("/admin/budgets/guests", json=CAP)).status_code == 200


async def test_it_ends_no_run(gateway: RealGateway) -> None:
    key = gateway.execution_key()
    body = {"execution": "uid-1", "attempt": 1, "expires": 2**40}
    async with gateway.by_api() as api:
        assert (await api.post("/admin/revocations", json=body)).status_code == 403
    assert (await gateway.say(key)).status_code == 200


async def test_each_issuer_signs_in_its_own_name_only(gateway: RealGateway) -> None:
    """A stolen key of the api is no key of the operator, and the other way round."""
    now = int(utc_now().timestamp())
    identity = gateway.place.identity
    forged = [
        sign_api_token(gateway.operator, now),
        sign_admin_token(new_private_key(), now),
        identity.person_key("ann", "c", ()),
        gateway.execution_key(),
    ]
    for token in forged:
        async with gateway.client(token) as somebody:
            assert (await somebody.get("/admin/usage")).status_code == 401
    assert (await gateway.say(identity.admin_token())).status_code == 401


async def test_a_persons_call_is_booked_on_them_and_their_conversation(
    gateway: RealGateway,
) -> None:
    async with gateway.by_api() as api:
        await api.put("/admin/budgets/person-ann", json={"capNanos": 10**9, "period": "day"})
    key = gateway.place.identity.person_key("ann", "conversation-7", ("person-ann",))
    answer = await gateway.say(key)
    assert answer.status_code == 200, answer.text
    cost = int(answer.headers["x-heliostat-cost"])
    assert cost > 0
    async with gateway.by_operator() as operator:
        lines = (await operator.get("/admin/usage?by=user")).json()["lines"]
        budget = (await operator.get("/admin/budgets/person-ann")).json()
    assert [(each["key"]["user"], each["costNanos"]) for each in lines] == [("ann", cost)]
    assert budget["spentNanos"] == cost
    assert await gateway.rows("user, session, key") == [
        ("ann", "conversation-7", "ann/conversation-7")
    ]


async def test_a_run_is_booked_on_its_owner_and_counts_on_all_budgets(
    gateway: RealGateway,
) -> None:
    async with gateway.by_api() as api:
        await api.put("/admin/budgets/person-ann", json={"capNanos": 10**9, "period": "day"})
        await api.put("/admin/budgets/guests", json={"capNanos": 1, "period": "day"})
    key = gateway.execution_key("person-ann", "guests", user="ann")
    first, second = await gateway.say(key), await gateway.say(key)
    assert (first.status_code, second.status_code) == (200, 429)
    assert "The budget guests has reached its cost limit" in second.text
    assert "It starts anew at" in second.text
    async with gateway.by_operator() as operator:
        lines = (await operator.get("/admin/usage?by=user,agent")).json()["lines"]
    assert [each["key"] for each in lines] == [{"user": "ann", "agent": "default/sales"}]
