"""What an admin's settings allow the agents of people: hosts, and how many start by themselves."""

from pathlib import Path

import httpx2
from pydantic import JsonValue

from heliostat_api.people.identities import new_guest_id
from heliostat_api.settings import ApiSettings
from heliostat_core.worlds import AGENT
from support.shared_api import api_app

ANN = new_guest_id()


async def activated(browser: httpx2.AsyncClient, name: str, spec: JsonValue) -> httpx2.Response:
    made = await browser.post("/api/agents", json={"name": name, "spec": spec})
    assert made.status_code == 201, made.text
    return await browser.post(f"/api/agents/{made.json()['agent']}/activate")


def reaching(host: str) -> JsonValue:
    return {"prompt": "x", "workspace": {"egress": [{"host": host}]}}


async def test_an_agent_reaches_only_hosts_that_the_admin_allows(tmp_path: Path) -> None:
    settings = ApiSettings(allowed_hosts=("crm.example", "*.wiki.example"))
    async with api_app(tmp_path, settings) as api, api.browser(ANN) as browser:
        for host in ("crm.example", "de.wiki.example"):
            assert (await activated(browser, "allowed", reaching(host))).status_code == 202
        wanted = {"name": "elsewhere", "spec": reaching("evil.example")}
        refused = await browser.post("/api/agents", json=wanted)
        assert refused.status_code == 422
        [error] = refused.json()["errors"]
        assert error["field"] == "spec.workspace.egress[0].host"
        assert len([each async for each in api.world.list(AGENT)]) == 2


async def test_a_guest_has_so_many_agents_that_start_by_themselves(tmp_path: Path) -> None:
    timed: JsonValue = {"prompt": "x", "schedule": {"frequency": "daily"}}
    async with (
        api_app(tmp_path, ApiSettings(schedules_guest=1)) as api,
        api.browser(ANN) as browser,
    ):
        assert (await activated(browser, "first", timed)).status_code == 202
        refused = await activated(browser, "second", timed)
        assert refused.status_code == 409
        assert "A guest" in refused.json()["detail"]
        agents = (await browser.get("/api/agents")).json()["items"]
        assert {each["name"]: bool(each["resource"]) for each in agents} == {
            "first": True,
            "second": False,
        }, "nothing is stored of what is refused"
        assert (await activated(browser, "by hand", {"prompt": "x"})).status_code == 202
        assert len([each async for each in api.world.list(AGENT)]) == 2
