"""Models that the gateway routes are listed; a name that it does not route is refused."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest_asyncio
from pydantic import JsonValue

from heliostat_api.gateway.client import Gateway, GatewayPlace
from heliostat_api.gateway.models import Routes
from heliostat_api.people.identities import new_guest_id
from heliostat_core.agents import DEFAULT_MODEL
from support.local_api import body_of
from support.played_gateway import PlayedGateway
from support.real_gateway import RealGateway
from support.shared_api import ApiApp, api_app

ANN = new_guest_id()
FIELD = "spec.model.name"


def naming(model: str) -> dict[str, JsonValue]:
    return {"prompt": "Count.", "model": {"name": model}}


async def create(client: httpx2.AsyncClient, spec: JsonValue) -> httpx2.Response:
    return await client.post("/api/agents", json={"name": "Sales", "spec": spec})


async def preview(client: httpx2.AsyncClient, spec: JsonValue) -> dict[str, dict[str, str]]:
    """Messages by field, of errors and of warnings."""
    told = body_of(await client.post("/api/agents/preview", json={"spec": spec}), 200)
    return {kind: faults(told[kind]) for kind in ("errors", "warnings")}


def faults(errors: JsonValue) -> dict[str, str]:
    assert isinstance(errors, list)
    return {str(each["field"]): str(each["message"]) for each in errors if isinstance(each, dict)}


async def start_refusals(client: httpx2.AsyncClient, spec: JsonValue) -> list[dict[str, str]]:
    """Of activating and of testing an agent that could be saved."""
    path = f"/api/agents/{body_of(await create(client, spec), 201)['agent']}"
    calls = [await client.post(f"{path}/activate"), await client.post(f"{path}/test", json={})]
    return [faults(body_of(each, 422)["errors"]) for each in calls]


@pytest_asyncio.fixture
async def played() -> PlayedGateway:
    return PlayedGateway()


@pytest_asyncio.fixture
async def api(tmp_path: Path, played: PlayedGateway) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path, gateway=played.place) as opened:
        yield opened


async def test_a_real_gateway_says_what_it_routes(tmp_path: Path, gateway: RealGateway) -> None:
    async with api_app(tmp_path, gateway=gateway.place) as api, api.browser(ANN) as ann:
        listed = (await ann.get("/api/models")).json()["items"]
        assert {"name": "scripted/hello", "provider": "scripted", "isScripted": True} in listed
        body_of(await create(ann, naming("scripted/hello")), 201)
        refused = body_of(await create(ann, naming("scripted/helo")), 422)
        assert "no scenario helo. It has: " in faults(refused["errors"])[FIELD]


async def test_an_edit_that_names_no_model_of_ours_is_refused(api: ApiApp) -> None:
    async with api.browser(ANN) as ann:
        path = f"/api/agents/{body_of(await create(ann, naming(DEFAULT_MODEL)), 201)['agent']}"
        headers = {"If-Match": "*"}
        patch = await ann.patch(path, json={"spec": naming("claude-9")}, headers=headers)
        told = faults(body_of(patch, 422)["errors"])
        assert told == {FIELD: "Nobody serves claude-9: name another."}
        assert body_of(await ann.get(path), 200)["revision"] == 1
        assert await preview(ann, naming("claude-9")) == {"errors": told, "warnings": {}}


async def test_a_default_that_nobody_serves_is_saved_and_not_started(
    api: ApiApp, played: PlayedGateway
) -> None:
    played.served.clear()
    async with api.browser(ANN) as ann:
        told = {FIELD: f"Nobody serves {DEFAULT_MODEL}: name another."}
        assert await preview(ann, {"prompt": "Count."}) == {"errors": {}, "warnings": told}
        assert await start_refusals(ann, {"prompt": "Count."}) == [told, told]
        command: JsonValue = {"prompt": "Count.", "runtime": {"command": ["count"]}}
        assert (await preview(ann, command))["warnings"] == {}, "it asks for whatever it likes"


async def test_a_name_that_no_model_has_is_wrong_once(api: ApiApp) -> None:
    async with api.browser(ANN) as ann:
        told = (await ann.post("/api/agents/preview", json={"spec": naming("no name")})).json()
        assert [each["field"] for each in told["errors"]] == [FIELD]


async def test_nothing_is_refused_while_the_gateway_is_away(
    tmp_path: Path, played: PlayedGateway
) -> None:
    away = replace(played.place, transport=httpx2.MockTransport(refuse))
    for place in (away, None):
        folder = tmp_path / str(place is None)
        folder.mkdir()
        await check_without_answers(folder, place)


def refuse(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused")


async def check_without_answers(folder: Path, place: GatewayPlace | None) -> None:
    async with api_app(folder, gateway=place) as api, api.browser(ANN) as ann:
        assert (await ann.get("/api/models")).status_code == 503
        path = f"/api/agents/{body_of(await create(ann, naming('claude-9')), 201)['agent']}"
        if place is None:  # else nobody can say what a run may cost either
            body_of(await ann.post(f"{path}/activate"), 202)
        told = await preview(ann, naming("claude-9"))
        assert told["errors"] == {}
        assert told["warnings"][FIELD].startswith("could not check whether claude-9 is available")


async def test_an_answer_is_asked_again_after_a_while(played: PlayedGateway) -> None:
    now = [0.0]
    gateway = Gateway(played.place)
    routes = Routes(gateway, lambda: now[0])
    first = await routes.look(naming("claude-9"))
    played.served.add("claude-9")
    again = await routes.look(naming("claude-9"))
    now[0] = 11.0
    later = await routes.look(naming("claude-9"))
    await gateway.close()
    assert first is not None
    assert again is not None
    assert later is not None
    assert (first.fault, later.fault) == (again.fault, None)
    assert first.fault is not None
